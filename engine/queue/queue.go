// Package queue is the doorbell between the store and the workers: it tells an
// idle worker, on whatever machine, that a run is ready. It carries names, never
// data: what is to be done is in the store, and a queue that was wiped is rung
// again from there.
//
// It is asynq over Redis, with an embedded Redis when none is configured.
// A ring may be lost, doubled or late without harm: the store's lease on a key
// decides who works, and the [Dispatcher] rings again whatever stays ready.
package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// DefaultName is the queue's name where none is configured.
const DefaultName = "flowctl"

// Config configures a queue. The zero Config is an embedded Redis.
type Config struct {
	// RedisURL names the Redis server; "" starts an embedded one. See [ParseRedisURL]
	// for its forms. Redis must be 6.2 or later.
	RedisURL string
	// Name is the queue's name in Redis. Deployments with different databases that
	// share one Redis need different names, for their runs have the same ids.
	// "" means [DefaultName].
	Name string
	// CheckInterval is how often an idle worker process asks a Redis server for a
	// ring; the mean delay is half of it. 0 means [DefaultCheckInterval]. The
	// embedded Redis needs no asking.
	CheckInterval time.Duration
	// Logger takes all that the queue, asynq and Redis' client say; nil means
	// slog.Default().
	Logger *slog.Logger
}

// DefaultCheckInterval makes a ring heard after 12 ms in the median and 30 ms at
// most, for 50 questions a second from each worker process: some 2 % of a core
// (BenchmarkLatency and BenchmarkIdle, on a slow machine).
const DefaultCheckInterval = 20 * time.Millisecond

// Queue is a connection to the queue, safe for concurrent use.
type Queue struct {
	config    Config
	logger    *slog.Logger
	option    asynq.RedisConnOpt
	redis     redis.UniversalClient
	client    *asynq.Client
	inspector *asynq.Inspector
	embedded  *embedded // nil with a Redis server
	bell      *bell
	rings     *signals // one for each ring; the embedded Redis' workers listen

	closeOnce sync.Once
	closeErr  error
}

// Open opens the queue. It does not touch the network, so that a service can
// start while Redis is down.
func Open(_ context.Context, config Config) (*Queue, error) {
	if config.Name == "" {
		config.Name = DefaultName
	}
	if config.CheckInterval <= 0 {
		config.CheckInterval = DefaultCheckInterval
	}
	q := &Queue{config: config, logger: config.Logger, rings: newSignals()}
	if q.logger == nil {
		q.logger = slog.Default()
	}
	q.logger = q.logger.With("component", "queue")
	routeRedisLog(q.logger)

	var err error
	if config.RedisURL == "" {
		if q.embedded, err = startEmbedded(); err != nil {
			return nil, err
		}
		q.option = q.embedded.option()
	} else if q.option, err = ParseRedisURL(config.RedisURL); err != nil {
		return nil, err
	}
	client, ok := q.option.MakeRedisClient().(redis.UniversalClient)
	if !ok {
		return nil, fmt.Errorf("opening the queue: asynq made no Redis client of %T", q.option)
	}
	q.redis = client
	q.client = asynq.NewClientFromRedisClient(client)
	q.inspector = asynq.NewInspectorFromRedisClient(client)
	q.bell = newBell(q)
	return q, nil
}

// RedisOption returns how to connect to the queue's Redis, the embedded one too:
// for asynqmon in the panel.
func (q *Queue) RedisOption() asynq.RedisConnOpt { return q.option }

// workersClient returns a connection for asynq's workers, how often they look,
// and how to give both back.
func (q *Queue) workersClient() (client redis.UniversalClient, interval time.Duration, release func() error, err error) {
	if q.embedded == nil {
		return q.redis, q.config.CheckInterval, func() error { return nil }, nil
	}
	client, ok := q.option.MakeRedisClient().(redis.UniversalClient)
	if !ok {
		return nil, 0, nil, fmt.Errorf("asynq made no Redis client of %T", q.option)
	}
	rung, done := q.rings.listen()
	client.AddHook(newGate(q.names(), rung))
	return client, gateInterval, func() error { done(); return client.Close() }, nil
}

// Name returns the queue's name in Redis.
func (q *Queue) Name() string { return q.config.Name }

// front is the queue of those of whom little waits: in it nobody stands behind
// another shop's backlog.
func (q *Queue) front() string { return q.config.Name + "-front" }

func (q *Queue) names() []string { return []string{q.front(), q.config.Name} }

// Ping checks that Redis answers.
func (q *Queue) Ping(ctx context.Context) error {
	if err := q.redis.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("asking Redis: %w", err)
	}
	return nil
}

// Close ends the connection, and the embedded Redis with it. Stop workers and
// dispatchers first. It may be called twice.
func (q *Queue) Close() error {
	q.closeOnce.Do(func() {
		q.bell.stop()
		q.closeErr = q.redis.Close()
		if q.embedded != nil {
			q.closeErr = errors.Join(q.closeErr, q.embedded.close())
		}
	})
	return q.closeErr
}
