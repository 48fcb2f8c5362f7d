package store

import (
	"context"
	"fmt"
)

// SaveSteps writes journal entries, see [Store].
func (s *database) SaveSteps(ctx context.Context, lease Lease, steps ...Step) error {
	if len(steps) == 0 {
		return nil
	}
	return s.write(ctx, fmt.Sprintf("writing the journal of run %d", lease.RunID), func(tx *tx) error {
		if err := holdsLease(tx, lease); err != nil {
			return err
		}
		for i := range steps {
			st := &steps[i]
			// The row keeps its id when it is replaced, and with it its place.
			if _, err := tx.exec(`INSERT INTO steps
					(instance, run_id, path, state, hash, input, output, error, started, ended, attempts)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
				ON CONFLICT (run_id, path) DO UPDATE SET state = excluded.state, hash = excluded.hash,
					input = excluded.input, output = excluded.output, error = excluded.error,
					started = excluded.started, ended = excluded.ended, attempts = excluded.attempts`,
				lease.Instance, lease.RunID, text(st.Path), string(st.State), text(st.Hash), blob(st.Input), blob(st.Output),
				text(st.Error), micros(st.Started), micros(st.Ended), st.Attempts); err != nil {
				return err
			}
		}
		return nil
	})
}

// Steps reads a run's journal, see [Store].
func (s *database) Steps(ctx context.Context, runID int64) ([]Step, error) {
	var steps []Step
	err := s.read(ctx, fmt.Sprintf("reading the journal of run %d", runID), func(tx *tx) (err error) {
		steps, err = collect(tx, scanStep, `SELECT path, state, hash, input, output, error, started, ended, attempts
			FROM steps WHERE run_id = $1 ORDER BY id`, runID)
		return err
	})
	return steps, err
}

func scanStep(row scanner) (Step, error) {
	var st Step
	var started, ended int64
	err := row.Scan(&st.Path, &st.State, &st.Hash, &st.Input, &st.Output, &st.Error, &started, &ended, &st.Attempts)
	st.Started, st.Ended = instant(started), instant(ended)
	return st, err
}
