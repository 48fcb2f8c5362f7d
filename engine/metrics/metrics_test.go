package metrics

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/store"
)

// scrape is what Prometheus reads.
func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("a scrape gets %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func wantLines(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("there is no line %s", line)
		}
	}
}

func TestWhatHappensIsCounted(t *testing.T) {
	t.Parallel()
	m := New("v1", func(event string) bool { return event == "shop.order.created" })
	due := time.Now()
	run := store.Run{Instance: "main", Flow: "import", DueAt: due, UpdatedAt: due.Add(2 * time.Second)}
	m.Run(run, store.Outcome{State: store.Succeeded}, 30*time.Millisecond)
	m.Run(run, store.Outcome{State: store.Waiting}, time.Millisecond)
	m.Event("main", "webhook", "shop.order.created")
	m.Event("main", "webhook", "shop.<script>") // whatever a sender calls it
	m.Event("main", "webhook", "")
	m.Call("main", "shop", "orders.get", nil, time.Second)
	m.Call("main", "shop", "orders.get", connectors.Errorf(connectors.Transient, connectors.CodeRateLimited, "too many"), time.Second)
	m.Call("main", "shop", "orders.get", connectors.Errorf(connectors.Unclear, "strange_code_of_a_plugin", "anna@example.com"), time.Second)
	m.Call("main", "shop", "orders.get", errors.New("broken"), time.Second)
	m.Limited("shop", 50*time.Millisecond)
	text := scrape(t, m)
	wantLines(t, text,
		`flowctl_runs_total{flow="import",instance="main",outcome="succeeded"} 1`,
		`flowctl_runs_total{flow="import",instance="main",outcome="handed_back"} 1`,
		`flowctl_run_duration_seconds_bucket{flow="import",outcome="succeeded",le="0.05"} 1`,
		`flowctl_run_wait_seconds_sum{instance="main"} 4`,
		`flowctl_events_accepted_total{event="shop.order.created",instance="main",source="webhook"} 1`,
		`flowctl_events_accepted_total{event="other",instance="main",source="webhook"} 2`,
		`flowctl_calls_total{connection="shop",instance="main",operation="orders.get",outcome="ok"} 1`,
		`flowctl_calls_total{connection="shop",instance="main",operation="orders.get",outcome="rate_limited"} 1`,
		`flowctl_calls_total{connection="shop",instance="main",operation="orders.get",outcome="unclear"} 1`,
		`flowctl_calls_total{connection="shop",instance="main",operation="orders.get",outcome="permanent"} 1`,
		`flowctl_call_duration_seconds_count{connection="shop",operation="orders.get"} 4`,
		`flowctl_limiter_wait_seconds_count{connection="shop"} 1`,
		`flowctl_build_info{version="v1"} 1`,
	)
	for _, never := range []string{"<script>", "strange_code", "anna@example.com"} {
		if strings.Contains(text, never) {
			t.Errorf("%q became a label", never)
		}
	}
}

func TestNoMetricsCountNothing(t *testing.T) {
	t.Parallel()
	var m *Metrics
	m.Run(store.Run{}, store.Outcome{}, 0)
	m.Event("", "", "")
	m.Call("", "", "", nil, 0)
	m.Limited("", 0)
}

// brokenStore cannot be asked while it is broken.
type brokenStore struct {
	store.Store
	broken bool
}

func (s *brokenStore) Instances(ctx context.Context) ([]store.Instance, error) {
	if s.broken {
		return nil, store.ErrUnavailable
	}
	return s.Store.Instances(ctx)
}

func TestHowInstancesStand(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	opened, err := store.Open(ctx, "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(opened.AddInstance(ctx, "second", "Second"))
	must(opened.SetInstance(ctx, "second", "Second", store.InstancePaused))
	_, err = opened.Accept(ctx, store.Arrival{Event: store.Event{Instance: "second"}, Starts: []store.Start{{Flow: "f", Key: "k"}}})
	must(err)
	st := &brokenStore{Store: opened}
	m := New("v1", func(string) bool { return true })
	must(m.Register(&Stands{Store: st, Log: slog.New(slog.DiscardHandler), Feeds: func(_ context.Context, instance string) ([]Feed, error) {
		if instance == "main" {
			return nil, errors.New("its settings cannot be read")
		}
		return []Feed{{Name: "orders", LastSuccess: time.Now().Add(-time.Hour), Failing: true}, {Name: "new"}}, nil
	}}))
	text := scrape(t, m)
	wantLines(t, text,
		`flowctl_runs{instance="main",state="waiting"} 0`,
		`flowctl_runs{instance="second",state="waiting"} 1`,
		`flowctl_instance_paused{instance="main"} 0`,
		`flowctl_instance_paused{instance="second"} 1`,
		`flowctl_feed_failing{feed="orders",instance="second"} 1`,
		`flowctl_feed_failing{feed="new",instance="second"} 0`,
		`flowctl_store_up 1`,
	)
	if !strings.Contains(text, `flowctl_feed_lag_seconds{feed="orders",instance="second"} 36`) || strings.Contains(text, `lag_seconds{feed="new"`) {
		t.Error("the lag of the feeds is wrong")
	}
	st.broken = true
	if text := scrape(t, m); !strings.Contains(text, "flowctl_store_up 0\n") || !strings.Contains(text, "flowctl_build_info") {
		t.Error("a store that is away is not told")
	}
}

func TestWaitsAreMeasured(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(20 * time.Millisecond) }))
	t.Cleanup(server.Close)
	const held = 30 * time.Millisecond
	var waited []time.Duration
	slow := func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) { time.Sleep(held); return next.RoundTrip(r) })
	}
	client := &http.Client{Transport: Waits(slow, func(d time.Duration) { waited = append(waited, d) })(nil)}
	response, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	client.CloseIdleConnections()
	if len(waited) != 1 || waited[0] < held {
		t.Errorf("the waits are %v", waited)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
