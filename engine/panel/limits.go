package panel

import (
	"maps"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Who tries passwords is slowed down: by the account from one address, by the
// account from everywhere, and by the address. The second is generous: otherwise
// a stranger could keep the owner out.
const (
	triesTogether = 5
	triesAccount  = 30
	triesAddress  = 20
	triesRefill   = time.Minute
	// maxTracked bounds what is remembered.
	maxTracked = 10_000
	// maxHashing bounds the passwords compared at once: each takes a core for a
	// quarter of a second.
	maxHashing = 4
)

// loginLimits remembers who tried to log in.
type loginLimits struct {
	now     func() time.Time
	hashing chan struct{}

	mu    sync.Mutex
	tries map[string]*rate.Limiter
}

func newLoginLimits(now func() time.Time) *loginLimits {
	return &loginLimits{now: now, hashing: make(chan struct{}, maxHashing), tries: map[string]*rate.Limiter{}}
}

// allow tells whether another try is allowed, and counts it.
func (l *loginLimits) allow(account, remote string) bool {
	address := network(remote)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.forget(now)
	ok := true
	for _, key := range []struct {
		name  string
		burst int
	}{{"both " + account + " " + address, triesTogether}, {"account " + account, triesAccount}, {"address " + address, triesAddress}} {
		limiter := l.tries[key.name]
		if limiter == nil {
			limiter = rate.NewLimiter(rate.Every(triesRefill), key.burst)
			l.tries[key.name] = limiter
		}
		ok = limiter.AllowN(now, 1) && ok
	}
	return ok
}

// succeeded forgets the failed tries of an account from an address.
func (l *loginLimits) succeeded(account, remote string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.tries, "both "+account+" "+network(remote))
	delete(l.tries, "account "+account)
}

// forget drops those who have all their tries again, when there are many.
func (l *loginLimits) forget(now time.Time) {
	if len(l.tries) < maxTracked {
		return
	}
	for key, limiter := range l.tries {
		if limiter.TokensAt(now) >= float64(limiter.Burst()) {
			delete(l.tries, key)
		}
	}
	// Still too many: somebody sends from everywhere. What is known of accounts
	// stays as long as it can, the addresses begin anew.
	if len(l.tries) >= maxTracked {
		maps.DeleteFunc(l.tries, func(key string, _ *rate.Limiter) bool { return !strings.HasPrefix(key, "account ") })
	}
	if len(l.tries) >= maxTracked {
		clear(l.tries)
	}
}

// network is the address that is counted: of IPv6 the /64 that one customer has.
func network(remote string) string {
	addr, err := netip.ParseAddrPort(remote)
	if err != nil {
		return remote
	}
	ip := addr.Addr().Unmap()
	if ip.Is6() {
		if prefix, err := ip.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return ip.String()
}
