package queue

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
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
	pending, active string // keys
	rung            <-chan struct{}
	empty           atomic.Bool
}

func newGate(queue string, rung <-chan struct{}) *gate {
	return &gate{
		pending: fmt.Sprintf("asynq:{%s}:pending", queue),
		active:  fmt.Sprintf("asynq:{%s}:active", queue),
		rung:    rung,
	}
}

// isLook recognises EVALSHA|EVAL script 4 pending paused active lease ….
func (g *gate) isLook(cmd redis.Cmder) bool {
	args := cmd.Args()
	return len(args) > 6 && (cmd.Name() == "evalsha" || cmd.Name() == "eval") &&
		args[2] == 4 && args[3] == g.pending && args[5] == g.active
}

// ProcessHook waits before a look, if the last one found nothing.
func (g *gate) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if !g.isLook(cmd) {
			return next(ctx, cmd)
		}
		if g.empty.Load() {
			timer := time.NewTimer(gateWait)
			select {
			case <-g.rung:
			case <-timer.C:
			case <-ctx.Done():
			}
			timer.Stop()
		}
		err := next(ctx, cmd)
		g.empty.Store(errors.Is(err, redis.Nil))
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
