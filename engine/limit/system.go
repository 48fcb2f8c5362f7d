package limit

import (
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"
)

const (
	// After tripAfter failures in a row a system is left alone for rest; then one
	// request finds out whether it is back.
	tripAfter = 10
	rest      = 10 * time.Second
)

// system is what this process knows of one system under one account.
type system struct {
	key, origin string
	rest        time.Duration
	breaker     *gobreaker.CircuitBreaker[*http.Response]

	mu          sync.Mutex
	pausedUntil time.Time
	opened      time.Time // when the breaker last opened
	failure     string    // the last one
	tokens      *rate.Limiter
	tokensFor   Rate
}

func newSystem(key, origin string, rest time.Duration, log *slog.Logger) *system {
	s := &system{key: key, origin: origin, rest: rest}
	s.breaker = gobreaker.NewCircuitBreaker[*http.Response](gobreaker.Settings{
		Name: origin, MaxRequests: 1, Timeout: rest,
		ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= tripAfter },
		IsExcluded:  func(err error) bool { return errors.Is(err, errUndecided) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			switch to {
			case gobreaker.StateOpen:
				s.mu.Lock()
				s.opened = time.Now()
				failure := s.failure
				s.mu.Unlock()
				if from == gobreaker.StateClosed {
					log.Warn("a system is down; it is left alone and asked now and then", "system", origin, "error", failure)
				}
			case gobreaker.StateClosed:
				log.Info("a system is back", "system", origin)
			}
		},
	})
	return s
}

// paused is how long the system is still to be left alone, as this process knows.
func (s *system) paused() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(0, time.Until(s.pausedUntil))
}

// pause leaves the system alone; a shorter pause ends no longer one.
func (s *system) pause(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if until := time.Now().Add(d); until.After(s.pausedUntil) {
		s.pausedUntil = until
	}
}

// failed remembers what went wrong last.
func (s *system) failed(what string) {
	s.mu.Lock()
	s.failure = what
	s.mu.Unlock()
}

// resting is how long the breaker stays open, and why.
func (s *system) resting() (time.Duration, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(time.Second, time.Until(s.opened.Add(s.rest))), s.failure
}

// take takes this process's own token and says how long to wait for it.
func (s *system) take(r Rate) *rate.Reservation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens == nil || s.tokensFor != r {
		s.tokens, s.tokensFor = rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst), r
	}
	return s.tokens.Reserve()
}
