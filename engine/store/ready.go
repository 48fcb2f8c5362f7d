package store

import (
	"context"
	"database/sql"
	"time"
)

// Ready lists runs that can be claimed now, see [Store]. Its cost depends on the
// number of instances and on limit, not on how many runs wait or have ended.
func (s *database) Ready(ctx context.Context, limit int) ([]Run, error) {
	if limit <= 0 {
		return nil, nil
	}
	var byInstance [][]Run
	err := s.read(ctx, "looking for runs to work", func(tx *tx) error {
		byInstance = nil
		for instance := ""; ; {
			// min() takes one look into the index for each instance, where DISTINCT
			// would walk all of it.
			var next sql.NullString
			if err := tx.row(`SELECT min(instance) FROM leases WHERE head_id IS NOT NULL AND instance > $1`,
				[]any{instance}, &next); err != nil || !next.Valid {
				return err
			}
			instance = next.String
			runs, err := collect(tx, scanRun, `SELECT `+bareRunColumns+`
				FROM leases l
				JOIN runs r ON r.id = l.head_id
				LEFT JOIN events e ON e.id = r.event_id
				WHERE l.instance = $1 AND l.head_id IS NOT NULL AND l.ready_at <= {now}
					AND NOT EXISTS (SELECT 1 FROM instances WHERE name = $1 AND state <> 'active')
				ORDER BY l.ready_at, l.head_id LIMIT $2`, instance, limit)
			if err != nil {
				return err
			}
			byInstance = append(byInstance, runs)
		}
	})
	if err != nil {
		return nil, err
	}
	return inTurn(byInstance), nil
}

// inTurn takes the first of each list, then the second of each, and so on.
func inTurn(lists [][]Run) []Run {
	var all []Run
	for i := 0; ; i++ {
		before := len(all)
		for _, list := range lists {
			if i < len(list) {
				all = append(all, list[i])
			}
		}
		if len(all) == before {
			return all
		}
	}
}

// NextDue says how long until the next Retrying run becomes due, see [Store].
func (s *database) NextDue(ctx context.Context) (time.Duration, bool, error) {
	var wait sql.NullInt64
	err := s.read(ctx, "looking for the next retry", func(tx *tx) error {
		return tx.row(`SELECT min(due_at) - {now} FROM runs WHERE state = 'retrying' AND due_at > {now}`, nil, &wait)
	})
	if err != nil || !wait.Valid {
		return 0, false, err
	}
	return time.Duration(max(wait.Int64, 0)) * time.Microsecond, true, nil
}
