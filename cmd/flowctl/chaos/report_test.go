//go:build linux

package chaos

import (
	"testing"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

// report prints the figures.
func (v *verdict) report(t *testing.T, name string, c *courier, f *faults, s *storm, took time.Duration) {
	retries, most, exits := 0, 0, 0
	runs := v.w.runs(store.RunFilter{})
	for _, r := range runs {
		retries += max(0, r.Attempt-1)
		most = max(most, r.Attempt)
	}
	for _, p := range v.w.processes {
		fell := p.falls()
		exits += len(fell)
		for _, how := range fell {
			// Started while the database was away: it says so and ends (exit code 20).
			if v.w.database.crash == nil || how != "exit status 20" {
				t.Errorf("%s ended by itself: %s", p.name, how)
			}
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	total := 0
	for _, n := range f.injected {
		total += n
	}
	t.Logf("%s: %d orders equal, %d held; %d contacts\n"+
		"webhooks    %d deliveries, %d posts, %d refused and sent again, %d events accepted\n"+
		"broken      %v; %d exits because the store was away\n"+
		"faults      %d injected into %d requests: %v\n"+
		"runs        %d, %d further attempts, at most %d for one run\n"+
		"took        %.1f s",
		name, v.equal, len(v.held), len(v.partners),
		c.deliveries.Load(), c.posts.Load(), c.refused.Load(), len(c.accepted),
		s.counts, exits, total, f.requests, f.injected, len(runs), retries, most, took.Seconds())
}
