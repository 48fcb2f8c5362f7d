package run

import (
	"context"
	"errors"
	"time"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/store"
)

// noteDone journals a step that wrote nothing. What cannot be encoded is left
// out of the journal: it serves people, and a flow's values always can.
func (e *execution) noteDone(ctx context.Context, s *flow.Step, path string, input, output any, started time.Time) {
	if e.quiet > 0 {
		return
	}
	entry := store.Step{Path: path, State: store.StepDone, Hash: s.Hash, Started: started, Ended: time.Now().UTC()}
	var err error
	if input != nil {
		if entry.Input, err = encode(input, maxInputBytes); err != nil {
			e.log.Warn("journaling a step's input", "step", path, "error", err)
		}
	}
	if entry.Output, err = encode(output, maxOutputBytes); err != nil {
		e.log.Warn("journaling a step's output", "step", path, "error", err)
	}
	e.journal.note(entry)
	if e.journal.crowded() {
		// What fails here is tried again with the next write or at the run's end.
		if err := e.journal.flush(ctx); err != nil {
			e.log.Warn("journaling steps", "error", err)
		}
	}
}

func (e *execution) noteSkipped(s *flow.Step, path string) {
	if e.quiet > 0 {
		return
	}
	now := time.Now().UTC()
	e.journal.note(store.Step{Path: path, State: store.StepSkipped, Hash: s.Hash, Started: now, Ended: now})
}

// maxFailedNotes bounds the failures of one attempt that are journaled one by
// one; all are counted.
const maxFailedNotes = 100

// noteFailed journals the error of a step. A write has an entry of its own,
// which says more.
func (e *execution) noteFailed(s *flow.Step, path string, err error, started time.Time) {
	var stopped *stop
	if errors.As(err, &stopped) {
		e.journal.note(store.Step{Path: path, State: store.StepDone, Hash: s.Hash, Started: started, Ended: time.Now().UTC()})
		return
	}
	e.mu.Lock()
	e.failedNotes++
	crowd := e.failedNotes > maxFailedNotes
	e.mu.Unlock()
	if crowd {
		return
	}
	e.journal.note(store.Step{Path: path, State: store.StepFailed, Hash: s.Hash, Error: err.Error(), Started: started, Ended: time.Now().UTC()})
}
