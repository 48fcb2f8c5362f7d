package panel

import (
	"context"
	"time"
)

// feedView is a feed as the overview shows it.
type feedView struct {
	Title, Tone, Word, Problem string
	Last                       time.Time
}

// feedViews tells how far the feeds are that are switched on.
func (p *Panel) feedViews(ctx context.Context, shop string) ([]feedView, error) {
	declared := p.engine.App().Feeds
	if len(declared) == 0 {
		return nil, nil
	}
	states, err := p.store.Feeds(ctx, shop)
	if err != nil {
		return nil, err
	}
	settings, err := p.engine.Settings().Values(ctx, shop)
	if err != nil {
		return nil, err
	}
	var views []feedView
	for _, feed := range declared {
		view := feedView{Title: feed.Title, Tone: "calm", Word: "Not yet"}
		if view.Title == "" {
			view.Title = feed.Name
		}
		on, err := feed.On(ctx, settings)
		if err != nil {
			view.Tone, view.Word, view.Problem = "bad", "Wrong", err.Error()
			views = append(views, view)
			continue
		}
		if !on {
			continue
		}
		for _, state := range states {
			if state.Name != feed.Name {
				continue
			}
			view.Last = state.LastSuccess
			switch {
			case state.LastError != "":
				view.Tone, view.Word, view.Problem = "bad", "Fails", state.LastError
			case !state.LastSuccess.IsZero():
				view.Tone, view.Word = "good", "In step"
			}
			if state.Walking && state.LastError == "" {
				view.Tone, view.Word = "busy", "At work"
			}
		}
		views = append(views, view)
	}
	return views, nil
}
