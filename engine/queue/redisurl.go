package queue

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// ParseRedisURL reads the address of a Redis installation:
//
//	redis://[user:password@]host[:6379][/DB]           one server
//	rediss://…                                         the same over TLS
//	unix:///path/redis.sock[?db=DB]                    a socket
//	redis-sentinel://[user:password@]host[:26379],…[/DB]?master=NAME
//	                    [&sentinel_user=…&sentinel_password=…]
//	redis-cluster://[user:password@]host[:6379],…      a cluster
//	rediss-cluster://…, rediss-sentinel://…            the same over TLS
//
// One server is tested with every change, in plain and in the embedded form.
// TLS, Sentinel and Cluster are read here and left to asynq and go-redis; they
// are not tested against running installations.
func ParseRedisURL(text string) (asynq.RedisConnOpt, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return nil, badURL("it has no scheme such as redis://")
	}
	switch scheme {
	case "redis", "rediss", "unix":
		return parseSingle(text)
	case "redis-sentinel", "rediss-sentinel", "redis-cluster", "rediss-cluster":
		return parseMany(scheme, rest)
	}
	return nil, badURL("the scheme %s:// is none of redis, rediss, unix, redis-sentinel, redis-cluster", scheme)
}

// badURL never repeats the URL, for it may hold a password.
func badURL(format string, args ...any) error {
	return fmt.Errorf("reading the Redis URL: "+format, args...)
}

func parseSingle(text string) (asynq.RedisConnOpt, error) {
	o, err := redis.ParseURL(text)
	if err != nil {
		var parseError *url.Error
		if errors.As(err, &parseError) {
			err = parseError.Err
		}
		return nil, badURL("%w", err)
	}
	return asynq.RedisClientOpt{
		Network: o.Network, Addr: o.Addr, Username: o.Username, Password: o.Password, DB: o.DB,
		DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
		PoolSize: o.PoolSize, TLSConfig: o.TLSConfig,
	}, nil
}

// parseMany reads a URL with several hosts, which net/url does not.
func parseMany(scheme, rest string) (asynq.RedisConnOpt, error) {
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	login, hosts := "", authority
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		login, hosts = authority[:i+1], authority[i+1:]
	}
	u, err := url.Parse("redis://" + login + "host" + tail)
	if err != nil {
		return nil, badURL("login, path or query cannot be read")
	}
	password, _ := u.User.Password()
	user := u.User.Username()
	sentinel := strings.HasSuffix(scheme, "sentinel")
	port := "6379"
	if sentinel {
		port = "26379"
	}
	var addresses []string
	for host := range strings.SplitSeq(hosts, ",") {
		if host == "" {
			return nil, badURL("a host is empty")
		}
		if _, _, err := net.SplitHostPort(host); err != nil {
			host = net.JoinHostPort(strings.Trim(host, "[]"), port)
		}
		addresses = append(addresses, host)
	}
	var tlsConfig *tls.Config
	if strings.HasPrefix(scheme, "rediss") {
		tlsConfig = &tls.Config{MinVersion: tls.VersionTLS12} // the name is taken from each address
	}
	db := 0
	if path := strings.Trim(u.Path, "/"); path != "" {
		if db, err = strconv.Atoi(path); err != nil {
			return nil, badURL("the database %q is no number", path)
		}
	}
	if sentinel {
		master := u.Query().Get("master")
		if master == "" {
			return nil, badURL("a Sentinel URL needs ?master=NAME")
		}
		return asynq.RedisFailoverClientOpt{
			MasterName: master, SentinelAddrs: addresses,
			SentinelUsername: u.Query().Get("sentinel_user"), SentinelPassword: u.Query().Get("sentinel_password"),
			Username: user, Password: password, DB: db, TLSConfig: tlsConfig,
		}, nil
	}
	if db != 0 {
		return nil, badURL("a cluster has only database 0")
	}
	return asynq.RedisClusterClientOpt{Addrs: addresses, Username: user, Password: password, TLSConfig: tlsConfig}, nil
}
