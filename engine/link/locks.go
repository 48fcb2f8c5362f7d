package link

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

// Locks keep the goroutines of one run apart where they make the same record: the
// store's claims are the run's, and so do not. The zero value is ready.
type Locks struct {
	mu   sync.Mutex
	held map[store.LinkKey]chan struct{} // closed when it is given back
}

// lockWait bounds the wait for another goroutine of the same run. It only ends
// that long when two wait for each other.
const lockWait = time.Minute

// take waits for keys, in an order that all keep, and returns what gives them
// back.
func (l *Locks) take(ctx context.Context, keys []store.LinkKey) (release func(), err error) {
	keys = slices.Clone(keys)
	slices.SortFunc(keys, func(a, b store.LinkKey) int {
		return strings.Compare(a.Table+"\x00"+string(a.Side)+"\x00"+a.Value, b.Table+"\x00"+string(b.Side)+"\x00"+b.Value)
	})
	keys = slices.Compact(keys)
	timer := time.NewTimer(lockWait)
	defer timer.Stop()
	for n, key := range keys {
		for {
			wait := l.try(key)
			if wait == nil {
				break
			}
			select {
			case <-wait:
				continue
			case <-ctx.Done():
				err = ctx.Err()
			case <-timer.C:
				err = fmt.Errorf("%w: another item of this run holds %s %s %s", store.ErrClaimed, key.Table, key.Side, key.Value)
			}
			l.release(keys[:n])
			return nil, err
		}
	}
	return func() { l.release(keys) }, nil
}

// try takes a key, or gives what to wait for.
func (l *Locks) try(key store.LinkKey) (wait chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if held, taken := l.held[key]; taken {
		return held
	}
	if l.held == nil {
		l.held = map[store.LinkKey]chan struct{}{}
	}
	l.held[key] = make(chan struct{})
	return nil
}

func (l *Locks) release(keys []store.LinkKey) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		close(l.held[key])
		delete(l.held, key)
	}
}
