// Package doctor looks whether an installation is fit to work: its configuration,
// its database, its Redis and the systems it connects, and says what to do about
// what is not. It changes nothing but what the engine would make as well: the
// data folder, the key file, the database.
package doctor

import (
	"context"
	"net/http"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/settings"
)

// Subject is the installation to look at.
type Subject struct {
	// Config is what an engine would be opened with, but for DatabaseURL, which
	// may be empty, Overrides and Sealer.
	Config    engine.Config
	Instance  string
	Overrides func(*flow.App) map[string]string
	Data      string // folder for the database and the key
	SecretKey string // "" means the key file in Data
	PublicURL string // of the ingress as the other systems see it; may be ""
	// Variables are those of the environment that are meant for this program, by
	// name, and Known tells of each whether anything reads it.
	Variables []string
	Known     func(app *flow.App, name string) bool
	// HTTPClient asks PublicURL; nil means a client of its own.
	HTTPClient *http.Client
}

// Finding is a finding about an area of the installation.
type Finding struct {
	// Area is a part of the installation, or the name of a connection.
	Area string `json:"area"`
	connectors.Finding
}

// The areas of an installation, in the order they are looked at. After them come
// the connections by their names.
const (
	Flows         = "flows"
	Configuration = "configuration"
	Database      = "database"
	Redis         = "redis"
	Runs          = "runs"
	Webhooks      = "webhooks"
)

// checks are looked at in this order: a later one needs what an earlier one found.
var checks = []struct {
	area string
	look func(*patient, context.Context) []connectors.Finding
}{
	{Flows, (*patient).checkFlows},
	{Configuration, (*patient).checkConfiguration},
	{Database, (*patient).checkDatabase},
	{Redis, (*patient).checkRedis},
	{Runs, (*patient).checkRuns},
	{Webhooks, (*patient).checkPublicURL},
}

// patient is a subject with what was found out about it.
type patient struct {
	Subject
	app    *flow.App
	sealer *settings.Sealer
	engine *engine.Engine // nil when it cannot be opened
}

// limit bounds what is asked of one area.
const limit = time.Minute

// Examine looks at everything and tells what it finds, also while it goes on.
func Examine(ctx context.Context, subject Subject, tell func(Finding)) ([]Finding, error) {
	p := &patient{Subject: subject}
	var all []Finding
	look := func(area string, check func(*patient, context.Context) []connectors.Finding) {
		bounded, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		for _, f := range check(p, bounded) {
			all = append(all, Finding{area, f})
			tell(all[len(all)-1])
		}
	}
	for _, check := range checks {
		look(check.area, check.look)
	}
	if p.app != nil {
		for _, c := range p.app.Connections {
			look(c.Name, func(p *patient, ctx context.Context) []connectors.Finding { return p.checkConnection(ctx, c) })
		}
	}
	if p.engine == nil {
		return all, ctx.Err()
	}
	if err := p.engine.Close(); err != nil {
		return all, err
	}
	return all, ctx.Err()
}
