package store

import (
	"context"
	"time"
)

// pruneBatch bounds a commit of Prune, so that others wait only shortly for it.
const pruneBatch = 200

const (
	endedStates = `('succeeded', 'skipped', 'failed', 'cancelled')` // as in the index runs_ended
	noRuns      = `NOT EXISTS (SELECT 1 FROM run_events re WHERE re.event_id = events.id)`
)

// Prune forgets what is old, see [Store].
func (s *database) Prune(ctx context.Context, policy Retention) (Pruned, error) {
	p := &pruning{s: s, ctx: ctx}
	err := p.byAge(policy.Age)
	if err == nil {
		err = p.byCount(policy.Runs)
	}
	if err == nil {
		err = p.bySize(policy.Bytes)
	}
	if err == nil && p.done.Runs > 0 {
		err = p.leases()
	}
	return p.done, err
}

type pruning struct {
	s    *database
	ctx  context.Context
	done Pruned
}

func (p *pruning) byAge(age time.Duration) error {
	if age <= 0 {
		return nil
	}
	var cutoff int64
	err := p.s.read(p.ctx, "reading the clock", func(tx *tx) error {
		return tx.row(`SELECT {now} - $1`, []any{age.Microseconds()}, &cutoff)
	})
	if err != nil {
		return err
	}
	if _, err := p.loneEvents(cutoff, -1, -1); err != nil {
		return err
	}
	for {
		n, _, err := p.oldestRuns(cutoff, pruneBatch)
		if err != nil || n < pruneBatch {
			return err
		}
	}
}

func (p *pruning) byCount(keep int) error {
	if keep <= 0 {
		return nil
	}
	var events, runs int
	err := p.s.read(p.ctx, "counting what has ended", func(tx *tx) error {
		if err := tx.row(`SELECT count(*) FROM events WHERE `+noRuns, nil, &events); err != nil {
			return err
		}
		return tx.row(`SELECT count(*) FROM runs WHERE state IN `+endedStates, nil, &runs)
	})
	if err != nil {
		return err
	}
	if events > keep {
		if _, err := p.loneEvents(never, events-keep, -1); err != nil {
			return err
		}
	}
	for excess := runs - keep; excess > 0; {
		n, _, err := p.oldestRuns(never, min(excess, pruneBatch))
		if err != nil || n == 0 {
			return err
		}
		excess -= n
	}
	return nil
}

// bySize drops events without runs first: they say least about what was done.
func (p *pruning) bySize(keep int64) error {
	if keep <= 0 {
		return nil
	}
	var events, runs, steps int64
	err := p.s.read(p.ctx, "measuring what has ended", func(tx *tx) error {
		if err := tx.row(`SELECT coalesce(sum(length(payload)), 0) FROM events WHERE NOT EXISTS (
				SELECT 1 FROM run_events re JOIN runs r ON r.id = re.run_id
				WHERE re.event_id = events.id AND r.state NOT IN `+endedStates+`)`, nil, &events); err != nil {
			return err
		}
		if err := tx.row(`SELECT coalesce(sum(coalesce(length(input), 0) + coalesce(length(result), 0)), 0)
			FROM runs WHERE state IN `+endedStates, nil, &runs); err != nil {
			return err
		}
		return tx.row(`SELECT coalesce(sum(coalesce(length(s.input), 0) + coalesce(length(s.output), 0)), 0)
			FROM steps s JOIN runs r ON r.id = s.run_id WHERE r.state IN `+endedStates, nil, &steps)
	})
	if err != nil {
		return err
	}
	excess := events + runs + steps - keep
	if excess > 0 {
		freed, err := p.loneEvents(never, -1, excess)
		if err != nil {
			return err
		}
		excess -= freed
	}
	for excess > 0 {
		n, freed, err := p.oldestRuns(never, pruneBatch/10) // few at a time, not to drop more than needed
		if err != nil || n == 0 {
			return err
		}
		excess -= freed
	}
	return nil
}

// never is later than any instant.
const never = int64(1) << 62

