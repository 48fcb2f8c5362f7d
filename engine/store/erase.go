package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const erasedReason = "A person's data was erased from this run on request."

// Erase redacts what Find finds, see [Store].
func (s *database) Erase(ctx context.Context, instance, needleText string) (erased, left Findings, err error) {
	found, err := s.Find(ctx, instance, needleText)
	if err != nil {
		return erased, left, err
	}
	if err := s.writerRuns(ctx, s.dialect.beforeErase); err != nil {
		return erased, left, err
	}
	defer func() {
		// Also after a failure: the setting is the connection's, not this call's.
		err = errors.Join(err, s.writerRuns(context.WithoutCancel(ctx), s.dialect.afterErase))
	}()
	n := newNeedle(needleText)
	events := map[int64]bool{}
	for _, id := range found.Events {
		events[id] = true
	}
	for _, id := range found.Runs {
		var open bool
		var of []int64
		err := s.write(ctx, fmt.Sprintf("erasing run %d", id), func(tx *tx) (err error) {
			open, of, err = eraseRun(tx, n, id)
			return err
		})
		if err != nil {
			return erased, left, err
		}
		if open {
			left.Runs = append(left.Runs, id)
			continue
		}
		erased.Runs = append(erased.Runs, id)
		for _, event := range of {
			events[event] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(events)) {
		var done int64
		err := s.write(ctx, fmt.Sprintf("erasing event %d", id), func(tx *tx) (err error) {
			done, err = tx.exec(`UPDATE events SET payload = NULL, delivery = '', note = $2 WHERE id = $1 AND NOT EXISTS (
				SELECT 1 FROM run_events re JOIN runs r ON r.id = re.run_id
				WHERE re.event_id = events.id AND r.state IN ('waiting', 'running', 'retrying'))`, id, erasedReason)
			return err
		})
		if err != nil {
			return erased, left, err
		}
		if done == 0 {
			left.Events = append(left.Events, id)
		} else {
			erased.Events = append(erased.Events, id)
		}
	}
	for _, link := range found.Links {
		if n.in([]byte(link.Local)) || n.in([]byte(link.Remote)) {
			left.Links = append(left.Links, link)
		}
		if !n.in(link.Fingerprints) {
			continue
		}
		// Without fingerprints the next run compares with the record itself.
		err := s.write(ctx, fmt.Sprintf("erasing link %d", link.ID), func(tx *tx) error {
			_, err := tx.exec(`UPDATE links SET fingerprints = NULL WHERE id = $1`, link.ID)
			return err
		})
		if err != nil {
			return erased, left, err
		}
		erased.Links = append(erased.Links, link)
	}
	return erased, left, nil
}

func (s *database) writerRuns(ctx context.Context, statements []string) error {
	for _, statement := range statements {
		if _, err := s.writer.ExecContext(ctx, statement); err != nil {
			return s.failed(ctx, "erasing", err)
		}
	}
	return nil
}

// eraseRun redacts a run and its journal, unless it is open, and returns its
// events.
func eraseRun(tx *tx, n needle, id int64) (open bool, events []int64, err error) {
	run, err := readRun(tx, id)
	if err != nil {
		return false, nil, err
	}
	k := keyOf{run.Instance, run.Key}
	if _, err := lockKeys(tx, []keyOf{k}); err != nil {
		return false, nil, err
	}
	// As it is now that nobody can change it.
	if run, err = readRun(tx, id); err != nil {
		return false, nil, err
	}
	switch run.State {
	case Waiting, Running, Retrying:
		return true, nil, nil
	}
	key := run.Key
	if strings.Contains(strings.ToLower(key), string(n)) {
		key = fmt.Sprintf("erased:%d", id)
	}
	if _, err := tx.exec(`UPDATE runs SET key = $2, input = NULL, result = NULL, reason = $3, code = $4, advice = '',
			ended_at = CASE WHEN state = 'held' THEN {now} ELSE ended_at END,
			state = CASE WHEN state = 'held' THEN 'cancelled' ELSE state END, updated_at = {now}
		WHERE id = $1`, id, key, erasedReason, CodeErased); err != nil {
		return false, nil, err
	}
	if _, err := tx.exec(`UPDATE steps SET input = NULL, output = NULL, hash = '',
			error = CASE error WHEN '' THEN '' ELSE $2 END WHERE run_id = $1`, id, erasedReason); err != nil {
		return false, nil, err
	}
	if _, err := tx.exec(`DELETE FROM leases WHERE instance = $1 AND key = $2 AND head_id IS NULL AND NOT EXISTS (
			SELECT 1 FROM runs WHERE instance = $1 AND key = $2)`, k.instance, k.key); err != nil {
		return false, nil, err
	}
	events, err = collect(tx, scanID, `SELECT event_id FROM run_events WHERE run_id = $1`, id)
	return false, events, err
}
