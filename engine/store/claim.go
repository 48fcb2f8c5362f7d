package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Claim leases the run's key and marks the run Running, see [Store].
func (s *database) Claim(ctx context.Context, runID int64, owner string, ttl time.Duration) (Run, Lease, error) {
	var run Run
	var lease Lease
	err := s.write(ctx, fmt.Sprintf("claiming run %d", runID), func(tx *tx) error {
		var k keyOf
		err := tx.row(`SELECT instance, key FROM runs WHERE id = $1`, []any{runID}, &k.instance, &k.key)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		if err != nil {
			return err
		}
		lease = Lease{Instance: k.instance, Key: k.key, RunID: runID, Owner: text(owner)}
		// ready_at says it all: the head is due, and no lease holds the key.
		err = tx.row(`UPDATE leases SET epoch = epoch + 1, run_id = $1, owner = $2,
				expires_at = {now} + $3, ready_at = {now} + $3
			WHERE instance = $4 AND key = $5 AND head_id = $1 AND ready_at <= {now}
				AND NOT EXISTS (SELECT 1 FROM instances WHERE name = $4 AND state <> 'active')
			RETURNING epoch`,
			[]any{runID, lease.Owner, ttl.Microseconds(), k.instance, k.key}, &lease.Epoch)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotRunnable
		}
		if err != nil {
			return err
		}
		if _, err := tx.exec(`UPDATE runs SET state = 'running', attempt = attempt + 1, tries = tries + 1,
				started_at = CASE WHEN started_at = 0 THEN {now} ELSE started_at END, updated_at = {now}
			WHERE id = $1`, runID); err != nil {
			return err
		}
		run, err = readRun(tx, runID)
		return err
	})
	if err != nil {
		return Run{}, Lease{}, err
	}
	return run, lease, nil
}

// Renew extends a lease by ttl from now, see [Store].
func (s *database) Renew(ctx context.Context, lease Lease, ttl time.Duration) error {
	return s.write(ctx, fmt.Sprintf("renewing the lease of run %d", lease.RunID), func(tx *tx) error {
		n, err := tx.exec(`UPDATE leases SET expires_at = {now} + $1, ready_at = {now} + $1
			WHERE instance = $2 AND key = $3 AND run_id = $4 AND epoch = $5 AND expires_at > {now}`,
			ttl.Microseconds(), lease.Instance, lease.Key, lease.RunID, lease.Epoch)
		if err == nil && n == 0 {
			return ErrLeaseLost
		}
		return err
	})
}

// Finish records the outcome and ends the lease, see [Store].
func (s *database) Finish(ctx context.Context, lease Lease, outcome Outcome, announce ...Arrival) (next int64, err error) {
	doing := fmt.Sprintf("finishing run %d", lease.RunID)
	ended, err := outcome.check()
	if err == nil {
		err = checkArrivals(announce)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	var after time.Duration
	if outcome.State == Retrying {
		after = max(outcome.After, 0)
	}
	err = s.write(ctx, doing, func(tx *tx) error {
		if len(announce) > 0 {
			// With its own key, in the one order in which all lock keys.
			if _, err := lockKeys(tx, append(keysToStart(announce), keyOf{lease.Instance, lease.Key})); err != nil {
				return err
			}
		}
		if err := holdsLease(tx, lease); err != nil {
			return err
		}
		if _, err := tx.exec(`UPDATE runs SET state = $1, reason = $2, code = $3, advice = $4, result = $5,
				due_at = {now} + $6, updated_at = {now}, ended_at = {now} * $7
			WHERE id = $8`,
			string(outcome.State), text(outcome.Reason), text(outcome.Code), text(outcome.Advice), blob(outcome.Result),
			after.Microseconds(), flag(ended), lease.RunID); err != nil {
			return err
		}
		folded := false
		if outcome.State == Held {
			if folded, err = foldWaiting(tx, lease); err != nil {
				return err
			}
		}
		if next, err = endLease(tx, keyOf{lease.Instance, lease.Key}); err != nil {
			return err
		}
		if folded {
			return nil // it is tried again; what there is to announce is said then
		}
		_, err = acceptWith(tx, announce)
		return err
	})
	if err != nil {
		return 0, err
	}
	return next, nil
}

func (o Outcome) check() (ended bool, err error) {
	switch o.State {
	case Succeeded, Skipped, Failed, Cancelled:
		return true, nil
	case Waiting, Retrying, Held:
		return false, nil
	}
	return false, fmt.Errorf("%w: %q is no outcome of a run", ErrInvalid, o.State)
}

// Reopen makes ended or held runs Waiting again, see [Store].
func (s *database) Reopen(ctx context.Context, fresh bool, runIDs ...int64) ([]int64, error) {
	var reopened []int64
	err := s.write(ctx, "reopening runs", func(tx *tx) error {
		reopened = nil
		keys, err := keysOf(tx, runIDs)
		if err != nil {
			return err
		}
		if _, err := lockKeys(tx, keys); err != nil {
			return err
		}
		for _, id := range runIDs {
			n, err := tx.exec(`UPDATE runs SET state = 'waiting', tries = 0, reason = '', code = '', advice = '',
					result = NULL, due_at = {now}, updated_at = {now}, ended_at = 0
				WHERE id = $1 AND state IN ('held', 'succeeded', 'skipped', 'failed', 'cancelled') AND code <> $2`,
				id, CodeErased)
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			reopened = append(reopened, id)
			if fresh {
				if _, err := tx.exec(`DELETE FROM steps WHERE run_id = $1`, id); err != nil {
					return err
				}
			}
		}
		for _, k := range keys {
			if err := refreshHead(tx, k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return reopened, nil
}
