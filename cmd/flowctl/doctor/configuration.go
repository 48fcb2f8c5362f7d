package doctor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/settings"
)

// checkFlows loads the app.
func (p *patient) checkFlows(context.Context) []connectors.Finding {
	app, found, err := flow.Load(p.Config.Flows, p.Config.FlowsName)
	if err != nil {
		return []connectors.Finding{connectors.Failed("files", err)}
	}
	if found.Failed() {
		f := connectors.Failed("files", errors.New(firstLine(found.Error())))
		f.Advice = "flowctl validate shows every mistake with its place."
		return []connectors.Finding{f}
	}
	p.app = app
	return []connectors.Finding{connectors.Found("files", "%s: %d flows, %d connections, %d link tables",
		p.Config.FlowsName, len(app.Flows), len(app.Connections), len(app.Tables))}
}

func firstLine(text string) string {
	first, rest, more := strings.Cut(text, "\n")
	if more && rest != "" {
		return first + " …"
	}
	return first
}

// checkConfiguration looks at the data folder, the key and the environment.
func (p *patient) checkConfiguration(context.Context) []connectors.Finding {
	found := []connectors.Finding{p.checkData(), p.checkKey()}
	if p.app == nil {
		return found
	}
	var unknown []string
	for _, name := range p.Variables {
		if !p.Known(p.app, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		found = append(found, connectors.Warned("environment", "See flowctl settings list --json for the names of settings, and --help for those of the machine.",
			"nothing reads %s", strings.Join(unknown, ", ")))
	}
	return found
}

// checkData writes a file into the data folder and takes it away.
func (p *patient) checkData() connectors.Finding {
	const check = "data folder"
	fail := func(err error) connectors.Finding {
		f := connectors.Failed(check, err)
		f.Advice = "Name a folder that this user may write, by --data or FLOWCTL_DATA."
		return f
	}
	if err := os.MkdirAll(p.Data, 0o700); err != nil {
		return fail(err)
	}
	probe, err := os.CreateTemp(p.Data, ".doctor-*")
	if err != nil {
		return fail(err)
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return fail(err)
	}
	info, err := os.Stat(p.Data)
	if err != nil {
		return fail(err)
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		return connectors.Warned(check, "chmod o-rwx "+p.Data+": customers' addresses are in there.",
			"%s can be entered by every user of this machine (mode %04o)", p.Data, mode)
	}
	return connectors.Found(check, "%s can be written", p.Data)
}

// checkKey looks at the key that seals secrets.
func (p *patient) checkKey() connectors.Finding {
	const check = "secret key"
	var err error
	from := "FLOWCTL_SECRET_KEY"
	if p.SecretKey != "" {
		p.sealer, err = settings.NewSealer(p.SecretKey)
	} else {
		from = filepath.Join(p.Data, "secret.key")
		p.sealer, err = settings.SealerFromFile(from)
	}
	if err != nil {
		f := connectors.Failed(check, err)
		f.Advice = "Set FLOWCTL_SECRET_KEY to the key the secrets were sealed with, or mend the key file."
		return f
	}
	return connectors.Found(check, "from %s; keep a copy, stored secrets cannot be read without it", from)
}
