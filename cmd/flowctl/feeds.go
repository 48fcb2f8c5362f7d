package main

import (
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine"
)

func feedsCommand() *cli.Command {
	return group("feeds", "see how far the feeds are, and poll them",
		"A feed finds what changed in a system, so that a lost webhook loses nothing. flowctl serve polls them.\n\n"+
			"Example: flowctl feeds list",
		feedsListCommand(), feedsPollCommand(), feedsResetCommand())
}

func feedsListCommand() *cli.Command {
	return &cli.Command{
		Name:        "list",
		Usage:       "list the feeds of app.yaml",
		Description: "Lag is how long ago the last walk began that came to its end: what changed before that was announced.\n\nExample: flowctl feeds list --json",
		Flags:       append(engineFlags(), jsonFlag()),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return withEngine(c, func(e *engine.Engine) error {
				feeds, err := e.Feeds(c.Context, c.String("instance"))
				if err != nil {
					return asStoreError(err)
				}
				return listFeeds(c, feeds)
			})
		},
	}
}

// feedReport is a feed as feeds list --json prints it.
type feedReport struct {
	Name        string     `json:"name"`
	Title       string     `json:"title"`
	Call        string     `json:"call"`
	Enabled     bool       `json:"enabled"`
	Every       string     `json:"every,omitempty"`
	Cursor      string     `json:"cursor,omitempty"`
	Walking     bool       `json:"walking"`
	LastPoll    *time.Time `json:"last_poll"`
	LastSuccess *time.Time `json:"last_success"`
	LagSeconds  *int64     `json:"lag_seconds"`
	LastError   string     `json:"last_error,omitempty"`
	Failures    int        `json:"failures,omitempty"`
	RetryAt     *time.Time `json:"retry_at,omitempty"`
	Events      int64      `json:"events"`
	Known       int64      `json:"known,omitempty"`
}

func reportOf(f engine.FeedStatus) feedReport {
	moment := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	r := feedReport{
		Name: f.Name, Title: f.Title, Call: f.Call, Enabled: f.Enabled, Cursor: f.State.Cursor, Walking: f.State.Walking,
		LastPoll: moment(f.State.LastPoll), LastSuccess: moment(f.State.LastSuccess), LastError: f.State.LastError,
		Failures: f.State.Failures, RetryAt: moment(f.State.RetryAt), Events: f.State.Events, Known: f.State.Known,
	}
	if f.Every > 0 {
		r.Every = f.Every.String()
	}
	if f.Problem != "" {
		r.LastError = f.Problem
	}
	if lag, ok := lagOf(f); ok {
		seconds := int64(lag / time.Second)
		r.LagSeconds = &seconds
	}
	return r
}

func lagOf(f engine.FeedStatus) (time.Duration, bool) {
	if f.State.CoveredTo.IsZero() {
		return 0, false
	}
	return f.State.Now.Sub(f.State.CoveredTo), true
}

