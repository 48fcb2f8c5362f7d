package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	hookshot = "WooCommerce/" + shopVersion + " Hookshot (WordPress/6.9)"
	// deliveryTimeout and pingTimeout are the shop's (woo/564).
	deliveryTimeout = 60 * time.Second
	pingTimeout     = 5 * time.Second
	// maxFailures: the delivery that fails after so many failures disables.
	maxFailures = 5
)

// Attempt is a delivery or a ping that was sent.
type Attempt struct {
	Webhook int64
	Topic   string // "" of a ping
	Body    []byte
	Status  int    // 0 without an answer
	Err     string // why there was none
	At      time.Time
}

// deliverer sends webhooks one after the other, as the shop's queue does: one
// receiver that hangs holds up all (woo/564).
type deliverer struct {
	shop   *Shop
	client *http.Client // for deliveries; no redirects
	pinger *http.Client // follows redirects (woo/563)

	mu      sync.Mutex
	queue   []pending
	sealed  int // entries before it are not folded into
	paused  bool
	busy    bool
	started bool
	closed  bool
	ended   chan struct{} // closed when the runner is gone
	changed chan struct{} // closed at every change of the above
	ctx     context.Context
	cancel  context.CancelFunc
	log     []Attempt
}

type pending struct{ webhook, arg int64 }

func newDeliverer(s *Shop, client *http.Client) *deliverer {
	if client == nil {
		client = &http.Client{}
	}
	direct, pinger := *client, *client
	direct.Timeout, pinger.Timeout = deliveryTimeout, pingTimeout
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	d := &deliverer{shop: s, client: &direct, pinger: &pinger, changed: make(chan struct{}), ended: make(chan struct{})}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// enqueue adds a delivery unless the same is waiting: three changes before the
// queue runs make one delivery (woo/539).
func (d *deliverer) enqueue(webhook, arg int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	entry := pending{webhook, arg}
	if d.closed || slices.Contains(d.queue[min(d.sealed, len(d.queue)):], entry) {
		return
	}
	d.queue = append(d.queue, entry)
	if !d.started {
		d.started = true
		go d.work()
	}
	d.notify()
}

// seal keeps what is waiting from being folded with what comes.
func (d *deliverer) seal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sealed = len(d.queue)
}

func (d *deliverer) notify() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// work is the queue's runner. It ends with close.
func (d *deliverer) work() {
	defer close(d.ended)
	for {
		d.mu.Lock()
		for !d.closed && (d.paused || len(d.queue) == 0) {
			changed := d.changed
			d.mu.Unlock()
			<-changed
			d.mu.Lock()
		}
		if d.closed {
			d.mu.Unlock()
			return
		}
		next := d.queue[0]
		d.queue = d.queue[1:]
		d.sealed = max(0, d.sealed-1)
		d.busy = true
		d.mu.Unlock()
		d.deliver(next)
		d.mu.Lock()
		d.busy = false
		d.notify()
		d.mu.Unlock()
	}
}

// close breaks off the delivery under way and waits for the runner to end.
func (d *deliverer) close() {
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		d.cancel()
		d.notify()
	}
	running := d.started
	d.mu.Unlock()
	if running {
		<-d.ended
	}
}

