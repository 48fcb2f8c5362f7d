package queue_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/flowctl/flowctl/engine/queue"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/store/storetest"
)

// A Redis that forgets everything costs time, not work.
func TestFlushLosesNothing(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	b := setup(t, server.url())
	gate := make(chan struct{})
	b.startWorkers(t, func(ctx context.Context, id int64) (int64, error) {
		<-gate
		return b.handle(ctx, id)
	})
	b.startDispatcher(t)
	b.accept(t, "main", keys("order:", 50)...)
	client := server.client()
	defer client.Close()
	ctx := context.Background()
	eventually(t, "rings wait in Redis", func() bool {
		n, err := client.LLen(ctx, "asynq:{flowctl}:pending").Result()
		return err == nil && n >= 10
	})
	if err := client.FlushAll(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	close(gate)
	eventually(t, "all 50 runs are worked", func() bool { return b.count() == 50 })
}

// Redis is killed and started again, empty, while work goes on.
func TestRedisKilledAndStartedAgain(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	b := setup(t, server.url())
	b.startWorkers(t, func(ctx context.Context, id int64) (int64, error) {
		time.Sleep(time.Millisecond)
		return b.handle(ctx, id)
	})
	b.startDispatcher(t)
	b.accept(t, "main", keys("before:", 200)...)
	eventually(t, "work has begun", func() bool { return b.count() > 10 })
	server.kill()
	b.accept(t, "main", keys("while:", 20)...)
	server.start()
	b.accept(t, "main", keys("after:", 20)...)
	eventually(t, "all 240 runs are worked", func() bool { return b.count() == 240 })
}

func TestStartWhileRedisIsDown(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	server.kill()
	b := setup(t, server.url())
	b.start(t)
	b.accept(t, "main", "order:1")
	server.start()
	eventually(t, "the run is worked", func() bool { return b.count() == 1 })
}

func TestStopWhileRedisIsDown(t *testing.T) {
	t.Parallel()
	server := startRedis(t)
	b := setup(t, server.url())
	b.start(t)
	b.accept(t, "main", "order:1")
	eventually(t, "the run is worked", func() bool { return b.count() == 1 })
	server.kill()
	if err := b.workers.Stop(10 * time.Second); err != nil {
		t.Fatal(err)
	}
}

func TestTheDispatcherOutlivesTheStore(t *testing.T) {
	t.Parallel()
	b := setup(t, "")
	faulty := &storetest.Faulty{Store: b.store}
	b.store = faulty
	b.dispatcher = b.queue.Dispatcher(faulty, queue.DispatcherConfig{})
	b.start(t)
	b.accept(t, "main", "order:1")
	eventually(t, "the first run is worked", func() bool { return b.count() == 1 })
	faulty.SetDown(true)
	if _, err := b.store.Accept(context.Background()); !errors.Is(err, store.ErrUnavailable) {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	faulty.SetDown(false)
	b.accept(t, "main", "order:2")
	eventually(t, "the second run is worked", func() bool { return b.count() == 2 })
}

// A worker may die between taking a ring and claiming its run. Its task then
// stays active in Redis for ever or is archived; neither may keep the run from
// being rung again.
func TestARingThatDiedBeforeItsClaim(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, url string) {
		b := setup(t, url)
		b.accept(t, "main", "active", "archived")
		ctx := context.Background()
		ready, err := b.store.Ready(ctx, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, run := range ready {
			if err := b.queue.Ring(ctx, run); err != nil {
				t.Fatal(err)
			}
		}
		// The dead worker: it takes both tasks; of one it never comes back.
		took := make(chan struct{}, 2)
		dead := asynq.NewServer(b.queue.RedisOption(), asynq.Config{
			Queues: map[string]int{b.queue.Name(): 1}, Concurrency: 2, TaskCheckInterval: time.Millisecond,
			Logger: silence{}, ShutdownTimeout: time.Millisecond,
		})
		var once sync.Once
		never := make(chan struct{})
		defer close(never)
		if err := dead.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
			defer func() { took <- struct{}{} }()
			archived := false
			once.Do(func() { archived = true })
			if archived {
				return errors.New("archived, for it is not retried")
			}
			took <- struct{}{}
			<-never
			return nil
		})); err != nil {
			t.Fatal(err)
		}
		<-took
		<-took
		b.dispatcher.SetLostAfter(100 * time.Millisecond)
		b.start(t)
		eventually(t, "both runs are worked", func() bool { return b.count() == 2 })
	})
}

type silence struct{}

func (silence) Debug(...any) {}
func (silence) Info(...any)  {}
func (silence) Warn(...any)  {}
func (silence) Error(...any) {}
func (silence) Fatal(...any) {}

// What asynq and the Redis client say goes to the logger, and nothing to stdout.
// Not parallel: stdout and stderr belong to all.
func TestNothingIsPrinted(t *testing.T) {
	server := startRedis(t)
	var mu sync.Mutex
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(lockedWriter{&mu, &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	stdout, stderr := os.Stdout, os.Stderr
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout, os.Stderr = write, write
	printed := make(chan string)
	go func() {
		all, err := io.ReadAll(read)
		if err != nil {
			all = append(all, err.Error()...)
		}
		printed <- string(all)
	}()
	func() {
		defer func() { os.Stdout, os.Stderr = stdout, stderr; write.Close() }()
		q, err := queue.Open(context.Background(), queue.Config{RedisURL: server.url(), Logger: logger})
		if err != nil {
			t.Fatal(err)
		}
		defer q.Close()
		w := q.Workers()
		if err := w.Start(context.Background(), 1, func(context.Context, int64) (int64, error) { return 0, nil }); err != nil {
			t.Fatal(err)
		}
		server.kill()
		eventually(t, "asynq complains", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return strings.Contains(log.String(), "Dequeue error")
		})
		if err := w.Stop(10 * time.Second); err != nil {
			t.Fatal(err)
		}
	}()
	if text := <-printed; text != "" {
		t.Fatalf("printed: %s", text)
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
