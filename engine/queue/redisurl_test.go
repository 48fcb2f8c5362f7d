package queue_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/hibiken/asynq"

	"github.com/flowctl/flowctl/engine/queue"
)

func TestParseRedisURL(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]asynq.RedisConnOpt{
		"redis://localhost":                     asynq.RedisClientOpt{Network: "tcp", Addr: "localhost:6379"},
		"redis://user:p%40ss@host:7000/3":       asynq.RedisClientOpt{Network: "tcp", Addr: "host:7000", Username: "user", Password: "p@ss", DB: 3},
		"redis://:pass@[::1]:6380":              asynq.RedisClientOpt{Network: "tcp", Addr: "[::1]:6380", Password: "pass"},
		"unix:///run/redis.sock?db=2":           asynq.RedisClientOpt{Network: "unix", Addr: "/run/redis.sock", DB: 2},
		"redis-cluster://a,b:7001,[::1]":        asynq.RedisClusterClientOpt{Addrs: []string{"a:6379", "b:7001", "[::1]:6379"}},
		"redis-cluster://u:p@a":                 asynq.RedisClusterClientOpt{Addrs: []string{"a:6379"}, Username: "u", Password: "p"},
		"redis-sentinel://a,b:5000/2?master=my": asynq.RedisFailoverClientOpt{MasterName: "my", SentinelAddrs: []string{"a:26379", "b:5000"}, DB: 2},
		"redis-sentinel://u:p@a?master=my&sentinel_user=s&sentinel_password=t": asynq.RedisFailoverClientOpt{
			MasterName: "my", SentinelAddrs: []string{"a:26379"}, Username: "u", Password: "p", SentinelUsername: "s", SentinelPassword: "t",
		},
	} {
		got, err := queue.ParseRedisURL(url)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\ngot  %+v, %v\nwant %+v", url, got, err, want)
		}
	}
	for _, url := range []string{"rediss://host", "rediss-cluster://a,b", "rediss-sentinel://a?master=m"} {
		got, err := queue.ParseRedisURL(url)
		if err != nil || reflect.ValueOf(got).FieldByName("TLSConfig").IsNil() {
			t.Errorf("%s: got %+v, %v; want TLS", url, got, err)
		}
	}
}

func TestParseRedisURLSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"localhost:6379":                         "no scheme",
		"http://u:secret@host":                   "none of redis",
		"redis://u:secret@host:port":             "reading",
		"redis://u:secret@host/db":               "reading",
		"redis-sentinel://u:secret@a,b":          "master",
		"redis-sentinel://u:secret@a,?master":    "a host is empty",
		"redis-sentinel://u:secret@a/x?master=m": "no number",
		"redis-cluster://u:secret@a/1":           "database 0",
		"redis-cluster://u:%zz@a":                "cannot be read",
	} {
		_, err := queue.ParseRedisURL(url)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", url, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the password is in %q", err)
		}
	}
}
