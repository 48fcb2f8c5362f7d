package panel

import (
	"fmt"
	"strings"
	"sync"

	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
)

// rebuilds are those of link tables that were started in this process, the last
// one of each shop and table.
type rebuilds struct {
	mu   sync.Mutex
	last map[rebuildKey]*rebuild
}

type rebuildKey struct{ shop, table string }

type rebuild struct {
	ended  bool
	found  int
	result link.Rebuilt
	err    error
}

// canRebuild tells whether app.yaml says how the table is found again.
func (p *Panel) canRebuild(t *flow.Table) bool {
	_, ok := p.engine.App().Flow(t.Rebuild)
	return t.Rebuild != "" && ok
}

func (p *Panel) tableOf(v *visit) (*flow.Table, error) {
	t, ok := p.engine.App().Table(v.PathValue("table"))
	if !ok {
		return nil, notFound("There is no such link table.")
	}
	return t, nil
}

// rebuildTable finds the links of a table again, in the background. What the
// store has otherwise stays: only a command line replaces it.
func (p *Panel) rebuildTable(v *visit) error {
	t, err := p.tableOf(v)
	if err != nil {
		return err
	}
	if !p.canRebuild(t) {
		return badRequest("The app does not say how to rebuild this table: its records are matched anew when they are needed.")
	}
	key := rebuildKey{v.instance.Name, t.Name}
	p.rebuilds.mu.Lock()
	if before := p.rebuilds.last[key]; (before == nil || before.ended) && p.sweeps.ctx.Err() == nil {
		one := &rebuild{}
		if p.rebuilds.last == nil {
			p.rebuilds.last = map[rebuildKey]*rebuild{}
		}
		p.rebuilds.last[key] = one
		p.log.Info("a link table is rebuilt", "account", v.account.Name, "instance", key.shop, "table", key.table)
		p.sweeps.wait.Go(func() { p.rebuildNow(key, one) })
	}
	p.rebuilds.mu.Unlock()
	if v.Header.Get("HX-Request") != "true" {
		return v.redirect(v.base() + "/links?table=" + escapeQuery(t.Name))
	}
	return p.rebuildState(v)
}

func (p *Panel) rebuildNow(key rebuildKey, one *rebuild) {
	note := func(change func()) {
		p.rebuilds.mu.Lock()
		defer p.rebuilds.mu.Unlock()
		change()
	}
	result, err := p.engine.RebuildLinks(p.sweeps.ctx, key.shop, key.table, engine.RebuildOptions{
		Progress: func(found int) { note(func() { one.found = found }) },
	})
	if err != nil && p.sweeps.ctx.Err() == nil {
		p.log.Warn("rebuilding links", "instance", key.shop, "table", key.table, "error", err)
	}
	note(func() { one.ended, one.result, one.err = true, result, err })
}

// rebuildView is how far a rebuild is.
type rebuildView struct {
	Title, URL, Tone string
	Going            bool
	Found            int
	Said, Problem    string
	Notes            []string
}

// maxNotes bounds the records in doubt that are named.
const maxNotes = 10

// rebuildState is the piece of a page that follows a rebuild.
func (p *Panel) rebuildState(v *visit) error {
	t, err := p.tableOf(v)
	if err != nil {
		return err
	}
	p.rebuilds.mu.Lock()
	one := p.rebuilds.last[rebuildKey{v.instance.Name, t.Name}]
	var now rebuild
	if one != nil {
		now = *one
	}
	p.rebuilds.mu.Unlock()
	if one == nil {
		return notFound("No rebuild of this table was started here.")
	}
	view := rebuildView{Title: t.Title, URL: v.base() + "/links/tables/" + t.Name + "/rebuild", Going: !now.ended, Found: now.found, Tone: "busy"}
	if now.ended {
		view.Tone, view.Said, view.Notes = "good", rebuiltWords(now.result), rebuiltNotes(now.result)
		if len(view.Notes) > 0 {
			view.Tone = "warn"
		}
		if now.err != nil {
			view.Tone, view.Problem = "bad", sentence(now.err.Error())
		}
	}
	return p.pages.piece(v, "rebuild", view)
}

func rebuiltWords(r link.Rebuilt) string {
	parts := []string{plural(r.Found, "link", "links") + " found", fmt.Sprintf("%d written", r.Written), fmt.Sprintf("%d as before", r.Unchanged)}
	for _, more := range []struct {
		n    int
		word string
	}{{r.Alone, "without a counterpart"}, {r.Busy, "being made just now"}, {r.Unconfirmed, "kept that the systems do not tell of"}} {
		if more.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", more.n, more.word))
		}
	}
	return strings.Join(parts, ", ")
}

func rebuiltNotes(r link.Rebuilt) []string {
	var notes []string
	for _, d := range r.Differs {
		for _, row := range d.Stored {
			notes = append(notes, fmt.Sprintf("The systems say %s = %s, here stands %s = %s (kept)", d.Local, d.Remote, row.Local, row.Remote))
		}
	}
	for _, d := range r.Doubtful {
		notes = append(notes, fmt.Sprintf("%s may be %s: not linked", d.Key, strings.Join(d.Maybe, " or ")))
	}
	if n := len(notes); n > maxNotes {
		notes = append(notes[:maxNotes], fmt.Sprintf("and %d more; flowctl links rebuild --dry-run lists them", n-maxNotes))
	}
	return notes
}
