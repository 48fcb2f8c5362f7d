package metrics

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/flowctl/flowctl/engine/store"
)

// Feed is how far a feed is.
type Feed struct {
	Name        string
	LastSuccess time.Time // zero before the first
	Failing     bool
}

// Stands tells how instances stand, at the time of a scrape. It is the same from
// every process of an installation.
type Stands struct {
	Store store.Store
	// Feeds lists the feeds of an instance that are polled.
	Feeds func(ctx context.Context, instance string) ([]Feed, error)
	Log   *slog.Logger
}

var _ prometheus.Collector = (*Stands)(nil)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

var (
	runsDesc    = desc("runs", "Runs that are open, held or failed, by state.", "instance", "state")
	oldestDesc  = desc("oldest_waiting_seconds", "How long the run has waited that has waited longest.", "instance")
	pausedDesc  = desc("instance_paused", "1 while the instance is paused.", "instance")
	lagDesc     = desc("feed_lag_seconds", "Since a feed was last polled well.", "instance", "feed")
	failingDesc = desc("feed_failing", "1 while the last poll of a feed failed.", "instance", "feed")
	upDesc      = desc("store_up", "1 when the store answered this scrape.")
)

// Describe lists what Collect may tell.
func (s *Stands) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{runsDesc, oldestDesc, pausedDesc, lagDesc, failingDesc, upDesc} {
		ch <- d
	}
}

// Collect asks the store.
func (s *Stands) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	up := 1.0
	if err := s.collect(ctx, ch); err != nil {
		up = 0
		s.Log.Warn("the store was not asked for the metrics", "error", err)
	}
	ch <- prometheus.MustNewConstMetric(upDesc, prometheus.GaugeValue, up)
}

func (s *Stands) collect(ctx context.Context, ch chan<- prometheus.Metric) error {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	instances, err := s.Store.Instances(ctx)
	if err != nil {
		return err
	}
	for _, i := range instances {
		backlog, err := s.Store.Backlog(ctx, i.Name)
		if err != nil {
			return err
		}
		for _, state := range []store.State{store.Waiting, store.Running, store.Retrying, store.Held, store.Failed} {
			gauge(runsDesc, float64(backlog.Runs[state]), i.Name, string(state))
		}
		gauge(oldestDesc, sinceSeconds(backlog.OldestWaiting), i.Name)
		gauge(pausedDesc, flag(i.State == store.InstancePaused), i.Name)
		feeds, err := s.Feeds(ctx, i.Name)
		if err != nil {
			// A sealed setting that cannot be read, say: the other shops are told.
			s.Log.Warn("the feeds were not asked for the metrics", "instance", i.Name, "error", err)
			continue
		}
		for _, f := range feeds {
			if !f.LastSuccess.IsZero() {
				gauge(lagDesc, sinceSeconds(f.LastSuccess), i.Name, f.Name)
			}
			gauge(failingDesc, flag(f.Failing), i.Name, f.Name)
		}
	}
	return nil
}

// sinceSeconds is 0 for no instant.
func sinceSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return max(time.Since(t), 0).Seconds()
}

func flag(on bool) float64 {
	if on {
		return 1
	}
	return 0
}
