package queue

import "sync"

// signals wakes whoever listens. A signal that comes while a listener is busy
// waits for it; several of them are one.
type signals struct {
	mu        sync.Mutex
	listeners map[chan struct{}]struct{}
}

func newSignals() *signals { return &signals{listeners: map[chan struct{}]struct{}{}} }

func (s *signals) send() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for listener := range s.listeners {
		select {
		case listener <- struct{}{}:
		default:
		}
	}
}

// listen returns a channel that gets the signals, and how to end that.
func (s *signals) listen() (<-chan struct{}, func()) {
	listener := make(chan struct{}, 1)
	s.mu.Lock()
	s.listeners[listener] = struct{}{}
	s.mu.Unlock()
	return listener, func() {
		s.mu.Lock()
		delete(s.listeners, listener)
		s.mu.Unlock()
	}
}
