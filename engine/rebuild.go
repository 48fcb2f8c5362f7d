package engine

import (
	"context"
	"fmt"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/run"
	"github.com/flowctl/flowctl/engine/store"
)

// RebuildOptions say how links are rebuilt.
type RebuildOptions struct {
	// Force lets what the systems tell replace what the store has.
	Force bool
	// DryRun only looks.
	DryRun bool
	// Progress, if set, is told how many links were found so far.
	Progress func(found int)
}

// RebuildLinks finds the links of a table again in the two systems, by the flow
// that app.yaml names for it, and writes those that are missing.
func (e *Engine) RebuildLinks(ctx context.Context, instance, table string, options RebuildOptions) (link.Rebuilt, error) {
	t, ok := e.App().Table(table)
	if !ok {
		return link.Rebuilt{}, fmt.Errorf("there is no link table %q", table)
	}
	f, ok := e.App().Flow(t.Rebuild)
	if t.Rebuild == "" || !ok {
		return link.Rebuilt{}, fmt.Errorf("app.yaml does not say how to rebuild the link table %q: its records are matched anew when they are needed", table)
	}
	if _, err := e.Instances().Get(ctx, instance); err != nil {
		return link.Rebuilt{}, err
	}
	rebuild := link.Rebuild{
		Store: e.store, Instance: instance, Table: run.TableOf(t), Force: options.Force, DryRun: options.DryRun, Progress: options.Progress,
		Pages: func(ctx context.Context, cursor string) (link.Page, error) {
			return e.rebuildPage(ctx, f, instance, cursor)
		},
	}
	return rebuild.Run(ctx)
}

// rebuildPage lets a flow tell one page of links. The flow is planned, not run:
// it reads for real and can write nothing.
func (e *Engine) rebuildPage(ctx context.Context, f *flow.Flow, instance, cursor string) (link.Page, error) {
	plan, err := e.executor.Plan(ctx, f, instance, map[string]any{"cursor": cursor})
	if err != nil {
		return link.Page{}, fmt.Errorf("the flow %s: %w", f.Name, err)
	}
	for _, s := range plan.Steps {
		if s.Operation != "" {
			return link.Page{}, fmt.Errorf("the flow %s would call %s at %s: a flow that rebuilds links only reads", f.Name, s.Operation, s.Path)
		}
	}
	if plan.Outcome.State != store.Succeeded {
		return link.Page{}, fmt.Errorf("the flow %s, page %q: %v", f.Name, cursor, plan.Outcome.Reason)
	}
	result, _ := plan.Result.(map[string]any)
	pairs, ok := result["pairs"].([]any)
	if !ok && result["pairs"] != nil {
		return link.Page{}, fmt.Errorf("the flow %s gave no list of pairs", f.Name)
	}
	page := link.Page{More: result["more"] == true}
	page.Cursor, _ = result["cursor"].(string)
	for _, one := range pairs {
		pair, ok := one.(map[string]any)
		if !ok {
			return link.Page{}, fmt.Errorf("the flow %s gave a pair that is no record: %v", f.Name, one)
		}
		page.Candidates = append(page.Candidates, link.Candidate{
			Local: keysOf(pair["local"]), Remote: keysOf(pair["remote"]), Weak: pair["weak"] == true,
		})
	}
	return page, nil
}

// keysOf reads a side of a pair: a key, several, or none.
func keysOf(side any) []string {
	list, ok := side.([]any)
	if !ok {
		list = []any{side}
	}
	var keys []string
	for _, key := range list {
		if text := link.Text(key); text != "" {
			keys = append(keys, text)
		}
	}
	return keys
}
