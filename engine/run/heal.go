package run

import (
	"context"
	"fmt"

	"github.com/flowctl/flowctl/engine/store"
)

// wakeSkipped lets the key's other flows look again, after a run that had been
// held or had failed has succeeded. While it stood aside they may have found
// that there was nothing to do yet ("no order yet").
//
// The rule: of each other flow, the newest run of the key is reopened if it
// began after this one and ended skipped. Older ones would only re-read the same
// record, and a flow whose newest run did something needs no second look. A run
// that is woken and skips again ends there: only a success that follows a hold
// wakes others, and a success is never reopened by this rule, so that two flows
// cannot wake each other for ever.
func (e *execution) wakeSkipped(ctx context.Context) error {
	type lane struct{ flow, input string }
	seen := map[lane]bool{}
	var wake []int64
	filter := store.RunFilter{Instance: e.run.Instance, Key: e.run.Key, Limit: store.MaxPage}
	for {
		runs, err := e.executor.Store.Runs(ctx, filter)
		if err != nil {
			return fmt.Errorf("looking for runs that waited for it: %w", err)
		}
		for _, r := range runs {
			if r.ID <= e.run.ID {
				return e.reopen(ctx, wake)
			}
			l := lane{r.Flow, string(r.Input)}
			if r.Flow == e.run.Flow || seen[l] {
				continue
			}
			seen[l] = true
			if r.State == store.Skipped {
				wake = append(wake, r.ID)
			}
		}
		if len(runs) < store.MaxPage {
			return e.reopen(ctx, wake)
		}
		filter.Before = runs[len(runs)-1].ID
	}
}

func (e *execution) reopen(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	reopened, err := e.executor.Store.Reopen(ctx, false, ids...)
	if err != nil {
		return fmt.Errorf("reopening runs that waited for it: %w", err)
	}
	e.log.Info("runs that had been skipped meanwhile are tried again", "runs", reopened)
	return nil
}
