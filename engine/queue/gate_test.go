package queue

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

// If asynq changed how it looks into a queue, the embedded Redis would be asked a
// thousand times a second, and nothing but this test would say so.
func TestIdleWorkersLeaveTheEmbeddedRedisAlone(t *testing.T) {
	t.Parallel()
	q, err := Open(context.Background(), Config{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	heard := make(chan int64)
	w := q.Workers()
	if err := w.Start(context.Background(), 2, func(_ context.Context, id int64) (int64, error) {
		heard <- id
		return 0, nil
	}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.Stop(time.Second); err != nil {
			t.Error(err)
		}
	}()
	for id := int64(1); id <= 3; id++ {
		before := q.embedded.server.CommandCount()
		time.Sleep(300 * time.Millisecond)
		if n := q.embedded.server.CommandCount() - before; n > 60 {
			t.Errorf("%d commands in 0.3 idle seconds", n)
		}
		if err := q.Ring(context.Background(), store.Run{ID: id, Instance: "main", Flow: "a", Key: "k"}); err != nil {
			t.Fatal(err)
		}
		if got := <-heard; got != id {
			t.Fatalf("heard of run %d, want %d", got, id)
		}
	}
}
