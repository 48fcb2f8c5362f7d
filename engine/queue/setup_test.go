package queue_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/flowctl/flowctl/engine/queue"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/store/storetest"
)

// bundle is a store, a queue, its workers and dispatcher, and what was worked.
type bundle struct {
	store      store.Store
	queue      *queue.Queue
	workers    *queue.Workers
	dispatcher *queue.Dispatcher

	mu     sync.Mutex
	worked []store.Run
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// setup starts nothing yet. The queue is at redisURL, "" for an embedded Redis.
func setup(t testing.TB, redisURL string) *bundle {
	t.Helper()
	s, err := store.Open(context.Background(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	q, err := queue.Open(context.Background(), queue.Config{RedisURL: redisURL, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Error("closing the queue:", err)
		}
	})
	b := &bundle{store: s, queue: q, workers: q.Workers()}
	b.dispatcher = q.Dispatcher(s, queue.DispatcherConfig{})
	return b
}

// start starts workers with the bundle's handler, and the dispatcher.
func (b *bundle) start(t testing.TB) {
	t.Helper()
	b.startWorkers(t, b.handle)
	b.startDispatcher(t)
}

func (b *bundle) startWorkers(t testing.TB, handle queue.Handler) {
	t.Helper()
	if err := b.workers.Start(context.Background(), 4, handle); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.workers.Stop(5 * time.Second); err != nil {
			t.Error(err)
		}
	})
}

func (b *bundle) startDispatcher(t testing.TB) {
	t.Helper()
	if err := b.dispatcher.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.dispatcher.Stop)
}

// handle claims, notes and finishes a run.
func (b *bundle) handle(ctx context.Context, id int64) (int64, error) {
	run, lease, err := b.store.Claim(ctx, id, "test", time.Minute)
	if err != nil {
		return 0, err
	}
	b.note(run)
	return b.store.Finish(ctx, lease, store.Outcome{State: store.Succeeded})
}

func (b *bundle) note(run store.Run) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.worked = append(b.worked, run)
}

func (b *bundle) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.worked)
}

// accept accepts one event for each key and rings the doorbell.
func (b *bundle) accept(t testing.TB, instance string, keys ...string) []int64 {
	t.Helper()
	var runs []int64
	for _, key := range keys {
		accepted, err := b.store.Accept(context.Background(), store.Arrival{
			Event:  store.Event{Instance: instance, Name: "shop.order.created"},
			Starts: []store.Start{{Flow: "orders", Key: key}},
		})
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, accepted[0].RunIDs...)
	}
	b.queue.Doorbell()
	return runs
}

func keys(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = prefix + strconv.Itoa(i)
	}
	return all
}

// eventually waits for a condition; the limit is only there to end a failure.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("still not: " + what)
		}
	}
}

// redisServer is a real Redis that a test can kill and start again.
type redisServer struct {
	t      testing.TB
	folder string
	cmd    *exec.Cmd
}

// startRedis starts a redis-server on a socket in a folder of its own.
func startRedis(t testing.TB) *redisServer {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("SKIPPED: no redis-server is installed, so nothing was tested against a real Redis")
	}
	// Not t.TempDir: a socket's path has to be short.
	folder, err := os.MkdirTemp("", "flowctl-redis-")
	if err != nil {
		t.Fatal(err)
	}
	s := &redisServer{t: t, folder: folder}
	t.Cleanup(func() {
		s.kill()
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	s.start()
	return s
}

func (s *redisServer) socket() string { return filepath.Join(s.folder, "redis.sock") }
func (s *redisServer) url() string    { return "unix://" + s.socket() }

func (s *redisServer) start() {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", "--port", "0", "--unixsocket", s.socket(), "--dir", s.folder,
		"--save", "", "--appendonly", "no", "--daemonize", "no")
	storetest.Tie(s.cmd)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	client := s.client()
	defer client.Close()
	eventually(s.t, "redis-server answers", func() bool { return client.Ping(context.Background()).Err() == nil })
}

func (s *redisServer) kill() {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Kill()
	s.cmd.Wait()
	s.cmd = nil
}

func (s *redisServer) client() *redis.Client {
	return redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket()})
}

// onBoth runs a test with the embedded Redis and with a real one.
func onBoth(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("embedded", func(t *testing.T) { t.Parallel(); test(t, "") })
	t.Run("redis-server", func(t *testing.T) { t.Parallel(); test(t, startRedis(t).url()) })
}

func describe(runs []store.Run) string {
	text := ""
	for _, r := range runs {
		text += fmt.Sprintf(" %d(%s %s)", r.ID, r.Instance, r.Key)
	}
	return text
}