func listFeeds(c *cli.Context, feeds []engine.FeedStatus) error {
	if c.Bool("json") {
		reports := make([]feedReport, len(feeds))
		for i, f := range feeds {
			reports[i] = reportOf(f)
		}
		return printJSON(c.App.Writer, reports)
	}
	if len(feeds) == 0 {
		fmt.Fprintln(c.App.Writer, "app.yaml has no feeds")
		return nil
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FEED\tEVERY\tLAST POLL\tLAG\tEVENTS\tSTATE")
	for _, f := range feeds {
		every, lag := "off", "-"
		if f.Every > 0 {
			every = f.Every.String()
		}
		if d, ok := lagOf(f); ok {
			lag = d.Round(time.Second).String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\n", f.Name, every, clock(f.State.LastPoll), lag, f.State.Events, oneLine(stateOf(f), 200))
	}
	return w.Flush()
}

func stateOf(f engine.FeedStatus) string {
	switch {
	case f.Problem != "":
		return f.Problem
	case f.State.LastError != "":
		return fmt.Sprintf("failed %d times, next at %s: %s", f.State.Failures, clock(f.State.RetryAt), f.State.LastError)
	case f.State.Owner != "":
		return "polled now by " + f.State.Owner
	case f.State.LastPoll.IsZero():
		return "not polled yet"
	case f.State.Walking:
		return "in the middle of a walk"
	}
	return "ok"
}

func feedsPollCommand() *cli.Command {
	return &cli.Command{
		Name:      "poll",
		Usage:     "have a feed polled now",
		ArgsUsage: "FEED",
		Description: "flowctl serve does it, within a second or two. With --since the feed begins again from there and announces once\n" +
			"more what changed since; all flows that listen look at those records again.\n\n" +
			"Example: flowctl feeds poll shop_orders --since 24h",
		Flags: append(engineFlags(),
			&cli.StringFlag{Name: "since", Usage: "begin again from there: 90m, 24h, 7d, 2026-01-31 or 2026-01-31T08:00:00Z"},
			&cli.BoolFlag{Name: "accept-gone", Usage: "announce as deleted what the feed does not find any more, however much it is"},
			&cli.DurationFlag{Name: "wait", Value: 30 * time.Second, Usage: "how long to wait for the poll; 0 only asks for it"},
		),
		Action: func(c *cli.Context) error {
			name, err := feedArgument(c, "poll")
			if err != nil {
				return err
			}
			since, err := readSince(c.String("since"), time.Now())
			if err != nil {
				return failure(exitUsage, "--since: %w", err)
			}
			return withEngine(c, func(e *engine.Engine) error { return pollFeed(c, e, name, since) })
		},
	}
}

func feedArgument(c *cli.Context, command string) (string, error) {
	if c.NArg() != 1 {
		return "", failure(exitUsage, "%s takes one feed, as in: flowctl feeds %s shop_orders", command, command)
	}
	return c.Args().First(), nil
}

func pollFeed(c *cli.Context, e *engine.Engine, name string, since time.Time) error {
	before, err := feedOf(c, e, name)
	if err != nil {
		return err
	}
	if c.Bool("accept-gone") {
		err = e.AcceptGone(c.Context, c.String("instance"), name)
	}
	if err == nil {
		err = e.Poll(c.Context, c.String("instance"), name, since)
	}
	if err != nil {
		return asStoreError(err)
	}
	if !before.Enabled {
		fmt.Fprintf(c.App.Writer, "%s is off; it is polled when its switch is on\n", name)
		return nil
	}
	deadline := time.Now().Add(c.Duration("wait"))
	for time.Now().Before(deadline) && c.Context.Err() == nil {
		now, err := feedOf(c, e, name)
		if err != nil {
			return err
		}
		switch state := now.State; {
		case state.Owner != "" || !state.LastPoll.After(before.State.LastPoll):
		case state.LastError != "" && state.FailedAt.After(before.State.FailedAt):
			return failure(exitRemote, "%s: %s", name, state.LastError)
		case state.LastSuccess.After(before.State.LastSuccess) && !state.Walking:
			fmt.Fprintf(c.App.Writer, "%s was polled: %s\n", name, count(int(state.Events-before.State.Events), "event"))
			return nil
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-c.Context.Done():
		}
	}
	fmt.Fprintf(c.App.Writer, "%s was asked for, and is polled when flowctl serve comes to it\n", name)
	return nil
}

func feedOf(c *cli.Context, e *engine.Engine, name string) (engine.FeedStatus, error) {
	feeds, err := e.Feeds(c.Context, c.String("instance"))
	if err != nil {
		return engine.FeedStatus{}, asStoreError(err)
	}
	var names []string
	for _, f := range feeds {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return engine.FeedStatus{}, failure(exitUsage, "there is no feed %q; there are: %v", name, names)
}

func feedsResetCommand() *cli.Command {
	return &cli.Command{
		Name:      "reset",
		Usage:     "forget where a feed stands; it begins as it did the first time",
		ArgsUsage: "FEED",
		Description: "A feed with start: now then announces only what changes from now on; what changed while it was behind is lost.\n" +
			"To announce more instead of less, poll it with --since.\n\n" +
			"Example: flowctl feeds reset shop_customers --yes",
		Flags: slices.Concat(engineFlags(), []cli.Flag{&cli.BoolFlag{Name: "yes", Usage: "do it without asking again"}}),
		Action: func(c *cli.Context) error {
			name, err := feedArgument(c, "reset")
			if err != nil {
				return err
			}
			if !c.Bool("yes") {
				return failure(exitUsage, "this forgets where %s stands, and cannot be taken back; say --yes to do it", name)
			}
			return withEngine(c, func(e *engine.Engine) error {
				if _, err := feedOf(c, e, name); err != nil {
					return err
				}
				if err := e.ResetFeed(c.Context, c.String("instance"), name); err != nil {
					return asStoreError(err)
				}
				fmt.Fprintf(c.App.Writer, "%s begins anew\n", name)
				return nil
			})
		},
	}
}
