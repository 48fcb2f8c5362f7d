package store

import (
	"context"
	"fmt"
	"strings"
)

// defaultPage is the length of a listing whose limit is 0.
const defaultPage = 100

func page(limit int) int {
	if limit <= 0 {
		return defaultPage
	}
	return min(limit, MaxPage)
}

const (
	commonRunColumns = `r.id, r.instance, r.flow, r.key, r.version, r.state, r.event_id, coalesce(e.name, ''),
		r.attempt, r.tries, r.due_at, r.reason, r.code, r.advice,
		r.created_at, r.updated_at, r.started_at, r.ended_at, `
	runColumns     = commonRunColumns + `e.payload, r.input, r.result`
	bareRunColumns = commonRunColumns + `NULL, NULL, NULL`
)

func scanRun(row scanner) (Run, error) {
	var r Run
	var due, created, updated, started, ended int64
	err := row.Scan(&r.ID, &r.Instance, &r.Flow, &r.Key, &r.Version, &r.State, &r.EventID, &r.EventName,
		&r.Attempt, &r.Tries, &due, &r.Reason, &r.Code, &r.Advice,
		&created, &updated, &started, &ended, &r.Event, &r.Input, &r.Result)
	r.DueAt, r.CreatedAt, r.UpdatedAt = instant(due), instant(created), instant(updated)
	r.StartedAt, r.EndedAt = instant(started), instant(ended)
	return r, err
}

func readRun(tx *tx, id int64) (Run, error) {
	runs, err := collect(tx, scanRun, `SELECT `+runColumns+`
		FROM runs r LEFT JOIN events e ON e.id = r.event_id WHERE r.id = $1`, id)
	if err != nil {
		return Run{}, err
	}
	if len(runs) == 0 {
		return Run{}, ErrNotFound
	}
	return runs[0], nil
}

// Run reads one run.
func (s *database) Run(ctx context.Context, id int64) (Run, error) {
	var run Run
	err := s.read(ctx, fmt.Sprintf("reading run %d", id), func(tx *tx) (err error) {
		run, err = readRun(tx, id)
		return err
	})
	return run, err
}

// conditions gathers the WHERE of a listing.
type conditions struct {
	terms []string
	args  []any
}

// add takes a term with one %s for each value.
func (c *conditions) add(term string, values ...any) {
	holders := make([]any, len(values))
	for i, value := range values {
		c.args = append(c.args, value)
		holders[i] = fmt.Sprintf("$%d", len(c.args))
	}
	c.terms = append(c.terms, fmt.Sprintf(term, holders...))
}

func (c *conditions) where() string {
	if len(c.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.terms, " AND ")
}

// Runs lists runs, newest first, see [Store].
func (s *database) Runs(ctx context.Context, f RunFilter) ([]Run, error) {
	var c conditions
	if f.Instance != "" {
		c.add("r.instance = %s", f.Instance)
	}
	if f.Flow != "" {
		c.add("r.flow = %s", f.Flow)
	}
	if f.Key != "" {
		c.add("r.key = %s", f.Key)
	}
	if f.Record != "" {
		c.add("substr(r.key, length(r.key) - length(CAST(%s AS TEXT))) = %s", text(f.Record), ":"+text(f.Record))
	}
	if len(f.States) > 0 {
		states := make([]any, len(f.States))
		for i, state := range f.States {
			states[i] = string(state)
		}
		c.add("r.state IN (%s"+strings.Repeat(", %s", len(states)-1)+")", states...)
	}
	if f.EventID != 0 {
		c.add("r.id IN (SELECT run_id FROM run_events WHERE event_id = %s)", f.EventID)
	}
	if !f.Since.IsZero() {
		c.add("r.updated_at >= %s", micros(f.Since))
	}
	if f.Before > 0 {
		c.add("r.id < %s", f.Before)
	}
	var runs []Run
	err := s.read(ctx, "listing runs", func(tx *tx) (err error) {
		runs, err = collect(tx, scanRun, `SELECT `+runColumns+`
			FROM runs r LEFT JOIN events e ON e.id = r.event_id`+c.where()+
			fmt.Sprintf(` ORDER BY r.id DESC LIMIT %d`, page(f.Limit)), c.args...)
		return err
	})
	return runs, err
}

// Events lists an instance's events, newest first, see [Store].
func (s *database) Events(ctx context.Context, instance string, before int64, limit int) ([]Event, error) {
	var c conditions
	if instance != "" {
		c.add("instance = %s", instance)
	}
	if before > 0 {
		c.add("id < %s", before)
	}
	var events []Event
	err := s.read(ctx, "listing events", func(tx *tx) (err error) {
		events, err = collect(tx, scanEvent, `SELECT id, instance, source, name, delivery, payload, note, at
			FROM events`+c.where()+fmt.Sprintf(` ORDER BY id DESC LIMIT %d`, page(limit)), c.args...)
		return err
	})
	return events, err
}

func scanEvent(row scanner) (Event, error) {
	var e Event
	var at int64
	err := row.Scan(&e.ID, &e.Instance, &e.Source, &e.Name, &e.Delivery, &e.Payload, &e.Note, &at)
	e.At = instant(at)
	return e, err
}

// Counts returns the number of runs by state.
func (s *database) Counts(ctx context.Context, instance string) (map[State]int, error) {
	counts := map[State]int{}
	err := s.read(ctx, "counting runs", func(tx *tx) error {
		var c conditions
		if instance != "" {
			c.add("instance = %s", instance)
		}
		_, err := collect(tx, func(row scanner) (struct{}, error) {
			var state State
			var n int
			err := row.Scan(&state, &n)
			counts[state] = n
			return struct{}{}, err
		}, `SELECT state, count(*) FROM runs`+c.where()+` GROUP BY state`, c.args...)
		return err
	})
	return counts, err
}
