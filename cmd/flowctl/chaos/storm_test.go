//go:build linux

package chaos

import (
	"sync"
	"syscall"
	"time"
)

// blow is one thing that breaks.
type blow struct {
	wait   time.Duration // after the blow before
	what   string
	target int           // the process
	down   time.Duration // how long it stays away
}

// blows are the ways to break something, and how often each is chosen.
var blows = []struct {
	what   string
	weight int
}{
	{"process killed", 10},
	{"all processes killed", 1},
	{"process asked to stop", 2},
	{"process paused", 3},
	{"Redis flushed", 3},
	{"Redis killed", 2},
	{"database killed", 2},
}

// storm is a plan of blows, and what came of it.
type storm struct {
	w      *world
	plan   []blow
	counts map[string]int
	paused sync.WaitGroup
}

// planStorm makes the plan, by the seed alone.
func planStorm(w *world, size int) *storm {
	random := w.chance.of("storm")
	s := &storm{w: w, counts: map[string]int{}}
	all := 0
	for _, b := range blows {
		all += b.weight
	}
	for range size {
		b := blow{
			wait:   time.Duration(100+random.IntN(500)) * time.Millisecond,
			target: random.IntN(len(w.processes)),
			down:   time.Duration(random.IntN(800)) * time.Millisecond,
		}
		n := random.IntN(all)
		for _, candidate := range blows {
			if n -= candidate.weight; n < 0 {
				b.what = candidate.what
				break
			}
		}
		if b.what == "process paused" && random.IntN(2) == 0 {
			b.down += lease // long enough that another takes its work over
		}
		s.plan = append(s.plan, b)
	}
	return s
}

// length is how long the plan takes at least.
func (s *storm) length() (all time.Duration) {
	for _, b := range s.plan {
		all += b.wait
	}
	return all
}

// rage breaks one thing after the other. It returns when everything is up again.
func (s *storm) rage() {
	w := s.w
	for _, b := range s.plan {
		time.Sleep(b.wait)
		if w.t.Failed() {
			break
		}
		if b.what == "database killed" && w.database.crash == nil {
			b.what = "process killed" // SQLite is in the processes
		}
		s.counts[b.what]++
		target := w.processes[b.target]
		switch b.what {
		case "process killed":
			target.end(syscall.SIGKILL, b.down)
		case "all processes killed":
			for _, p := range w.processes {
				p.end(syscall.SIGKILL, b.down)
			}
		case "process asked to stop":
			target.end(syscall.SIGTERM, b.down)
		case "process paused":
			target.signal(syscall.SIGSTOP)
			s.paused.Go(func() {
				time.Sleep(b.down)
				target.signal(syscall.SIGCONT)
			})
		case "Redis flushed":
			w.redis.flush()
		case "Redis killed":
			w.redis.kill()
			time.Sleep(b.down)
			w.redis.start()
		case "database killed":
			w.database.crash()
		}
	}
	s.paused.Wait()
}
