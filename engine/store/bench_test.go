package store

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
)

// fill makes ended runs and a backlog the quick way.
func fill(b testing.TB, s *database, ended, backlog int) {
	b.Helper()
	ctx := context.Background()
	const batch = 1000
	for i := 0; i < ended+backlog; i += batch {
		arrivals := make([]Arrival, batch)
		for j := range arrivals {
			arrivals[j] = arrival(fmt.Sprintf("order:%d", i+j))
			arrivals[j].Event.Instance = []string{"one", "two", "three"}[j%3]
		}
		if _, err := s.Accept(ctx, arrivals...); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := s.writer.Exec(`UPDATE runs SET state = 'succeeded', ended_at = 1 WHERE id <= $1`, ended); err != nil {
		b.Fatal(err)
	}
	if _, err := s.writer.Exec(`UPDATE leases SET head_id = NULL, ready_at = NULL WHERE head_id <= $1`, ended); err != nil {
		b.Fatal(err)
	}
}

// benchOnBoth runs a benchmark on a file, and on the PostgreSQL of
// FLOWCTL_TEST_POSTGRES_URL, whose database should be empty.
func benchOnBoth(b *testing.B, bench func(b *testing.B, s *database)) {
	b.Run("sqlite", func(b *testing.B) { bench(b, openFile(b)) })
	b.Run("postgres", func(b *testing.B) {
		url := os.Getenv("FLOWCTL_TEST_POSTGRES_URL")
		if url == "" {
			b.Skip("SKIPPED: FLOWCTL_TEST_POSTGRES_URL is not set")
		}
		s, err := openPostgres(context.Background(), url)
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		if _, err := s.writer.Exec(`TRUNCATE events, runs, run_events, steps, leases, links RESTART IDENTITY`); err != nil {
			b.Fatal(err)
		}
		bench(b, s)
	})
}

// BenchmarkReady asks for work with 100,000 ended runs and a backlog of 10,000.
func BenchmarkReady(b *testing.B) {
	benchOnBoth(b, func(b *testing.B, s *database) {
		fill(b, s, 100_000, 10_000)
		for b.Loop() {
			runs, err := s.Ready(context.Background(), 32)
			if err != nil || len(runs) != 96 {
				b.Fatal(len(runs), err)
			}
		}
	})
}

// BenchmarkWork claims and finishes with the same history.
func BenchmarkWork(b *testing.B) {
	benchOnBoth(b, func(b *testing.B, s *database) {
		fill(b, s, 100_000, 10_000)
		ctx := context.Background()
		id := mustAccept(b, s, arrival("again"))
		for b.Loop() {
			_, lease, err := s.Claim(ctx, id, "x", time.Hour)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := s.Finish(ctx, lease, Outcome{State: Retrying}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkAccept accepts 6 KB events that start four flows, from many
// goroutines: commits are shared.
func BenchmarkAccept(b *testing.B) { benchOnBoth(b, benchAccept) }

func benchAccept(b *testing.B, s *database) {
	payload := make([]byte, 6000)
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			key := fmt.Sprintf("order:%d", time.Now().UnixNano())
			_, err := s.Accept(context.Background(), Arrival{
				Event:  Event{Instance: "main", Payload: payload},
				Starts: []Start{{Flow: "a", Key: key}, {Flow: "b", Key: key}, {Flow: "c", Key: key}, {Flow: "d", Key: key}},
			})
			if err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/float64(s.commits.Load()), "events/commit")
}
