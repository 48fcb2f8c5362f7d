package queue

import (
	"crypto/rand"
	"fmt"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
)

// embedded is a Redis within the process, for installations of one machine. It
// forgets everything when the process ends, which is no loss: the store rings
// again.
type embedded struct {
	server   *miniredis.Miniredis
	password string
}

// startEmbedded starts it on a free loopback port. The port is open to every
// user of the machine, hence the password.
func startEmbedded() (*embedded, error) {
	e := &embedded{server: miniredis.NewMiniRedis(), password: rand.Text()}
	// Without ClockTTL keys never expire, and asynq's would pile up (server
	// states, daily counters). It walks all keys on every command, so its cost
	// grows with the rings that wait: BenchmarkEmbeddedBacklog measures it. The
	// dispatcher's window keeps their number small whatever the store's backlog.
	e.server.ClockTTL(true)
	e.server.RequireAuth(e.password)
	if err := e.server.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("starting the embedded Redis: %w", err)
	}
	return e, nil
}

func (e *embedded) option() asynq.RedisConnOpt {
	return asynq.RedisClientOpt{Addr: e.server.Addr(), Password: e.password}
}

func (e *embedded) close() error {
	e.server.Close()
	return nil
}
