//go:build linux

package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
)

// courier stands between the shop's webhooks and the processes. It takes every
// delivery at once and brings it as badly as the internet can: tripled, late, out
// of order, each copy to another process. What got no 2xx is brought again later;
// what did is never brought again on purpose.
type courier struct {
	w      *world
	server *http.Server
	url    string
	client *http.Client
	ctx    context.Context
	cancel context.CancelFunc
	road   chan struct{} // bounds the posts under way

	deliveries, posts, refused atomic.Int64
	open                       sync.WaitGroup

	mu       sync.Mutex
	seen     map[string]int  // deliveries by topic and order
	accepted map[int64]int64 // order by event, of every 2xx
}

// delivery is one webhook as the shop sent it.
type delivery struct {
	header http.Header
	body   []byte
	order  int64
	topic  string
	count  int // of this topic and order
}

// startCourier subscribes a courier to the shop's webhooks.
func startCourier(w *world) *courier {
	w.t.Helper()
	c := &courier{w: w, client: &http.Client{Timeout: 20 * time.Second}, road: make(chan struct{}, 16),
		seen: map[string]int{}, accepted: map[int64]int64{}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	c.url = "http://" + listener.Addr().String()
	c.server = &http.Server{Handler: c, ReadHeaderTimeout: 10 * time.Second}
	go c.server.Serve(listener) // ends with Close
	w.t.Cleanup(func() {
		c.cancel()
		closed(w.t, c.server.Close())
		c.open.Wait()
	})
	for _, topic := range []string{"order.created", "order.updated"} {
		w.shop.Subscribe(shopsandbox.Webhook{Topic: topic, URL: c.url, Secret: webhookSecret})
	}
	return c
}

// ServeHTTP takes a delivery from the shop.
func (c *courier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
	if err != nil {
		c.w.t.Error("reading the shop's delivery:", err)
		return
	}
	topic := r.Header.Get("X-WC-Webhook-Topic")
	if topic == "" {
		return // a ping
	}
	var record struct {
		ID int64 `json:"id"`
	}
	if err := json.Unmarshal(body, &record); err != nil {
		c.w.t.Error("the shop's delivery:", err)
		return
	}
	c.mu.Lock()
	name := fmt.Sprint(topic, record.ID)
	c.seen[name]++
	d := delivery{header: r.Header.Clone(), body: body, order: record.ID, topic: topic, count: c.seen[name]}
	c.mu.Unlock()
	c.bring(d)
}

// bring plans the copies of a delivery. Every third order is announced only once,
// by one copy of order.created: one accepted event that is lost is then one order
// that is missing.
func (c *courier) bring(d delivery) {
	random := c.w.chance.of("delivery", d.topic, d.order, d.count)
	copies := 3
	if d.order%3 == 0 {
		copies = 1
		if d.topic != "order.created" {
			return
		}
	}
	c.deliveries.Add(1)
	for i := range copies {
		late := time.Duration(random.IntN(1500)) * time.Millisecond
		to := random.IntN(len(c.w.processes))
		c.open.Go(func() {
			// The first copy is brought until it is accepted; the others are the
			// doubles that a shop and its proxies send.
			for try := 0; ; try++ {
				if !c.wait(late) || c.post(d, c.w.processes[(to+try)%len(c.w.processes)]) || i > 0 {
					return
				}
				late = 200 * time.Millisecond
			}
		})
	}
}

func (c *courier) wait(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-c.ctx.Done():
		return false
	}
}

// post brings a copy and tells whether it was accepted.
func (c *courier) post(d delivery, to *process) bool {
	c.road <- struct{}{}
	defer func() { <-c.road }()
	request, err := http.NewRequestWithContext(c.ctx, http.MethodPost, to.hooks(), bytes.NewReader(d.body))
	if err != nil {
		c.w.t.Error(err)
		return true
	}
	request.Header = d.header.Clone()
	request.Close = true
	c.posts.Add(1)
	response, err := c.client.Do(request)
	if err != nil {
		c.refused.Add(1)
		return false
	}
	defer response.Body.Close()
	var answer struct {
		Event int64 `json:"event"`
		Runs  int   `json:"runs"`
	}
	decoded := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&answer)
	switch {
	case response.StatusCode >= 300:
		if response.StatusCode != http.StatusServiceUnavailable {
			c.w.t.Errorf("a delivery was answered %d", response.StatusCode)
		}
		c.refused.Add(1)
		return false
	case decoded != nil:
		// Killed between the status and the body: the sender saw a 2xx, so it counts.
		return true
	case answer.Runs == 0:
		c.w.t.Errorf("the delivery %s of order %d was accepted and started nothing", d.topic, d.order)
	}
	c.mu.Lock()
	c.accepted[answer.Event] = d.order
	c.mu.Unlock()
	return true
}

// settle waits until every delivery is accepted.
func (c *courier) settle(limit time.Duration) {
	c.w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := c.w.shop.Drain(ctx); err != nil {
		c.w.t.Fatal("the shop's webhooks:", err)
	}
	done := make(chan struct{})
	go func() {
		c.open.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		c.w.t.Fatalf("not within %v: every delivery is accepted", limit)
	}
}
