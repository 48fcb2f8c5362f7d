package limit

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/flowctl/flowctl/connectors"
)

// shop is a system that counts what it is asked.
type shop struct {
	*httptest.Server
	asked  atomic.Int64
	answer atomic.Pointer[http.HandlerFunc]
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{}
	s.answers(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		(*s.answer.Load())(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *shop) answers(with http.HandlerFunc) { s.answer.Store(&with) }

func (s *shop) answersStatus(status int, retryAfter string) {
	s.answers(func(w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
	})
}

// processes are clients of processes that share a Redis server; server is nil for
// processes that share nothing.
func processes(t *testing.T, n int, server *miniredis.Miniredis, login string, rate Rate) ([]*http.Client, []*Limiter) {
	t.Helper()
	var clients []*http.Client
	var limiters []*Limiter
	for range n {
		var shared redis.UniversalClient
		if server != nil {
			client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, DialTimeout: 100 * time.Millisecond})
			t.Cleanup(func() { _ = client.Close() })
			shared = client
		}
		l := New(shared, slog.New(slog.DiscardHandler))
		limiters = append(limiters, l)
		clients = append(clients, &http.Client{Transport: l.Transport(login, rate, nil)})
	}
	return clients, limiters
}

func get(t *testing.T, client *http.Client, url string) (status int, refused *connectors.Error) {
	t.Helper()
	response, err := client.Get(url)
	if refused, ok := connectors.NotSent(err); ok {
		return 0, refused
	}
	if err != nil {
		return 0, nil
	}
	defer response.Body.Close()
	return response.StatusCode, nil
}

// A shop that asks to be left alone is left alone, by every worker of every
// process, until its time is over; another account of it is not.
func TestRetryAfterIsObeyedByAll(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	server.ClockTTL(true)
	s := newShop(t)
	clients, _ := processes(t, 2, server, "a", Rate{})
	others, _ := processes(t, 1, server, "b", Rate{})
	s.answersStatus(http.StatusTooManyRequests, "3")
	if status, _ := get(t, clients[0], s.URL); status != http.StatusTooManyRequests {
		t.Fatalf("got %d", status)
	}
	began := time.Now()
	s.answersStatus(http.StatusOK, "")
	if status, _ := get(t, others[0], s.URL); status != http.StatusOK {
		t.Errorf("another account got %d", status)
	}
	before := s.asked.Load()
	var forbidden, refusals, served atomic.Int64
	var workers sync.WaitGroup
	for _, client := range clients {
		for range 4 {
			workers.Go(func() {
				for deadline := began.Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
					status, refused := get(t, client, s.URL)
					switch early := time.Since(began) < 3*time.Second-100*time.Millisecond; {
					case refused != nil:
						refusals.Add(1)
						if refused.Class != connectors.Transient || refused.Code != connectors.CodeRateLimited || refused.RetryAfter <= 0 || refused.RetryAfter > 4*time.Second {
							t.Errorf("refused as %+v", refused)
						}
					case early:
						forbidden.Add(1)
					case status == http.StatusOK:
						served.Add(1)
						return
					}
				}
			})
		}
	}
	workers.Wait()
	t.Logf("calls in the forbidden time: %d; %d times a worker was sent back, then %d were served", forbidden.Load(), refusals.Load(), served.Load())
	if forbidden.Load() != 0 || served.Load() != 8 || refusals.Load() == 0 || s.asked.Load()-before != 8 {
		t.Errorf("it was asked %d times, %d of them too early", s.asked.Load()-before, forbidden.Load())
	}
}

// The rate is one for all processes, and each process' own while Redis is away.
func TestRate(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	server.ClockTTL(true)
	rate := Rate{PerSecond: 50, Burst: 5}
	hammer := func(t *testing.T, clients []*http.Client, s *shop) float64 {
		before := s.asked.Load()
		began := time.Now()
		stop := began.Add(time.Second)
		var workers sync.WaitGroup
		for _, client := range clients {
			for range 4 {
				workers.Go(func() {
					for time.Now().Before(stop) {
						get(t, client, s.URL)
					}
				})
			}
		}
		workers.Wait()
		return (float64(s.asked.Load()-before) - float64(rate.Burst)) / time.Since(began).Seconds()
	}
	s := newShop(t)
	clients, _ := processes(t, 2, server, "a", rate)
	if got := hammer(t, clients, s); got > 55 || got < 20 {
		t.Errorf("two processes sent %.0f a second, of 50", got)
	}
	server.Close()
	if got := hammer(t, clients[:1], s); got > 60 {
		t.Errorf("without Redis a process sent %.0f a second, of 50", got)
	}
}

// What is down is left alone, and asked once in a while.
func TestBreaker(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	clients, limiters := processes(t, 1, nil, "a", Rate{})
	limiters[0].rest = 200 * time.Millisecond
	s.answersStatus(http.StatusBadGateway, "")
	var refused *connectors.Error
	for range 3 * tripAfter {
		if _, refused = get(t, clients[0], s.URL); refused != nil {
			break
		}
	}
	if n := s.asked.Load(); n != tripAfter || refused == nil || refused.Class != connectors.Transient || refused.Code != connectors.CodeUnreachable || !strings.Contains(refused.Message, "502") {
		t.Fatalf("it was asked %d times, then %v", n, refused)
	}
	s.answersStatus(http.StatusOK, "")
	deadline := time.Now().Add(time.Minute)
	for status := 0; status != http.StatusOK; status, _ = get(t, clients[0], s.URL) {
		if time.Now().After(deadline) {
			t.Fatal("it is never asked again")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Errors of the shop itself, and our own hanging up, say nothing about its health.
func TestWhatTheBreakerDoesNotCount(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"bad request": 400, "not found": 404, "a mistake of its own": 500, "too much": 429} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			clients, _ := processes(t, 1, nil, "a", Rate{})
			s.answersStatus(status, "0")
			for range 2 * tripAfter {
				_, refused := get(t, clients[0], s.URL)
				if refused != nil && refused.Code != connectors.CodeRateLimited {
					t.Fatalf("refused: %v", refused)
				}
			}
		})
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		host    string
		given   Rate
		want    Rate
		limited bool
	}{
		{"127.0.0.1", Rate{}, Rate{}, false},
		{"localhost", Rate{PerSecond: 5}, Rate{5, 10}, true},
		{"shop.example", Rate{}, Rate{50, 100}, true},
		{"shop.example", Rate{PerSecond: 0.2}, Rate{0.2, 1}, true},
	} {
		if got, limited := c.given.of(c.host); got != c.want || limited != c.limited {
			t.Errorf("%s with %+v: %+v, %v", c.host, c.given, got, limited)
		}
	}
}

func TestRetryAfterHeader(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, "30": 30 * time.Second, " 7 ": 7 * time.Second, "-5": 0, "soon": 0,
		time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat): 0,
	} {
		if got := retryAfter(header); got != want {
			t.Errorf("%q: %s", header, got)
		}
	}
	if got := retryAfter(time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)); got < 59*time.Minute || got > time.Hour {
		t.Errorf("a date: %s", got)
	}
}
