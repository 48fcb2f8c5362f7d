package doctor

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/store"
)

// What of the disk should be free.
const (
	diskWarn = 1 << 30
	diskFail = 100 << 20
)

// checkDatabase opens the engine, which migrates the database, and writes to it.
func (p *patient) checkDatabase(ctx context.Context) []connectors.Finding {
	if p.app == nil {
		return []connectors.Finding{connectors.Warned("store", "", "not looked at, because the flows have errors")}
	}
	config := p.Config
	file := ""
	if config.DatabaseURL == "" {
		file = filepath.Join(p.Data, "flowctl.db")
		config.DatabaseURL = "sqlite:" + file
	}
	config.Overrides, config.Sealer = p.Overrides(p.app), p.sealer
	e, err := engine.Open(ctx, config)
	if err != nil {
		f := connectors.Failed("store", err)
		f.Advice = "Check the address, the login and the rights of FLOWCTL_DATABASE_URL; without it SQLite is used, in the data folder."
		return []connectors.Finding{f}
	}
	p.engine = e
	started := time.Now()
	if err := e.Store().Ping(ctx); err != nil {
		f := connectors.Failed("store", err)
		f.Advice = "The database cannot be written: is its disk full, or is it read-only?"
		return []connectors.Finding{f}
	}
	took := time.Since(started).Round(time.Millisecond)
	kind := "PostgreSQL"
	if strings.HasPrefix(config.DatabaseURL, "sqlite:") {
		kind = "SQLite"
	}
	found := []connectors.Finding{connectors.Found("store", "%s, its schema is up to date, a write takes %s", kind, max(took, time.Millisecond))}
	if took > 500*time.Millisecond {
		found[0] = connectors.Warned("store", "A slow disk or network: every event waits for a write before it is answered.", "%s, a write takes %s", kind, took)
	}
	if file != "" {
		found = append(found, checkDisk(file)...)
	}
	return append(found, checkInstance(ctx, e, p.Instance))
}

// checkInstance looks whether the shop that is examined is there, and worked.
func checkInstance(ctx context.Context, e *engine.Engine, name string) connectors.Finding {
	const check = "instance"
	found, err := e.Instances().Get(ctx, name)
	switch {
	case err != nil:
		return connectors.Failed(check, err)
	case found.State == store.InstancePaused:
		return connectors.Warned(check, "flowctl instances resume "+name+" has it worked again.", "%s is paused: events are accepted and not worked", name)
	}
	return connectors.Found(check, "%s (%s)", name, found.Title)
}

func checkDisk(file string) []connectors.Finding {
	free, known := freeBytes(filepath.Dir(file))
	if !known {
		return nil
	}
	size := int64(0)
	if info, err := os.Stat(file); err == nil {
		size = info.Size()
	}
	f := connectors.Found("disk", "%d MB free, the database has %d MB", free>>20, size>>20)
	if free < diskWarn {
		f.Level, f.Advice = connectors.Warn, "Make room: events are refused when the disk is full."
	}
	if free < diskFail {
		f.Level = connectors.Fail
	}
	return []connectors.Finding{f}
}

// waitsLong is how old a ready run may be before somebody should ask whether
// anything works.
const waitsLong = 5 * time.Minute

// checkRuns tells what waits for a person, or for a worker.
func (p *patient) checkRuns(ctx context.Context) []connectors.Finding {
	if p.engine == nil {
		return nil
	}
	counts, err := p.engine.Store().Counts(ctx, p.Instance)
	if err != nil {
		return []connectors.Finding{connectors.Failed("backlog", err)}
	}
	var found []connectors.Finding
	for _, state := range []store.State{store.Held, store.Failed} {
		if n := counts[state]; n > 0 {
			found = append(found, connectors.Warned(string(state), "flowctl runs list --state "+string(state)+" says why; mend it, then flowctl runs retry.",
				"%d runs are %s", n, state))
		}
	}
	ready, err := p.engine.Store().Ready(ctx, 1)
	if err != nil {
		return append(found, connectors.Failed("backlog", err))
	}
	open := counts[store.Waiting] + counts[store.Running] + counts[store.Retrying]
	for _, run := range ready {
		if since := time.Since(run.DueAt); run.Instance == p.Instance && since > waitsLong {
			return append(found, connectors.Warned("backlog", "Is flowctl serve running, with this database?",
				"%d runs are open, and run %d has been ready for %s", open, run.ID, since.Round(time.Minute)))
		}
	}
	return append(found, connectors.Found("backlog", "%d runs are open", open))
}
