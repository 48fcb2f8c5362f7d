//go:build unix

package queue_test

import (
	"context"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkIdle is what waiting for work costs: run it with -benchtime 10s. The
// embedded Redis' share is within the process.
func BenchmarkIdle(b *testing.B) {
	benchOnBoth(b, func(b *testing.B, url string) {
		s := setup(b, url)
		s.start(b)
		commands := func() float64 { return 0 }
		if url != "" {
			client := (&redisServer{folder: strings.TrimSuffix(strings.TrimPrefix(url, "unix://"), "/redis.sock")}).client()
			defer client.Close()
			commands = func() float64 {
				info, err := client.Info(context.Background(), "stats").Result()
				if err != nil {
					b.Fatal(err)
				}
				_, rest, _ := strings.Cut(info, "total_commands_processed:")
				n, err := strconv.ParseFloat(strings.TrimSpace(strings.SplitN(rest, "\n", 2)[0]), 64)
				if err != nil {
					b.Fatal(err)
				}
				return n
			}
		}
		time.Sleep(time.Second) // after the start
		began, cpu, sent := time.Now(), processTime(b), commands()
		for b.Loop() {
			time.Sleep(100 * time.Millisecond)
		}
		seconds := time.Since(began).Seconds()
		b.ReportMetric((processTime(b)-cpu).Seconds()/seconds*100, "%cpu")
		b.ReportMetric((commands()-sent)/seconds, "commands/s")
	})
}

func processTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
