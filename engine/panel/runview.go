package panel

import (
	"context"
	"strings"
	"time"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
)

// runView is a run as pages show it.
type runView struct {
	store.Run
	Title   string // the flow's
	Record  string // what it is about, in words
	Records []recordLink
}

// At is when the run changed last.
func (r runView) At() time.Time { return r.UpdatedAt }

// Created is when it was made.
func (r runView) Created() time.Time { return r.CreatedAt }

// Retrying tells whether it waits for its next try.
func (r runView) Retrying() bool { return r.State == store.Retrying }

// Ended tells whether it is over.
func (r runView) Ended() bool { return !r.EndedAt.IsZero() && over(r.State) }

// over tells whether a run is done with, one way or the other.
func over(s store.State) bool {
	return s == store.Succeeded || s == store.Skipped || s == store.Failed || s == store.Cancelled
}

func (p *Panel) viewRun(run store.Run) runView {
	return runView{Run: run, Title: p.flowTitle(run.Flow), Record: recordWords(run.Key)}
}

func (p *Panel) viewRuns(runs []store.Run) []runView {
	views := make([]runView, len(runs))
	for i, run := range runs {
		views[i] = p.viewRun(run)
	}
	return views
}

func (p *Panel) flowTitle(name string) string {
	if f, ok := p.engine.App().Flow(name); ok && f.Title != "" {
		return f.Title
	}
	return name
}

// recordLink leads to a record in its own system.
type recordLink struct{ Title, URL string }

// recordsOf finds the record that a key names, on whatever side it is, and the
// one that it is linked to. A key is "<kind of record>:<id>", by the names of the
// link tables.
func (p *Panel) recordsOf(ctx context.Context, instance, key string, settings map[string]any) ([]recordLink, error) {
	kind, id, ok := strings.Cut(key, ":")
	if !ok || id == "" || kind == "run" {
		return nil, nil
	}
	var found []recordLink
	add := func(side flow.TableSide, id string) {
		url := side.Address(ctx, settings, id)
		if url == "" {
			return
		}
		for _, one := range found {
			if one.URL == url {
				return
			}
		}
		found = append(found, recordLink{sentence(sideName(side)) + " " + id, url})
	}
	for _, table := range p.engine.App().Tables {
		side, other, where := table.Remote, table.Local, store.Remote
		if !names(side, kind) {
			side, other, where = table.Local, table.Remote, store.Local
			if !names(side, kind) {
				continue
			}
		}
		if side.Key != "id" {
			continue // known by something else than its id
		}
		add(side, id)
		link, err := p.store.FindLink(ctx, instance, store.LinkKey{Table: table.Name, Side: where, Value: id})
		if err != nil {
			return nil, err
		}
		if link == nil || link.State != store.Linked {
			continue
		}
		if where == store.Remote {
			add(other, link.Local)
		} else {
			add(other, link.Remote)
		}
	}
	return found, nil
}

// names tells whether a side's records are of this kind: "order", or "partner"
// for res.partner.
func names(side flow.TableSide, kind string) bool {
	return side.Record == kind || strings.HasSuffix(side.Record, "."+kind)
}

// sideName is a kind of record in words: "sale order", "order".
func sideName(side flow.TableSide) string {
	if known, ok := recordNames[side.Record]; ok {
		return known
	}
	return strings.ReplaceAll(strings.ReplaceAll(side.Record, ".", " "), "_", " ")
}

// recordNames are better words for names that a program would choose.
var recordNames = map[string]string{
	"res.partner": "contact", "sale.order": "sale order", "account.move": "invoice", "stock.picking": "delivery",
	"product.product": "product variant", "product.template": "product",
}
