package run

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

// maxJournalBytes bounds what of a step's input or output is kept.
const maxJournalBytes = 256 << 10

// journal keeps what the steps of a run did. Entries of steps that write nothing
// wait for the next write or the run's end, so that they share its commit;
// entries around a write are durable when it begins and when it is done.
type journal struct {
	store   store.Store
	lease   store.Lease
	log     *slog.Logger
	earlier map[string]store.Step // by path, of earlier attempts
	pending []store.Step
}

func (j *journal) load(ctx context.Context, runID int64) error {
	steps, err := j.store.Steps(ctx, runID)
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	j.earlier = make(map[string]store.Step, len(steps))
	for _, s := range steps {
		j.earlier[s.Path] = s
	}
	return nil
}

// note remembers an entry, to be written with the next flush.
func (j *journal) note(step store.Step) {
	j.pending = append(j.pending, step)
}

// flush writes what waits.
func (j *journal) flush(ctx context.Context) error {
	if len(j.pending) == 0 {
		return nil
	}
	if err := j.store.SaveSteps(ctx, j.lease, j.pending...); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	j.pending = j.pending[:0]
	return nil
}

// begun writes that a write begins.
func (j *journal) begun(ctx context.Context, path, hash string, input []byte, started time.Time, attempts int) error {
	j.note(store.Step{Path: path, State: store.StepStarted, Hash: hash, Input: input, Started: started, Attempts: attempts})
	return j.flush(ctx)
}

// encode writes a value for the journal. A value too large is replaced by a word
// about its size: it serves people, not the run.
func encode(v any) ([]byte, error) {
	data, err := value.Encode(v)
	if err != nil {
		return nil, err
	}
	if len(data) > maxJournalBytes {
		return fmt.Appendf(nil, `{"$too_large":%d}`, len(data)), nil
	}
	return data, nil
}
