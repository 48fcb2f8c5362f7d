// Package limit keeps the requests to other systems polite, over all workers on
// all machines: not too many a second, none while a system asked to be left
// alone, and few while it is down. It counts real requests: it is what an HTTP
// client sends them by.
package limit

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Rate is how many requests a system gets.
type Rate struct {
	PerSecond float64 // 0 means the default for its address
	Burst     int     // at once, after a pause; 0 means twice a second's
}

const (
	// defaultPerSecond protects a system from a mistake of ours; what it really
	// bears, it says by Retry-After.
	defaultPerSecond = 50
)

// rateOf is the rate for an address. A system on this machine has none unless it
// is said.
func (r Rate) of(host string) (rate Rate, limited bool) {
	if r.PerSecond == 0 {
		switch {
		case isLocal(host):
			return r, false
		default:
			r.PerSecond = defaultPerSecond
		}
	}
	if r.Burst == 0 {
		r.Burst = max(1, int(2*r.PerSecond))
	}
	return r, true
}

func isLocal(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

// Limiter knows how much each system bears. It is safe for concurrent use.
type Limiter struct {
	shared *shared // nil without a Redis server
	log    *slog.Logger
	rest   time.Duration // the constant, but for tests

	mu      sync.Mutex
	systems map[string]*system
}

// New returns a limiter that shares what it knows through a Redis server, or
// keeps it to this process when client is nil. The caller closes the client.
func New(client redis.UniversalClient, log *slog.Logger) *Limiter {
	l := &Limiter{log: log, rest: rest, systems: map[string]*system{}}
	if client != nil {
		l.shared = newShared(client, log)
	}
	return l
}

// Transport sends requests politely by next; nil means http.DefaultTransport.
// login names the account that they use: shops that share one share its limit.
func (l *Limiter) Transport(login string, rate Rate, next http.RoundTripper) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return &transport{limiter: l, login: login, rate: rate, next: next}
}

// Account names an account by what it is known by, so that nobody reads it.
func Account(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:12])
}

// system is one system under one account.
func (l *Limiter) system(origin, login string) *system {
	key := Account(origin, login)
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.systems[key]
	if !ok {
		s = newSystem(key, origin, l.rest, l.log)
		l.systems[key] = s
	}
	return s
}

// longestPause bounds what a system may ask for: a wrong header must not stop the
// work for days.
const longestPause = time.Hour
