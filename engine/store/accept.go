package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// maxShared bounds the arrivals in one commit: enough that the disk's flush is
// shared by many, few enough that nobody waits long for the others.
const maxShared = 256

// commitTimeout bounds a commit, which does not end with any one caller.
const commitTimeout = 30 * time.Second

// acceptance is a call of Accept that waits for its commit.
type acceptance struct {
	ctx      context.Context
	arrivals []Arrival
	accepted []Accepted
	err      error
	done     chan struct{}
}

// Accept stores events and the runs they start, see [Store].
func (s *database) Accept(ctx context.Context, arrivals ...Arrival) ([]Accepted, error) {
	if len(arrivals) == 0 {
		return nil, nil
	}
	if err := checkArrivals(arrivals); err != nil {
		return nil, fmt.Errorf("accepting an event: %w", err)
	}
	call := &acceptance{ctx: ctx, arrivals: arrivals, done: make(chan struct{})}
	select {
	case s.arrivals <- call:
	case <-s.closing:
		return nil, fmt.Errorf("accepting an event: %w: the store is closed", ErrUnavailable)
	case <-ctx.Done():
		return nil, fmt.Errorf("accepting an event: %w", ctx.Err())
	}
	select {
	case <-call.done:
		return call.accepted, call.err
	case <-ctx.Done():
		return nil, fmt.Errorf("accepting an event (it may be stored all the same): %w", ctx.Err())
	}
}

func checkArrivals(arrivals []Arrival) error {
	for i := range arrivals {
		if err := checkArrival(&arrivals[i]); err != nil {
			return err
		}
	}
	return nil
}

func checkArrival(a *Arrival) error {
	if err := checkName("the instance", a.Event.Instance); err != nil {
		return err
	}
	if err := checkOptionalName("the event's name", a.Event.Name); err != nil {
		return err
	}
	for i := range a.Starts {
		start := &a.Starts[i]
		if err := checkName("the flow", start.Flow); err != nil {
			return err
		}
		// A start with a problem may lack the key that could not be computed.
		if start.Problem != "" {
			if err := checkOptionalName("the key", start.Key); err != nil {
				return err
			}
		} else if err := checkName("the key", start.Key); err != nil {
			return err
		}
	}
	return nil
}

func checkOptionalName(what, name string) error {
	if name == "" {
		return nil
	}
	return checkName(what, name)
}

// commitArrivals commits what callers bring, as much at a time as waits. While
// one commit flushes the disk the next batch gathers, so that the batches grow
// with the load and a lone event waits for nobody.
func (s *database) commitArrivals() {
	defer s.committer.Done()
	for {
		select {
		case call := <-s.arrivals:
			s.commitBatch(s.gather(call))
		case <-s.closing:
			return
		}
	}
}

func (s *database) gather(first *acceptance) []*acceptance {
	batch, size := []*acceptance{first}, len(first.arrivals)
	for size < maxShared {
		select {
		case call := <-s.arrivals:
			batch = append(batch, call)
			size += len(call.arrivals)
		default:
			return batch
		}
	}
	return batch
}

func (s *database) commitBatch(batch []*acceptance) {
	// Callers that gave up while waiting need not be stored.
	batch = slices.DeleteFunc(batch, func(call *acceptance) bool {
		if call.ctx.Err() == nil {
			return false
		}
		call.err = fmt.Errorf("accepting an event: %w", call.ctx.Err())
		close(call.done)
		return true
	})
	if len(batch) == 0 {
		return
	}
	err := s.commit(batch)
	if err != nil && len(batch) > 1 && s.dialect.refused(err) {
		// Something in one of them cannot be stored. Alone, each gets its own answer.
		for _, call := range batch {
			call.err = s.commit([]*acceptance{call})
			close(call.done)
		}
		return
	}
	for _, call := range batch {
		call.err = err
		close(call.done)
	}
}

func (s *database) commit(batch []*acceptance) error {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	s.commits.Add(1)
	err := s.write(ctx, "accepting events", func(tx *tx) error { return acceptAll(tx, batch) })
	if err != nil {
		s.refusals.Add(1)
		for _, call := range batch {
			call.accepted = nil
		}
	}
	return err
}

// keysToStart are the keys that arrivals bring runs to.
func keysToStart(arrivals []Arrival) []keyOf {
	var keys []keyOf
	for i := range arrivals {
		for _, start := range arrivals[i].Starts {
			if start.Problem == "" {
				keys = append(keys, keyOf{arrivals[i].Event.Instance, start.Key})
			}
		}
	}
	return keys
}

