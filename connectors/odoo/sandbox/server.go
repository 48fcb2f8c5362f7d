package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"
)

// Call says what a request asks for.
type Call struct {
	Service string // "common", "object" (also over JSON-2), "db", "web"
	Model   string // of service object
	Method  string // "authenticate", "search_read", "action_confirm"
}

// counters count requests.
type counters struct {
	mu    sync.Mutex
	calls map[Call]int
}

func (c *counters) add(call Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls == nil {
		c.calls = map[Call]int{}
	}
	c.calls[call]++
}

// Requests counts the requests received so far, also those that failed.
func (e *ERP) Requests() map[Call]int {
	e.counts.mu.Lock()
	defer e.counts.mu.Unlock()
	return maps.Clone(e.counts.calls)
}

// Requested counts the requests for a method of a model; for "" as the model,
// those of the other services.
func (e *ERP) Requested(model, method string) int {
	total := 0
	for call, n := range e.Requests() {
		if call.Model == model && call.Method == method {
			total += n
		}
	}
	return total
}

// ForgetRequests sets all counters to zero.
func (e *ERP) ForgetRequests() {
	e.counts.mu.Lock()
	defer e.counts.mu.Unlock()
	e.counts.calls = nil
}

// Incident is something that goes wrong with a request. One of Fault, Status,
// Drop and Hang says what the client gets.
type Incident struct {
	// After lets the request take its effect first: the answer is lost, not the
	// work.
	After bool
	// Fault answers an error of Odoo's own.
	Fault *Fault
	// Status answers this status with Header and Body.
	Status int
	Header http.Header
	Body   string
	// Drop closes the connection without an answer.
	Drop bool
	// Hang answers nothing until the client gives up.
	Hang bool
}

// answer answers; fail does so with an error in the protocol of the request.
func (i *Incident) answer(w http.ResponseWriter, r *http.Request, fail func(*Fault)) {
	switch {
	case i.Fault != nil:
		fail(i.Fault)
	case i.Hang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case i.Drop || i.Status == 0:
		panic(http.ErrAbortHandler)
	default:
		for name, values := range i.Header {
			w.Header()[name] = values
		}
		if w.Header().Get("Content-Type") == "" {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
		}
		w.WriteHeader(i.Status)
		_, _ = io.WriteString(w, i.Body)
	}
}

// server is the part of an ERP that listens.
type server struct {
	mu       sync.Mutex
	hook     func(*http.Request, Call) *Incident
	http     *http.Server
	listener net.Listener
	done     chan struct{}
}

// OnRequest sets a hook that is asked before every request of the API; nil from
// it lets the request pass. A nil hook takes the last one away. The hook may be
// called from several requests at once.
func (e *ERP) OnRequest(hook func(*http.Request, Call) *Incident) {
	e.server.mu.Lock()
	defer e.server.mu.Unlock()
	e.server.hook = hook
}

func (s *server) incident(r *http.Request, call Call) *Incident {
	s.mu.Lock()
	hook := s.hook
	s.mu.Unlock()
	if hook == nil {
		return nil
	}
	return hook(r, call)
}

// Start listens on a loopback address ("127.0.0.1:8069"; "" for a free port) and
// returns the server's URL.
func (e *ERP) Start(address string) (string, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("starting the simulated Odoo: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", fmt.Errorf("starting the simulated Odoo: %s is not a loopback address, and it must not be reached from outside", host)
	}
	e.server.mu.Lock()
	defer e.server.mu.Unlock()
	if e.server.http != nil {
		return "", errors.New("the simulated Odoo is already started")
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return "", fmt.Errorf("starting the simulated Odoo: %w", err)
	}
	e.server.listener = listener
	e.server.http = &http.Server{
		Handler:           e,
		ReadHeaderTimeout: 10 * time.Second,
		// A dropped connection is meant to be dropped, and clients that go
		// away are none of its business.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	e.server.done = make(chan struct{})
	go func(s *http.Server, done chan struct{}) {
		defer close(done)
		_ = s.Serve(listener) // ends with ErrServerClosed when Close is called
	}(e.server.http, e.server.done)
	return "http://" + listener.Addr().String(), nil
}

// Close stops listening and waits until that is done. It may be called twice,
// and without Start; the records stay, so that Start can be called again.
func (e *ERP) Close() error {
	e.server.mu.Lock()
	s, done := e.server.http, e.server.done
	e.server.http = nil
	e.server.mu.Unlock()
	if s == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		// Requests that hang are cut off.
		_ = s.Close()
	}
	<-done
	return nil
}
