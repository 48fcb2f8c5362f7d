package run

import (
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// fan does something for n items, or batches of them: one after the other, or as
// many at once as the step's parallel says. Each goroutine has a loop and names of
// its own; the failures are counted together. It returns how many were begun: all,
// unless do returned an error. One that only says to stop is not returned.
func (l *loop) fan(vars map[string]any, n int, do func(l *loop, inner map[string]any, i int) error) (begun int, err error) {
	at := &fanning{n: int64(n)}
	if workers := min(l.step.Parallel, n); workers > 1 {
		var group sync.WaitGroup
		for range workers {
			group.Go(func() {
				own := l.worker()
				// The results are counted with the whole list, by whoever keeps it.
				defer own.release(0)
				at.work(own, maps.Clone(vars), do)
			})
		}
		group.Wait()
	} else {
		at.take(l, maps.Clone(vars), do)
	}
	if errors.Is(at.err, errStopTrying) {
		at.err = nil
	}
	return int(min(at.next.Load(), at.n)), at.err
}

// fanning is one fan at work.
type fanning struct {
	n    int64
	next atomic.Int64
	stop atomic.Bool

	mu  sync.Mutex
	err error
}

// work takes items until there are none, in a goroutine of its own: a panic there
// would end the whole process.
func (f *fanning) work(l *loop, inner map[string]any, do func(*loop, map[string]any, int) error) {
	defer func() {
		if problem := recover(); problem != nil {
			l.log.Error("an item panicked", "step", l.path, "panic", problem, "stack", string(debug.Stack()))
			f.fail(&panicError{fmt.Sprint(problem)})
		}
	}()
	f.take(l, inner, do)
}

func (f *fanning) take(l *loop, inner map[string]any, do func(*loop, map[string]any, int) error) {
	for !f.stop.Load() {
		i := f.next.Add(1) - 1
		if i >= f.n {
			return
		}
		if err := do(l, inner, int(i)); err != nil {
			f.fail(err)
			return
		}
	}
}

// fail ends the fan: items that are begun are finished, no others are begun. An
// error that ends the run counts more than one that only says to stop.
func (f *fanning) fail(err error) {
	f.stop.Store(true)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil || errors.Is(f.err, errStopTrying) {
		f.err = err
	}
}

// worker is the loop for a goroutine of its own.
func (l *loop) worker() *loop {
	e := *l.execution
	e.used = 0
	e.linker.Locks = &l.journal.keys
	own := *l
	own.execution = &e
	return &own
}