// acceptWith stores arrivals within another transaction.
func acceptWith(tx *tx, arrivals []Arrival) ([]Accepted, error) {
	if len(arrivals) == 0 {
		return nil, nil
	}
	call := &acceptance{arrivals: arrivals}
	err := acceptAll(tx, []*acceptance{call})
	return call.accepted, err
}

func acceptAll(tx *tx, batch []*acceptance) error {
	var keys []keyOf
	for _, call := range batch {
		keys = append(keys, keysToStart(call.arrivals)...)
	}
	changed, err := lockKeys(tx, keys)
	if err != nil {
		return err
	}
	for _, call := range batch {
		call.accepted = make([]Accepted, 0, len(call.arrivals))
		for i := range call.arrivals {
			accepted, err := acceptOne(tx, &call.arrivals[i], changed)
			if err != nil {
				return err
			}
			call.accepted = append(call.accepted, accepted)
		}
	}
	// A new run goes behind the runs that its key already has, so only a key that
	// had none, or got a held one back, has another head now.
	for _, k := range sortedKeys(changed) {
		if changed[k] {
			if err := refreshHead(tx, k); err != nil {
				return err
			}
		}
	}
	return nil
}

func acceptOne(tx *tx, a *Arrival, changed map[keyOf]bool) (Accepted, error) {
	var accepted Accepted
	e := &a.Event
	err := tx.row(`INSERT INTO events (instance, source, name, delivery, payload, note, at)
		VALUES ($1, $2, $3, $4, $5, $6, {now}) RETURNING id`,
		[]any{e.Instance, text(e.Source), e.Name, text(e.Delivery), blob(e.Payload), text(e.Note)}, &accepted.EventID)
	if err != nil {
		return accepted, err
	}
	for i := range a.Starts {
		start := &a.Starts[i]
		k := keyOf{e.Instance, start.Key}
		runID, wasHeld, err := fold(tx, k, start, accepted.EventID)
		if err == nil && runID == 0 {
			runID, err = insertRun(tx, k, start, accepted.EventID)
		}
		if err == nil {
			// Two starts of one event may fold into one run.
			_, err = tx.exec(`INSERT INTO run_events (instance, event_id, run_id) VALUES ($1, $2, $3)
				ON CONFLICT (event_id, run_id) DO NOTHING`, e.Instance, accepted.EventID, runID)
		}
		if err != nil {
			return accepted, err
		}
		if wasHeld {
			changed[k] = true
		}
		accepted.RunIDs = append(accepted.RunIDs, runID)
	}
	return accepted, nil
}

// fold puts an event into a run that has not begun, or into a held one. Among
// several the last one of the key is taken: it runs after all that waits.
func fold(tx *tx, k keyOf, start *Start, eventID int64) (runID int64, wasHeld bool, err error) {
	if start.Problem != "" {
		return 0, false, nil
	}
	var state State
	err = tx.row(`SELECT id, state FROM runs
		WHERE instance = $1 AND flow = $2 AND key = $3 AND state IN ('waiting', 'held')
			AND (input = $4 OR (input IS NULL AND $5 = 1))
		ORDER BY CASE state WHEN 'waiting' THEN 0 ELSE 1 END, first_event DESC, flow_order DESC, id DESC
		LIMIT 1`,
		[]any{k.instance, start.Flow, k.key, blob(start.Input), flag(start.Input == nil)}, &runID, &state)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	if state == Waiting {
		_, err = tx.exec(`UPDATE runs SET event_id = $1, version = $2, updated_at = {now} WHERE id = $3`,
			eventID, text(start.Version), runID)
		return runID, false, err
	}
	_, err = tx.exec(`UPDATE runs SET event_id = $1, version = $2, state = 'waiting', tries = 0,
			reason = '', code = '', advice = '', due_at = {now}, updated_at = {now}, ended_at = 0
		WHERE id = $3`, eventID, text(start.Version), runID)
	return runID, true, err
}

func insertRun(tx *tx, k keyOf, start *Start, eventID int64) (runID int64, err error) {
	state, failed := Waiting, 0
	if start.Problem != "" {
		state, failed = Failed, 1
	}
	err = tx.row(`INSERT INTO runs (instance, flow, flow_order, key, version, state, first_event, event_id,
			input, reason, due_at, created_at, updated_at, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, {now}, {now}, {now}, {now} * $10) RETURNING id`,
		[]any{k.instance, start.Flow, start.Order, k.key, text(start.Version), string(state), eventID,
			blob(start.Input), text(start.Problem), failed}, &runID)
	return runID, err
}
