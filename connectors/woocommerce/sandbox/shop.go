// Package sandbox is a simulated WooCommerce shop that speaks the real
// protocol: the REST API v3 with its ways of authentication, its errors and its
// quirks, the shop's own money arithmetic, and webhooks.
//
// It is a small model of records and rules, not canned answers: what a client
// writes is what it reads back, and an order's totals come out as WooCommerce
// 9.9.5 computes them. Where a comment names "woo/357", the behaviour is that of
// recording 357.
package sandbox

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the shop's time zone must exist on every machine
)

// Options say what the shop is like. The zero value is a shop in Paris with
// prices in euros without tax, no products and one key (ck_sandbox, cs_sandbox).
type Options struct {
	// URL is the shop's address as WordPress knows it, for links, signatures and
	// webhook sources. Empty means the address that Start returned, and before
	// that the one a request was sent to.
	URL string
	// Settings of the shop; nil means DefaultSettings.
	Settings *Settings
	// Keys of the REST API; none means the one key above.
	Keys []Key
	// Now is the shop's clock; nil means the machine's.
	Now func() time.Time
	// Client delivers webhooks; nil means a client with WooCommerce's time-outs.
	Client *http.Client
	// Pictures downloads the pictures that products name by an address. nil means
	// that nothing is downloaded: any address is good.
	Pictures *http.Client
}

// Key is a key of the REST API.
type Key struct {
	Key, Secret string
	// Permission is read, write or read_write; empty means read_write.
	Permission string
}

// Shop is a simulated shop. All methods may be called concurrently.
type Shop struct {
	mu       sync.Mutex // guards everything below it
	settings Settings
	zone     *time.Location
	url      string
	keys     []Key
	nonces   map[string]int64 // OAuth nonce by key, with its timestamp
	now      func() time.Time
	random   *rand.Rand
	ids      counters

	products  map[int64]*product
	orders    map[int64]*order
	refunds   map[int64]*refund
	notes     map[int64]*note
	customers map[int64]*customer
	coupons   map[int64]*coupon
	rates     map[int64]*TaxRate
	webhooks  map[int64]*webhook
	// Terms by id: categories, tags, shipping classes and values of attributes.
	terms      map[int64]*term
	attributes map[int64]*attribute
	gallery    map[int64]Image     // the media library
	parcels    map[int64][]*parcel // by order, of the tracking plugins
	zones      map[int64]*zone
	options    map[string]string // settings that decide nothing here
	classNames map[string]string // of tax classes made by the API
	pictures   *http.Client
	pings      []int64 // webhooks to test after the request that made them

	traffic  traffic
	deliver  *deliverer
	server   *http.Server
	listener net.Listener
	closing  sync.Once
}

// counters are the last ids given, by the database table they come from.
// Products, orders, refunds and coupons share one table's ids, as in WordPress.
type counters struct {
	post, item, meta, comment, user, webhook, rate, term, attribute, zone, method int64
}

// New returns a shop with one administrator (customer id 1).
func New(o Options) *Shop {
	s := &Shop{
		settings: DefaultSettings(),
		url:      strings.TrimSuffix(o.URL, "/"),
		keys:     o.Keys,
		now:      o.Now,
		random:   rand.New(rand.NewPCG(9, 95)), // the same shop each time
		nonces:   map[string]int64{},
		products: map[int64]*product{}, orders: map[int64]*order{}, refunds: map[int64]*refund{},
		notes: map[int64]*note{}, customers: map[int64]*customer{}, coupons: map[int64]*coupon{},
		rates: map[int64]*TaxRate{}, webhooks: map[int64]*webhook{},
		terms: map[int64]*term{}, attributes: map[int64]*attribute{}, gallery: map[int64]Image{}, parcels: map[int64][]*parcel{}, options: map[string]string{}, classNames: map[string]string{}, pictures: o.Pictures,
	}
	if o.Settings != nil {
		s.settings = *o.Settings
	}
	if s.now == nil {
		s.now = time.Now
	}
	if len(s.keys) == 0 {
		s.keys = []Key{{Key: "ck_sandbox", Secret: "cs_sandbox"}}
	}
	s.zone = s.settings.location()
	s.deliver = newDeliverer(s, o.Client)
	s.defaultZones()
	s.ids.comment = 1 // WordPress's greeting
	s.newTerm(15, taxCategory, "Uncategorized")
	s.addUser("admin", "admin@example.test", "administrator")
	return s
}

// Start serves the shop on a loopback address such as "127.0.0.1:0" and returns
// its URL.
func (s *Shop) Start(addr string) (string, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("starting the simulated shop: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", fmt.Errorf("starting the simulated shop: %s is no loopback address", addr)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("starting the simulated shop: %w", err)
	}
	url := "http://" + listener.Addr().String()
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	s.mu.Lock()
	if s.url == "" {
		s.url = url
	}
	s.server, s.listener = server, listener
	s.mu.Unlock()
	go server.Serve(listener) // ends with Close
	return url, nil
}

// Close stops serving and delivering. It may be called twice.
func (s *Shop) Close() error {
	var err error
	s.closing.Do(func() {
		s.deliver.close()
		s.mu.Lock()
		server := s.server
		s.mu.Unlock()
		if server != nil {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if err = server.Shutdown(ctx); err != nil {
				err = server.Close()
			}
		}
	})
	return err
}

// AddKey adds a key of the REST API.
func (s *Shop) AddKey(k Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, k)
}

// home is the shop's address as links show it.
func (s *Shop) home(r *http.Request) string {
	if s.url != "" || r == nil {
		return s.url
	}
	scheme := "http"
	if isTLS(r) {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

func (s *Shop) clock() time.Time { return s.now().UTC().Truncate(time.Second) }

// token returns random letters and digits, as WordPress makes keys of.
func (s *Shop) token(length int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	b := make([]byte, length)
	for i := range b {
		b[i] = letters[s.random.IntN(len(letters))]
	}
	return string(b)
}
