package doctor

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/connectors"
)

func TestRedisFindings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		info  string
		level connectors.Level
		check string
		words string
	}{
		"new enough":       {"redis_version:6.2.14", connectors.OK, "server", "6.2.14"},
		"much newer":       {"redis_version:8.0", connectors.OK, "server", "8.0"},
		"too old":          {"redis_version:6.0.16", connectors.Fail, "server", "6.2 or later"},
		"drops keys":       {"maxmemory_policy:allkeys-lru", connectors.Warn, "eviction", "noeviction"},
		"drops nothing":    {"maxmemory_policy:noeviction", connectors.OK, "eviction", "nothing"},
		"nearly full":      {"used_memory:90000000\r\nmaxmemory:100000000", connectors.Warn, "memory", "85 of 95 MB"},
		"an append file":   {"aof_enabled:1", connectors.OK, "persistence", "append-only"},
		"nothing is kept":  {"aof_enabled:0\r\nrdb_last_save_time:1700000000\r\nrdb_saves:0", connectors.OK, "persistence", "rings again"},
		"snapshots":        {"# Persistence\r\naof_enabled:0\r\nrdb_last_save_time:1700000000\r\nrdb_saves:3", connectors.OK, "persistence", "snapshots"},
		"no words at all":  {"", connectors.OK, "server", "answers in 2ms"},
		"an odd version":   {"redis_version:dragonfly", connectors.OK, "server", "dragonfly"},
		"no bound is fine": {"used_memory:90000000\r\nmaxmemory:0", connectors.OK, "eviction", "nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := redisFindings(redisInfo(test.info), 2*time.Millisecond)
			if !slices.ContainsFunc(found, func(f connectors.Finding) bool {
				return f.Check == test.check && f.Level == test.level && strings.Contains(f.Message+" "+f.Advice, test.words)
			}) {
				t.Errorf("no %s of %q about %q in %+v", test.level, test.check, test.words, found)
			}
		})
	}
}
