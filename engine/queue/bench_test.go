package queue_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"

	"github.com/flowctl/flowctl/engine/store"
)

func benchOnBoth(b *testing.B, bench func(b *testing.B, url string)) {
	b.Run("embedded", func(b *testing.B) { bench(b, "") })
	b.Run("redis-server", func(b *testing.B) { bench(b, startRedis(b).url()) })
}

// BenchmarkLatency is the time from the doorbell to the handler, one event at a
// time, everything idle between.
func BenchmarkLatency(b *testing.B) {
	benchOnBoth(b, func(b *testing.B, url string) {
		s := setup(b, url)
		heard := make(chan time.Time, 1)
		s.startWorkers(b, func(ctx context.Context, id int64) (int64, error) {
			now := time.Now()
			next, err := s.handle(ctx, id)
			if err == nil {
				heard <- now
			}
			return next, err
		})
		s.startDispatcher(b)
		var all []time.Duration
		for i := 0; b.Loop(); i++ {
			// Not in step with the workers' looks.
			time.Sleep(time.Duration(15+i*7%40) * time.Millisecond)
			s.accept(b, "main", "order:"+strconv.Itoa(i))
			rung := time.Now()
			all = append(all, (<-heard).Sub(rung))
		}
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "ms-median")
		b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "ms-p99")
	})
}

// BenchmarkThroughput works a backlog of runs that do nothing.
func BenchmarkThroughput(b *testing.B) {
	benchOnBoth(b, func(b *testing.B, url string) {
		s := setup(b, url)
		const batch = 500
		for i := 0; i < b.N; i += batch {
			arrivals := make([]store.Arrival, min(batch, b.N-i))
			for j := range arrivals {
				arrivals[j] = store.Arrival{
					Event:  store.Event{Instance: fmt.Sprint(j % 3)},
					Starts: []store.Start{{Flow: "orders", Key: strconv.Itoa(i + j)}},
				}
			}
			if _, err := s.store.Accept(context.Background(), arrivals...); err != nil {
				b.Fatal(err)
			}
		}
		b.ResetTimer()
		s.start(b)
		eventually(b, "the backlog is worked", func() bool { return s.count() == b.N })
	})
}

// BenchmarkEmbeddedBacklog is the cost of one enqueue in the embedded Redis with
// a backlog of rings: why the dispatcher keeps few of them there.
func BenchmarkEmbeddedBacklog(b *testing.B) {
	for _, backlog := range []int{0, 100, 1000, 10_000} {
		for _, clockTTL := range []bool{true, false} {
			b.Run(fmt.Sprintf("%d/clockTTL=%v", backlog, clockTTL), func(b *testing.B) {
				server := miniredis.RunT(b)
				client := asynq.NewClient(asynq.RedisClientOpt{Addr: server.Addr()})
				defer client.Close()
				enqueue := func() {
					if _, err := client.Enqueue(asynq.NewTask("flow:orders", []byte(`{"instance":"main","run":1,"key":"order:1"}`))); err != nil {
						b.Fatal(err)
					}
				}
				for range backlog {
					enqueue()
				}
				server.ClockTTL(clockTTL)
				for b.Loop() {
					enqueue()
				}
			})
		}
	}
}
