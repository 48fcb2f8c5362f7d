package engine

import (
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/flowctl/flowctl/engine/limit"
	"github.com/flowctl/flowctl/engine/queue"
)

// newLimiter makes the limiter of requests. With a Redis server it is shared by
// all processes; it works without the server as well, each process for itself.
func (e *Engine) newLimiter() (*limit.Limiter, error) {
	log := e.config.Log.With("component", "limit")
	if e.config.RedisURL == "" {
		return limit.New(nil, log), nil
	}
	option, err := queue.ParseRedisURL(e.config.RedisURL)
	if err != nil {
		return nil, err
	}
	client, ok := option.MakeRedisClient().(redis.UniversalClient)
	if !ok {
		return nil, fmt.Errorf("opening the limiter: asynq made no Redis client of %T", option)
	}
	e.limits = client
	return limit.New(client, log), nil
}

func (e *Engine) closeLimiter() error {
	if e.limits == nil {
		return nil
	}
	return e.limits.Close()
}