// Drain waits until all deliveries are sent, or ctx ends.
func (s *Shop) Drain(ctx context.Context) error {
	d := s.deliver
	for {
		d.mu.Lock()
		idle, changed := len(d.queue) == 0 && !d.busy || d.closed, d.changed
		d.mu.Unlock()
		if idle {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// PauseWebhooks keeps deliveries waiting, as when the shop's queue does not run.
func (s *Shop) PauseWebhooks() { s.deliver.pause(true) }

// ResumeWebhooks lets them go.
func (s *Shop) ResumeWebhooks() { s.deliver.pause(false) }

func (d *deliverer) pause(paused bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.paused = paused
	d.notify()
}

// Deliveries returns what was sent, pings included, oldest first. The log keeps
// the newest 5,000 at least.
func (s *Shop) Deliveries() []Attempt {
	s.deliver.mu.Lock()
	defer s.deliver.mu.Unlock()
	return slices.Clone(s.deliver.log)
}

// deliver sends one delivery and counts how it went.
func (d *deliverer) deliver(next pending) {
	s := d.shop
	s.mu.Lock()
	w, ok := s.webhooks[next.webhook]
	if !ok || w.status != "active" {
		s.mu.Unlock()
		return
	}
	body, err := s.payload(w, next.arg)
	at := s.now()
	topic, resource, event, address, secret, source := w.topic, w.resource(), w.event(), w.url, w.secret, s.internalCall().home+"/"
	s.mu.Unlock()
	if err != nil {
		d.record(Attempt{Webhook: next.webhook, Topic: topic, Err: err.Error(), At: at.UTC()})
		return
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	// One id a webhook and second: not a key (woo/555).
	id := md5.Sum(fmt.Appendf(nil, "%d|%d", next.webhook, at.Unix()))
	status, failed := d.send(d.client, address, body, map[string]string{
		"Content-Type":             "application/json",
		"X-WC-Webhook-Source":      source,
		"X-WC-Webhook-Topic":       topic,
		"X-WC-Webhook-Resource":    resource,
		"X-WC-Webhook-Event":       event,
		"X-WC-Webhook-Signature":   base64.StdEncoding.EncodeToString(mac.Sum(nil)),
		"X-WC-Webhook-ID":          strconv.FormatInt(next.webhook, 10),
		"X-WC-Webhook-Delivery-ID": hex.EncodeToString(id[:]),
	})
	d.record(Attempt{Webhook: next.webhook, Topic: topic, Body: body, Status: status, Err: failed, At: at.UTC()})
	if s.counted(next.webhook, status) {
		d.ping(next.webhook)
	}
}

// counted keeps the count of failures and tells whether the webhook is to be
// pinged again. 200 to 302 are success; the seventh failure in a row disables
// (woo/559, 562, 563).
func (s *Shop) counted(id int64, status int) (pingAgain bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok := s.webhooks[id]
	if !ok {
		return false
	}
	switch {
	case status >= 200 && status < 300 || status == http.StatusMovedPermanently || status == http.StatusFound:
		w.failures = 0
	case w.failures > maxFailures:
		w.status = "disabled"
	default:
		w.failures++
	}
	w.modified = s.clock()
	return w.pending && w.status == "active"
}

// ping tests a webhook's URL: a form, unsigned, to be answered with exactly 200
// (woo/502).
func (d *deliverer) ping(id int64) {
	s := d.shop
	s.mu.Lock()
	w, ok := s.webhooks[id]
	if !ok {
		s.mu.Unlock()
		return
	}
	address := w.url
	s.mu.Unlock()
	body := []byte("webhook_id=" + strconv.FormatInt(id, 10))
	status, failed := d.send(d.pinger, address, body, map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
	d.record(Attempt{Webhook: id, Body: body, Status: status, Err: failed, At: s.now().UTC()})
	s.mu.Lock()
	defer s.mu.Unlock()
	if w, ok := s.webhooks[id]; ok {
		w.pending = status != http.StatusOK
		w.modified = s.clock()
	}
}

func (d *deliverer) send(client *http.Client, address string, body []byte, header map[string]string) (int, string) {
	request, err := http.NewRequestWithContext(d.ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	request.Header.Set("User-Agent", hookshot)
	request.Header.Set("Accept", "*/*")
	request.Close = true // as recorded
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20)); err != nil && !strings.Contains(err.Error(), "EOF") {
		return response.StatusCode, err.Error()
	}
	return response.StatusCode, ""
}

func (d *deliverer) record(a Attempt) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log = append(d.log, a)
	if len(d.log) > 2*maxLog {
		d.log = slices.Clone(d.log[maxLog:])
	}
}
