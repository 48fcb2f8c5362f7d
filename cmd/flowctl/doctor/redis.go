package doctor

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/queue"
)

// checkRedis looks at what the queue needs of Redis. What Redis loses the store
// rings again, so nothing here loses an event; it costs time.
func (p *patient) checkRedis(ctx context.Context) []connectors.Finding {
	const check = "server"
	if p.Config.RedisURL == "" {
		return []connectors.Finding{connectors.Found(check, "within the process of flowctl serve; set FLOWCTL_REDIS_URL to share work between machines")}
	}
	fail := func(err error) []connectors.Finding {
		f := connectors.Failed(check, err)
		f.Advice = "Check FLOWCTL_REDIS_URL. Until Redis answers, events are accepted and wait in the store."
		return []connectors.Finding{f}
	}
	q, err := queue.Open(ctx, queue.Config{RedisURL: p.Config.RedisURL, Logger: p.Config.Log})
	if err != nil {
		return fail(err)
	}
	started := time.Now()
	err = q.Ping(ctx)
	took := time.Since(started)
	var text string
	if err == nil {
		text, err = askInfo(ctx, q)
	}
	if err := errors.Join(err, q.Close()); err != nil {
		return fail(err)
	}
	if text == "" {
		f := connectors.Warned(check, "Allow the command INFO to see more.", "it answers in %s, and says nothing of itself", took.Round(time.Microsecond))
		return []connectors.Finding{f}
	}
	return redisFindings(redisInfo(text), took)
}

// askInfo asks for INFO; "" when this login may not.
func askInfo(ctx context.Context, q *queue.Queue) (string, error) {
	client, ok := q.RedisOption().MakeRedisClient().(redis.UniversalClient)
	if !ok {
		return "", fmt.Errorf("no client for %T", q.RedisOption())
	}
	text, err := client.Info(ctx).Result()
	var refused redis.Error
	if errors.As(err, &refused) {
		text, err = "", nil
	}
	return text, errors.Join(err, client.Close())
}

// redisInfo reads the answer of INFO.
func redisInfo(text string) map[string]string {
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if name, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && !strings.HasPrefix(name, "#") {
			info[name] = v
		}
	}
	return info
}

func redisFindings(info map[string]string, took time.Duration) []connectors.Finding {
	version := info["redis_version"]
	f := connectors.Found("server", "Redis %s answers in %s", version, took.Round(time.Microsecond))
	if older(version, 6, 2) {
		f.Level, f.Advice = connectors.Fail, "Redis 6.2 or later is needed."
	}
	found := []connectors.Finding{f}
	if policy := info["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		found = append(found, connectors.Warned("eviction", "Set maxmemory-policy to noeviction, or give the queue a Redis of its own.",
			"under pressure Redis drops keys (%s); what it drops of the queue is worked with a delay", policy))
	} else {
		found = append(found, connectors.Found("eviction", "it drops nothing by itself"))
	}
	used, limit := number(info["used_memory"]), number(info["maxmemory"])
	if limit > 0 && used > limit/10*8 {
		found = append(found, connectors.Warned("memory", "Raise maxmemory.", "%d of %d MB are used", used>>20, limit>>20))
	}
	kept := "it keeps nothing over a restart, and the store rings again what was lost"
	if info["aof_enabled"] == "1" {
		kept = "it keeps an append-only file"
	} else if number(info["rdb_last_save_time"]) > 0 && info["rdb_saves"] != "0" {
		kept = "it keeps snapshots"
	}
	return append(found, connectors.Found("persistence", "%s", kept))
}

func older(version string, major, minor int64) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	has, and := number(parts[0]), number(parts[1])
	return has < major || has == major && and < minor
}

// number reads a whole number, 0 when there is none.
func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
