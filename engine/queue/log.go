package queue

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

var _ asynq.Logger = asynqLog{}

// asynqLog sends asynq's words to slog. Its news of starting and stopping are of
// interest only to those who look for trouble in asynq itself.
type asynqLog struct{ logger *slog.Logger }

func (l asynqLog) Debug(args ...any) { l.logger.Debug(fmt.Sprint(args...)) }
func (l asynqLog) Info(args ...any)  { l.logger.Debug(fmt.Sprint(args...)) }
func (l asynqLog) Warn(args ...any)  { l.logger.Warn(fmt.Sprint(args...)) }
func (l asynqLog) Error(args ...any) { l.logger.Error(fmt.Sprint(args...)) }

// Fatal does not end the process: asynq calls it only from its own Run, which is
// not used here, and a library has no right to.
func (l asynqLog) Fatal(args ...any) { l.logger.Error(fmt.Sprint(args...)) }

type redisLog struct{ logger *slog.Logger }

func (l redisLog) Printf(ctx context.Context, format string, args ...any) {
	l.logger.DebugContext(ctx, "redis client: "+fmt.Sprintf(format, args...))
}

var redisLogOnce sync.Once

// routeRedisLog keeps go-redis from writing to stderr. Its logger is one for the
// whole process, so the first queue's is taken.
func routeRedisLog(logger *slog.Logger) {
	redisLogOnce.Do(func() { redis.SetLogger(redisLog{logger}) })
}
