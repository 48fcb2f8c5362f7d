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
	all, err := p.engine.Feeds(ctx, shop)
	if err != nil {
		return nil, err
	}
	var views []feedView
	for _, feed := range all {
		view := feedView{Title: feed.Title, Tone: "calm", Word: "Not yet", Last: feed.State.LastSuccess}
		switch {
		case feed.Problem != "":
			view.Tone, view.Word, view.Problem = "bad", "Wrong", feed.Problem
		case !feed.Enabled:
			continue
		case feed.State.LastError != "":
			view.Tone, view.Word, view.Problem = "bad", "Fails", feed.State.LastError
		case feed.State.Walking:
			view.Tone, view.Word = "busy", "At work"
		case !feed.State.LastSuccess.IsZero():
			view.Tone, view.Word = "good", "In step"
		}
		views = append(views, view)
	}
	return views, nil
}
