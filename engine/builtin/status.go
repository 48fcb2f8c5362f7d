package builtin

import (
	"context"
	"fmt"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/store"
)

// status tells how the instance stands.
func (c *connection) status(ctx context.Context) (any, error) {
	stands, err := c.Store.Status(ctx, c.instance)
	if err != nil {
		return nil, err
	}
	values, err := c.Settings.Values(ctx, c.instance)
	if err != nil {
		return nil, err
	}
	feeds, err := c.feeds(ctx)
	if err != nil {
		return nil, err
	}
	links, flows := []any{}, []any{}
	for _, t := range c.App().Tables {
		links = append(links, map[string]any{"table": t.Name, "title": t.Title, "count": int64(stands.Links[t.Name])})
	}
	for _, f := range c.App().Flows {
		if f.Trigger.Called && !f.Trigger.Manual {
			continue // a part of others
		}
		flows = append(flows, map[string]any{"name": f.Name, "title": f.Title, "enabled": switchedOn(ctx, f, values)})
	}
	return map[string]any{
		"waiting": int64(stands.Runs[store.Waiting]), "retrying": int64(stands.Runs[store.Retrying]),
		"held": int64(stands.Runs[store.Held]), "failed": int64(stands.Runs[store.Failed]),
		"oldest_waiting": orNil(stands.OldestWaiting), "oldest_failure": orNil(stands.OldestProblem), "last_event": orNil(stands.LastEvent),
		"feeds": feeds, "links": links, "flows": flows,
	}, nil
}

func (c *connection) feeds(ctx context.Context) ([]any, error) {
	listed := []any{}
	if c.Feeds == nil {
		return listed, nil
	}
	known, err := c.Feeds.Feeds(ctx, c.instance)
	if err != nil {
		return nil, fmt.Errorf("reading the feeds: %w", err)
	}
	for _, f := range known {
		feed := map[string]any{"name": f.Name, "title": f.Title, "enabled": f.Enabled,
			"last_success": orNil(f.LastSuccess), "last_error": nil, "lag_seconds": nil}
		if f.LastError != "" {
			feed["last_error"] = f.LastError
		}
		if !f.LastSuccess.IsZero() {
			feed["lag_seconds"] = int64(max(time.Since(f.LastSuccess), 0) / time.Second)
		}
		listed = append(listed, feed)
	}
	return listed, nil
}

// poll asks for a feed's poll.
func (c *connection) poll(ctx context.Context, p params) (any, error) {
	name := p.text("feed")
	if _, ok := c.App().Feed(name); !ok {
		return nil, badParams("there is no feed %q in app.yaml", name)
	}
	if c.Feeds == nil {
		return nil, connectors.Errorf(connectors.Permanent, connectors.CodeBadConfig, "no feeds are polled here")
	}
	return map[string]any{}, c.Feeds.Ask(ctx, c.instance, name, p.instant("since"))
}

// problems lists runs that need a person.
func (c *connection) problems(ctx context.Context, p params) (any, error) {
	limit, err := pageOf(p)
	if err != nil {
		return nil, err
	}
	values, err := c.Settings.Values(ctx, c.instance)
	if err != nil {
		return nil, err
	}
	found, err := c.Store.Problems(ctx, store.ProblemFilter{
		Instance: c.instance, Since: p.instant("since"), After: p.integer("after"), Limit: limit,
	})
	if err != nil {
		return nil, err
	}
	base, runs := c.publicURL(values), []any{}
	out := map[string]any{"last": nil, "until": nil}
	for _, r := range found {
		run := map[string]any{
			"id": r.ID, "flow": r.Flow, "title": r.Flow, "key": r.Key, "state": string(r.State), "code": r.Code,
			"reason": r.Reason, "advice": r.Advice, "at": r.UpdatedAt.UTC(), "url": nil,
		}
		if f, ok := c.App().Flow(r.Flow); ok {
			run["title"] = f.Title
		}
		if base != "" {
			run["url"] = fmt.Sprintf("%s/runs/%d", base, r.ID)
		}
		runs = append(runs, run)
		out["last"], out["until"] = r.ID, r.UpdatedAt.UTC()
	}
	out["runs"] = runs
	return out, nil
}

// defaultPage is the length of a listing whose limit is not told.
const defaultPage = 100

func pageOf(p params) (int, error) {
	limit, told := p["limit"].(int64)
	switch {
	case !told:
		return defaultPage, nil
	case limit < 1 || limit > store.MaxPage:
		return 0, badParams("limit is %d; it is between 1 and %d", limit, store.MaxPage)
	}
	return int(limit), nil
}
