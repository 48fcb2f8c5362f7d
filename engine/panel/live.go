package panel

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

const (
	liveEvery = time.Second
	// liveIdle is how often a quiet stream says that it is there: proxies cut
	// connections that say nothing.
	liveIdle = 20 * time.Second
	// liveLongest ends a stream; the browser comes back by itself, and is then
	// asked again who it is.
	liveLongest = 15 * time.Minute
	maxStreams  = 200
)

// live tells open pages that something happened. It asks the store for the
// pulse of a shop while a page of it is open: so it sees the work of all machines.
type live struct {
	store store.Store
	log   *slog.Logger
	every time.Duration

	mu      sync.Mutex
	shops   map[string]*watched
	streams int
	closed  bool
	done    chan struct{}
	watches sync.WaitGroup
}

// watched is a shop of which pages are open.
type watched struct {
	listeners map[chan struct{}]bool
	stop      context.CancelFunc
}

func newLive(st store.Store, log *slog.Logger) *live {
	return &live{store: st, log: log, every: liveEvery, shops: map[string]*watched{}, done: make(chan struct{})}
}

// listen returns a channel on which something comes when the shop's runs have
// changed; false when there are too many listeners.
func (l *live) listen(shop string) (changed chan struct{}, leave func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || l.streams >= maxStreams {
		return nil, nil, false
	}
	w := l.shops[shop]
	if w == nil {
		ctx, stop := context.WithCancel(context.Background())
		w = &watched{listeners: map[chan struct{}]bool{}, stop: stop}
		l.shops[shop] = w
		l.watches.Add(1)
		go l.watch(ctx, shop, w)
	}
	changed = make(chan struct{}, 1)
	w.listeners[changed] = true
	l.streams++
	return changed, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.streams--
		delete(w.listeners, changed)
		if len(w.listeners) == 0 && l.shops[shop] == w {
			w.stop()
			delete(l.shops, shop)
		}
	}, true
}

// watch asks for the pulse until nobody listens.
func (l *live) watch(ctx context.Context, shop string, w *watched) {
	defer l.watches.Done()
	tick := time.NewTicker(l.every)
	defer tick.Stop()
	var before store.Pulse
	for first := true; ; first = false {
		pulse, err := l.store.Pulse(ctx, shop)
		if err != nil && ctx.Err() == nil {
			l.log.Warn("watching the runs", "instance", shop, "error", err)
		}
		if err == nil && !first && pulse != before {
			l.mu.Lock()
			for listener := range w.listeners {
				select {
				case listener <- struct{}{}:
				default: // it has not seen the last one yet
				}
			}
			l.mu.Unlock()
		}
		if err == nil {
			before = pulse
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (l *live) close() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.done)
		for _, w := range l.shops {
			w.stop()
		}
	}
	l.mu.Unlock()
	l.watches.Wait()
}

// stream is the event stream of a shop: "changed" whenever its runs did.
func (p *Panel) stream(v *visit) error {
	changed, leave, ok := p.live.listen(v.instance.Name)
	if !ok {
		return &httpError{http.StatusServiceUnavailable, "Too many pages are open.", ""}
	}
	defer leave()
	out := http.NewResponseController(v.w)
	v.w.Header().Set("Content-Type", "text/event-stream")
	v.w.Header().Set("X-Accel-Buffering", "no") // nginx would hold it back
	send := func(text string) bool {
		// A browser that takes nothing is let go.
		if err := out.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
			return false
		}
		_, err := fmt.Fprint(v.w, text)
		return err == nil && out.Flush() == nil
	}
	if !send("retry: 3000\n\nevent: open\ndata: \n\n") {
		return nil
	}
	idle := time.NewTicker(liveIdle)
	defer idle.Stop()
	end := time.NewTimer(liveLongest)
	defer end.Stop()
	for {
		select {
		case <-v.Context().Done():
			return nil
		case <-p.live.done:
			return nil
		case <-end.C:
			return nil
		case <-idle.C:
			if !send(": still here\n\n") {
				return nil
			}
		case <-changed:
			if !send("event: changed\ndata: \n\n") {
				return nil
			}
		}
	}
}