// oldestRuns deletes up to limit ended runs that ended before cutoff, oldest
// first, with their journal, and those of their events that no other run has.
func (p *pruning) oldestRuns(cutoff int64, limit int) (n int, freed int64, err error) {
	var events int
	err = p.s.write(p.ctx, "forgetting old runs", func(tx *tx) error {
		n, freed, events = 0, 0, 0
		runs, err := collect(tx, scanID, `SELECT id FROM runs WHERE state IN `+endedStates+` AND ended_at < $1
			ORDER BY ended_at, id LIMIT $2`, cutoff, limit)
		if err != nil || len(runs) == 0 {
			return err
		}
		of := `(` + holders(1, len(runs)) + `)`
		eventIDs, err := collect(tx, scanID, `SELECT DISTINCT event_id FROM run_events WHERE run_id IN `+of, ids(runs)...)
		if err != nil {
			return err
		}
		if err := tx.row(`SELECT coalesce(sum(coalesce(length(input), 0) + coalesce(length(output), 0)), 0)
			FROM steps WHERE run_id IN `+of, ids(runs), &freed); err != nil {
			return err
		}
		// The state again: a person may have reopened one meanwhile.
		sizes, err := collect(tx, scanID, `DELETE FROM runs WHERE id IN `+of+` AND state IN `+endedStates+`
			RETURNING coalesce(length(input), 0) + coalesce(length(result), 0)`, ids(runs)...)
		if err != nil {
			return err
		}
		n = len(sizes)
		payloads, err := deleteLone(tx, eventIDs)
		events = len(payloads)
		freed += sum(sizes) + sum(payloads)
		return err
	})
	if err == nil {
		p.done.Runs += n
		p.done.Events += events
	}
	return n, freed, err
}

// loneEvents deletes events without runs that were accepted before cutoff,
// oldest first, until count are gone or bytes are freed (negative: no bound).
func (p *pruning) loneEvents(cutoff int64, count int, bytes int64) (freed int64, err error) {
	for last := int64(0); count != 0 && (bytes < 0 || freed < bytes); {
		limit := pruneBatch
		if count > 0 {
			limit = min(limit, count)
		}
		if bytes >= 0 {
			limit = min(limit, pruneBatch/10)
		}
		var found []int64
		err := p.s.read(p.ctx, "looking for old events", func(tx *tx) (err error) {
			found, err = collect(tx, scanID, `SELECT id FROM events WHERE id > $1 AND at < $2 AND `+noRuns+`
				ORDER BY id LIMIT $3`, last, cutoff, limit)
			return err
		})
		if err != nil || len(found) == 0 {
			return freed, err
		}
		last = found[len(found)-1]
		var sizes []int64
		err = p.s.write(p.ctx, "forgetting old events", func(tx *tx) (err error) {
			sizes, err = deleteLone(tx, found)
			return err
		})
		if err != nil {
			return freed, err
		}
		p.done.Events += len(sizes)
		freed += sum(sizes)
		if count > 0 {
			count = max(count-len(sizes), 0)
		}
	}
	return freed, nil
}

// deleteLone deletes those of the events that have no runs and returns their
// sizes.
func deleteLone(tx *tx, events []int64) ([]int64, error) {
	if len(events) == 0 {
		return nil, nil
	}
	return collect(tx, scanID, `DELETE FROM events WHERE id IN (`+holders(1, len(events))+`) AND `+noRuns+`
		RETURNING coalesce(length(payload), 0)`, ids(events)...)
}

// leases forgets keys that have no runs. Their epochs begin anew, which no old
// lease can profit from: a lease also names its run, and that is gone.
func (p *pruning) leases() error {
	const idle = `head_id IS NULL AND NOT EXISTS (
		SELECT 1 FROM runs r WHERE r.instance = leases.instance AND r.key = leases.key)`
	for last := (keyOf{}); ; {
		var found []keyOf
		err := p.s.read(p.ctx, "looking for idle keys", func(tx *tx) (err error) {
			found, err = collect(tx, func(row scanner) (k keyOf, err error) {
				return k, row.Scan(&k.instance, &k.key)
			}, `SELECT instance, key FROM leases WHERE (instance, key) > ($1, $2) AND `+idle+`
				ORDER BY instance, key LIMIT $3`, last.instance, last.key, pruneBatch)
			return err
		})
		if err != nil || len(found) == 0 {
			return err
		}
		last = found[len(found)-1]
		var deleted int64
		err = p.s.write(p.ctx, "forgetting idle keys", func(tx *tx) error {
			deleted = 0
			for _, k := range found {
				n, err := tx.exec(`DELETE FROM leases WHERE instance = $1 AND key = $2 AND `+idle, k.instance, k.key)
				if err != nil {
					return err
				}
				deleted += n
			}
			return nil
		})
		if err != nil {
			return err
		}
		p.done.Leases += int(deleted)
	}
}

func sum(all []int64) (total int64) {
	for _, n := range all {
		total += n
	}
	return total
}
