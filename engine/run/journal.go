package run

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// HeadPath is the path of the journal entry that says how an attempt began, and
// HeldPath of the one that says that the run once was held or failed. They are
// the engine's own: no step has such a name.
const (
	HeadPath = "$run"
	HeldPath = "$held"
)

// Bounds on the journal. Inputs serve people and comparisons, so that a long one
// is kept as its hash; the output of a write is needed when the run goes on.
const (
	maxInputBytes   = 64 << 10
	maxOutputBytes  = 64 << 10
	maxWrittenBytes = 8 << 20
	maxPending      = 500
	maxPendingBytes = 4 << 20
)

// head says how an attempt began.
type head struct {
	Attempt int    `json:"attempt"`
	Since   int    `json:"since"` // the first attempt of its series, see journal.since
	Event   int64  `json:"event"`
	Version string `json:"version"`
	// Asked: this series began because a person asked for it.
	Asked bool `json:"asked,omitempty"`
}

// inSeries tells whether the attempt belongs to the run's present series.
func (h head) inSeries(run store.Run) bool { return h.Attempt > 0 && h.Since == firstAttempt(run) }

// firstAttempt is the first attempt of the run's present series: those since it
// was made, reopened, or folded into while held.
func firstAttempt(run store.Run) int { return run.Attempt - max(run.Tries, 1) + 1 }

// journal keeps what the steps of a run did. Entries of steps that write nothing
// wait for the next write or the run's end, so that they share its commit;
// entries around a write are durable before it begins and when it is done.
type journal struct {
	// mu guards known, creates, pending and bytes; flushing is held while pending
	// is written, so that many goroutines share a commit.
	mu, flushing sync.Mutex
	// keys are the link keys that the run's goroutines are at.
	keys link.Locks

	store store.Store
	lease store.Lease
	run   store.Run
	// known are the entries by path, of earlier attempts and of the writes of
	// this one.
	known map[string]store.Step
	// creates finds the path of a link step's create by step and key.
	creates map[string]string
	pending []store.Step
	bytes   int
	secrets []string

	head head // of the last attempt; zero when there was none
	// settings are those that the last series began with.
	settings []byte
	// since is the first attempt of the present series. Within it, what was done
	// is not done again. What an earlier series did may have been undone since:
	// writes that can be repeated safely are repeated.
	since int
	// asked: a person asked for this series, after looking at what the last one
	// left unclear.
	asked   bool
	wasHeld bool
	// changed: a step that an earlier attempt did is no longer what it was, so
	// that the run begins from the start.
	changed bool
}

func newJournal(st store.Store, lease store.Lease, run store.Run) *journal {
	return &journal{store: st, lease: lease, run: run, known: map[string]store.Step{}, since: firstAttempt(run)}
}

// load reads what earlier attempts did.
func (j *journal) load(ctx context.Context) error {
	steps, err := j.store.Steps(ctx, j.run.ID)
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	for _, s := range steps {
		switch {
		case s.Path == HeadPath:
			if err := json.Unmarshal(s.Output, &j.head); err != nil {
				return fmt.Errorf("reading the journal: %s: %w", HeadPath, err)
			}
		case s.Path == SettingsPath:
			j.settings = s.Output
		case s.Path == HeldPath:
			j.wasHeld = s.State == store.StepFailed
		default:
			if s.Attempts == 0 { // no write: only its definition is of interest
				s.Input, s.Output = nil, nil
			}
			j.known[s.Path] = s
		}
	}
	// A later event brings another event with it; only a person tries the same
	// one again.
	j.asked = j.head.Event == j.run.EventID && j.head.Attempt > 0
	if j.head.inSeries(j.run) {
		j.asked = j.head.Asked
	}
	return nil
}

// begin notes how the attempt begins, and looks whether the flow is still what
// it was.
func (j *journal) begin(f *flow.Flow) {
	for path, s := range j.known {
		if s.State != store.StepDone && s.State != store.StepSkipped {
			continue // the step that failed may have been mended
		}
		if step := stepAt(f, path); step == nil || step.Hash != s.Hash {
			j.changed = true
		}
	}
	now := time.Now().UTC()
	// A head always encodes: it has only numbers and texts.
	output, _ := json.Marshal(head{Attempt: j.run.Attempt, Since: j.since, Event: j.run.EventID, Version: f.Version, Asked: j.asked})
	j.note(store.Step{Path: HeadPath, State: store.StepDone, Output: output, Started: now, Ended: now})
}

// noteEnd notes what the engine has to know about the outcome when the run is
// tried again.
func (j *journal) noteEnd(outcome store.Outcome) {
	now := time.Now().UTC()
	switch {
	case outcome.State == store.Held || outcome.State == store.Failed:
		j.note(store.Step{Path: HeldPath, State: store.StepFailed, Error: outcome.Reason, Started: now, Ended: now})
	case outcome.State == store.Succeeded && j.wasHeld:
		j.note(store.Step{Path: HeldPath, State: store.StepDone, Started: now, Ended: now})
	}
}

// note remembers an entry, to be written with the next flush. What a write came
// to is never replaced by an entry that is none, such as that the step was
// skipped or failed before it: a later attempt must know of the write.
func (j *journal) note(step store.Step) {
	step.Input, step.Output = j.scrub(step.Input), j.scrub(step.Output)
	step.Error = j.scrubText(step.Error)
	j.mu.Lock()
	defer j.mu.Unlock()
	if step.Attempts == 0 && j.known[step.Path].Attempts > 0 {
		return
	}
	j.pending = append(j.pending, step)
	j.bytes += len(step.Input) + len(step.Output) + len(step.Error)
	if step.Attempts > 0 {
		j.known[step.Path] = step
	}
}

// crowded tells whether so much waits that it should be written now.
func (j *journal) crowded() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.pending) >= maxPending || j.bytes >= maxPendingBytes
}

// entry is what the journal knows of a path.
func (j *journal) entry(path string) (store.Step, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	step, known := j.known[path]
	return step, known
}

// entries are all that the journal knows.
func (j *journal) entries() []store.Step {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Collect(maps.Values(j.known))
}

// flush writes what waits. What another goroutine is writing meanwhile is waited
// for: when flush returns, all that was noted before is durable.
func (j *journal) flush(ctx context.Context) error {
	j.flushing.Lock()
	defer j.flushing.Unlock()
	j.mu.Lock()
	steps, bytes := j.pending, j.bytes
	j.pending, j.bytes = nil, 0
	j.mu.Unlock()
	if len(steps) == 0 {
		return nil
	}
	if err := j.store.SaveSteps(ctx, j.lease, steps...); err != nil {
		j.mu.Lock()
		j.pending, j.bytes = append(steps, j.pending...), j.bytes+bytes
		j.mu.Unlock()
		return fmt.Errorf("writing the journal: %w", err)
	}
	return nil
}

// tooLarge stands for a value that is not kept: how long it was, and its hash.
type tooLarge struct {
	Bytes int    `json:"$too_large"`
	Hash  string `json:"hash"`
}

// encode writes a value for the journal, or its hash when it is longer than
// limit.
func encode(v any, limit int) ([]byte, error) {
	data, err := value.Encode(v)
	if err != nil || len(data) <= limit {
		return data, err
	}
	sum := sha256.Sum256(data)
	return json.Marshal(tooLarge{len(data), base64.RawStdEncoding.EncodeToString(sum[:])})
}

// wasTooLarge tells whether an entry's value was not kept.
func wasTooLarge(data []byte) bool {
	var t tooLarge
	return len(data) < 200 && json.Unmarshal(data, &t) == nil && t.Bytes > 0 && t.Hash != ""
}
