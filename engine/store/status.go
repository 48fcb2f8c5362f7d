package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Backlog is what an instance has not ended well, or not ended.
type Backlog struct {
	Runs map[State]int // waiting, running, retrying, held and failed
	// OldestWaiting is since when the run that waits longest could be worked; zero
	// when none waits.
	OldestWaiting time.Time
}

// Status sums up how an instance stands. Instants are zero where there is
// nothing of the kind.
type Status struct {
	Backlog
	// OldestProblem is since when the oldest run is held or failed.
	OldestProblem time.Time
	LastEvent     time.Time
	Links         map[string]int // filled links by table
}

// Backlog counts what is open, held or failed, see [Store]. Its cost does not
// depend on how many runs have ended well.
func (s *database) Backlog(ctx context.Context, instance string) (Backlog, error) {
	backlog := Backlog{Runs: map[State]int{}}
	err := s.read(ctx, "counting what is open in "+instance, func(tx *tx) error {
		_, err := collect(tx, func(row scanner) (struct{}, error) {
			var state State
			var n int
			var due int64
			err := row.Scan(&state, &n, &due)
			backlog.Runs[state] = n
			if state == Waiting {
				backlog.OldestWaiting = instant(due)
			}
			return struct{}{}, err
		}, `SELECT state, count(*), min(due_at) FROM runs
			WHERE instance = $1 AND state IN ('waiting', 'running', 'retrying', 'held', 'failed') GROUP BY state`, instance)
		return err
	})
	return backlog, err
}

// Status sums up how an instance stands, see [Store].
func (s *database) Status(ctx context.Context, instance string) (Status, error) {
	status := Status{Links: map[string]int{}}
	var err error
	if status.Backlog, err = s.Backlog(ctx, instance); err != nil {
		return Status{}, err
	}
	err = s.read(ctx, "summing up "+instance, func(tx *tx) error {
		for _, q := range []struct {
			into  *time.Time
			query string
		}{
			{&status.OldestProblem, `SELECT min(updated_at) FROM runs WHERE instance = $1 AND state IN ('held', 'failed')`},
			{&status.LastEvent, `SELECT max(at) FROM events WHERE id = (SELECT max(id) FROM events WHERE instance = $1)`},
		} {
			var at sql.NullInt64
			if err := tx.row(q.query, []any{instance}, &at); err != nil {
				return err
			}
			*q.into = instant(at.Int64)
		}
		_, err := collect(tx, func(row scanner) (struct{}, error) {
			var table string
			var n int
			err := row.Scan(&table, &n)
			status.Links[table] = n
			return struct{}{}, err
		}, `SELECT tbl, count(*) FROM links WHERE instance = $1 AND state = 'linked' GROUP BY tbl`, instance)
		return err
	})
	return status, err
}

// ProblemFilter selects runs that are held or failed; zero fields but Instance
// do not restrict.
type ProblemFilter struct {
	Instance string
	// Since lists by when they became such, from this instant on; of that very
	// instant those with an id greater than After.
	Since time.Time
	// After, without Since, lists by id, those with a greater one.
	After int64
	Limit int // 0 means 100
}

// Problems lists held and failed runs, see [Store].
func (s *database) Problems(ctx context.Context, f ProblemFilter) ([]Run, error) {
	var c conditions
	c.add("r.instance = %s", f.Instance)
	c.add("r.state IN (%s, %s)", string(Held), string(Failed))
	order := "r.id"
	if !f.Since.IsZero() {
		order = "r.updated_at, r.id"
		c.add("(r.updated_at, r.id) > (%s, %s)", micros(f.Since), f.After)
	} else if f.After > 0 {
		c.add("r.id > %s", f.After)
	}
	var runs []Run
	err := s.read(ctx, "listing problems", func(tx *tx) (err error) {
		runs, err = collect(tx, scanRun, `SELECT `+bareRunColumns+`
			FROM runs r LEFT JOIN events e ON e.id = r.event_id`+c.where()+
			fmt.Sprintf(` ORDER BY %s LIMIT %d`, order, page(f.Limit)), c.args...)
		return err
	})
	return runs, err
}
