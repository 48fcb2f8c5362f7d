package limit

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
)

const (
	// askRedis bounds a question to Redis: a request must not wait for it.
	askRedis = 500 * time.Millisecond
	// withoutRedis is how long Redis is not asked after it failed.
	withoutRedis = 5 * time.Second
	prefix       = "flowctl:limit:"
)

// shared is what all processes know, in Redis. While Redis is away each process
// knows only its own part.
type shared struct {
	client redis.UniversalClient
	rates  *redis_rate.Limiter
	log    *slog.Logger
	away   atomic.Int64 // until then, in nanoseconds since 1970
}

func newShared(client redis.UniversalClient, log *slog.Logger) *shared {
	return &shared{client: client, rates: redis_rate.NewLimiter(client), log: log}
}

// paused is how long a system is still to be left alone.
func (s *shared) paused(ctx context.Context, key string) (left time.Duration, ok bool) {
	ok = s.ask(ctx, func(ctx context.Context) (err error) {
		left, err = s.client.PTTL(ctx, prefix+"pause:"+key).Result()
		return err
	})
	return max(left, 0), ok
}

// longer sets a pause unless there is a longer one; Redis does both at once.
var longer = redis.NewScript(`if redis.call("PTTL", KEYS[1]) < tonumber(ARGV[1]) then
	redis.call("SET", KEYS[1], "1", "PX", ARGV[1])
end
return 1`)

func (s *shared) pause(ctx context.Context, key string, d time.Duration) {
	s.ask(context.WithoutCancel(ctx), func(ctx context.Context) error {
		return longer.Run(ctx, s.client, []string{prefix + "pause:" + key}, d.Milliseconds()).Err()
	})
}

// take takes one of the tokens of all processes, or says how long to wait before
// asking again.
func (s *shared) take(ctx context.Context, key string, r Rate) (wait time.Duration, ok bool) {
	limit := redis_rate.Limit{Rate: 1, Period: time.Duration(float64(time.Second) / r.PerSecond), Burst: r.Burst}
	ok = s.ask(ctx, func(ctx context.Context) error {
		result, err := s.rates.Allow(ctx, prefix+key, limit)
		if err == nil && result.Allowed == 0 {
			wait = max(result.RetryAfter, time.Millisecond)
		}
		return err
	})
	return wait, ok
}

// ask asks Redis, unless it failed a moment ago.
func (s *shared) ask(ctx context.Context, question func(context.Context) error) bool {
	if time.Now().UnixNano() < s.away.Load() {
		return false
	}
	asking, cancel := context.WithTimeout(ctx, askRedis)
	defer cancel()
	err := question(asking)
	if err == nil || errors.Is(err, redis.Nil) {
		return true
	}
	if ctx.Err() == nil {
		before := s.away.Swap(time.Now().Add(withoutRedis).UnixNano())
		if time.Since(time.Unix(0, before)) > time.Minute {
			s.log.Warn("Redis does not answer: limits hold for each process alone until it does", "error", err)
		}
	}
	return false
}
