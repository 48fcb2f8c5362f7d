package queue

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// The embedded Redis' workers. Nobody but this process rings there, so a worker
// knows when the queue is empty and need not ask 50 times a second.
const (
	// gateInterval is asynq's pause after an empty look; the gate does the waiting.
	gateInterval = time.Millisecond
	// gateWait is how long a worker believes that the queue stays empty: asynqmon
	// may put a task back, or end a pause, without a ring.
	gateWait = 250 * time.Millisecond
)

var _ redis.Hook = (*gate)(nil)

// gate makes asynq's look into a queue that was empty wait for the next ring.
// It knows the look by the keys of its script; should asynq change them, nothing
// is held back, and the workers ask every gateInterval.
type gate struct {
	rung <-chan struct{}

	mu    sync.Mutex
	empty map[string]bool // by a queue's key: its last look found nothing, and nobody rang since
}

func newGate(queues []string, rung <-chan struct{}) *gate {
	g := &gate{rung: rung, empty: map[string]bool{}}
	for _, queue := range queues {
		g.empty[pendingKey(queue)] = false
	}
	return g
}

func pendingKey(queue string) string { return fmt.Sprintf("asynq:{%s}:pending", queue) }

// isLook recognises EVALSHA|EVAL script 4 pending paused active lease …, and says
// which queue is looked into.
func (g *gate) isLook(cmd redis.Cmder) (pending string, ok bool) {
	args := cmd.Args()
	if len(args) < 7 || cmd.Name() != "evalsha" && cmd.Name() != "eval" || args[2] != 4 {
		return "", false
	}
	pending, _ = args[3].(string)
	active, _ := args[5].(string)
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ours := g.empty[pending]
	return pending, ours && strings.TrimSuffix(active, ":active") == strings.TrimSuffix(pending, ":pending")
}

// idle tells whether all queues were empty at their last look.
func (g *gate) idle() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, empty := range g.empty {
		if !empty {
			return false
		}
	}
	return true
}

// look notes what a look found; "" that something may be in any queue.
func (g *gate) look(pending string, empty bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for key := range g.empty {
		if pending == "" || key == pending {
			g.empty[key] = empty
		}
	}
}

// ProcessHook waits before a look, if the last ones found nothing.
func (g *gate) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		pending, ok := g.isLook(cmd)
		if !ok {
			return next(ctx, cmd)
		}
		if g.idle() {
			timer := time.NewTimer(gateWait)
			select {
			case <-g.rung:
			case <-timer.C:
			case <-ctx.Done():
			}
			timer.Stop()
			g.look("", false) // the ring may be in another queue than this one
		}
		err := next(ctx, cmd)
		g.look(pending, errors.Is(err, redis.Nil))
		return err
	}
}

// DialHook changes nothing.
func (g *gate) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessPipelineHook changes nothing.
func (g *gate) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
