package sandbox

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Request is one request the shop received.
type Request struct {
	Method string
	Path   string // without the query
	Query  string // raw, keys included
	Status int    // 0 while it is worked on, and where the connection was cut
	At     time.Time
}

// Fault is what a client sees instead of, or on top of, the shop's answer.
type Fault struct {
	// After lets the shop do its work first: a write happens, and the client does
	// not learn of it.
	After bool
	// Delay before anything is answered; ends early when the client goes.
	Delay time.Duration
	// Cut breaks the connection without an answer, or after CutAfter bytes of the
	// body when that is above 0.
	Cut      bool
	CutAfter int
	// Prefix is printed before the body, as PHP warnings are; the status and the
	// headers stay the shop's. Implies After.
	Prefix string
	// Status, Header and Body answer in the shop's place where Status is above 0.
	Status int
	Header http.Header
	Body   string
}

// traffic logs requests and injects faults.
type traffic struct {
	mu     sync.Mutex
	log    []*Request
	faults func(*http.Request) *Fault
}

func (t *traffic) begin(r *http.Request) *Request {
	t.mu.Lock()
	defer t.mu.Unlock()
	entry := &Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, At: time.Now().UTC()}
	t.log = append(t.log, entry)
	if len(t.log) > 2*maxLog {
		t.log = slices.Clone(t.log[maxLog:])
	}
	return entry
}

func (t *traffic) end(entry *Request, status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	entry.Status = status
}

func (t *traffic) fault(r *http.Request) *Fault {
	t.mu.Lock()
	decide := t.faults
	t.mu.Unlock()
	if decide == nil {
		return nil
	}
	fault := decide(r)
	if fault != nil && fault.Prefix != "" {
		fault.After = true
	}
	return fault
}

// SetFault sets what decides, for each request, whether something goes wrong.
// nil decides that nothing does. The function must not call the shop.
func (s *Shop) SetFault(decide func(*http.Request) *Fault) {
	s.traffic.mu.Lock()
	defer s.traffic.mu.Unlock()
	s.traffic.faults = decide
}

// maxLog bounds the logs of a shop that runs for days: what is older is dropped.
const maxLog = 5000

// Requests returns a copy of the log, oldest first. It keeps the newest 5,000 at
// least, which bounds Count and Writes too.
func (s *Shop) Requests() []Request {
	s.traffic.mu.Lock()
	defer s.traffic.mu.Unlock()
	out := make([]Request, len(s.traffic.log))
	for i, entry := range s.traffic.log {
		out[i] = *entry
	}
	return out
}

// Count counts requests of a method ("" for all) whose path contains a text.
func (s *Shop) Count(method, pathContains string) int {
	n := 0
	for _, r := range s.Requests() {
		if (method == "" || r.Method == method) && strings.Contains(r.Path, pathContains) {
			n++
		}
	}
	return n
}

// Writes counts the requests that are no reads.
func (s *Shop) Writes() int {
	n := 0
	for _, r := range s.Requests() {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			n++
		}
	}
	return n
}

// ForgetRequests empties the log.
func (s *Shop) ForgetRequests() {
	s.traffic.mu.Lock()
	defer s.traffic.mu.Unlock()
	s.traffic.log = nil
}

// apply shows the fault to the client. done is the shop's own answer, nil when
// the shop was not asked.
func (f *Fault) apply(w http.ResponseWriter, r *http.Request, done *recorder) {
	if f.Delay > 0 {
		sleep(f.Delay, r)
	}
	shown := done
	if f.Status > 0 {
		shown = &recorder{header: f.Header.Clone(), status: f.Status, body: []byte(f.Body)}
	}
	if shown == nil {
		if !f.Cut {
			shown = &recorder{status: http.StatusOK}
		}
	} else if f.Prefix != "" {
		shown.body = append([]byte(f.Prefix), shown.body...)
	}
	switch {
	case f.Cut && f.CutAfter > 0 && shown != nil && f.CutAfter < len(shown.body):
		for name, values := range shown.header {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(shown.body)))
		w.WriteHeader(shown.status)
		w.Write(shown.body[:f.CutAfter])
		if flusher, ok := w.(http.Flusher); ok {
			flusher.Flush()
		}
		panic(http.ErrAbortHandler)
	case f.Cut:
		panic(http.ErrAbortHandler)
	}
	shown.send(w)
}
