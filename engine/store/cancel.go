package store

import (
	"context"
	"database/sql"
	"errors"
)

// Cancel sets runs aside for good, see [Store].
func (s *database) Cancel(ctx context.Context, reason string, runIDs ...int64) ([]int64, error) {
	var cancelled []int64
	err := s.write(ctx, "cancelling runs", func(tx *tx) error {
		cancelled = nil
		keys, err := keysOf(tx, runIDs)
		if err != nil {
			return err
		}
		if _, err := lockKeys(tx, keys); err != nil {
			return err
		}
		for _, id := range runIDs {
			n, err := tx.exec(`UPDATE runs SET state = 'cancelled', advice = '', updated_at = {now}, ended_at = {now},
					reason = $2 || CASE reason WHEN '' THEN '' ELSE ' (was ' || state || ': ' || reason || ')' END
				WHERE id = $1 AND state IN ('waiting', 'retrying', 'held', 'failed') AND code <> $3`,
				id, text(reason), CodeErased)
			if err != nil {
				return err
			}
			if n > 0 {
				cancelled = append(cancelled, id)
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
	return cancelled, nil
}

// keysOf reads the keys of runs; those that do not exist have none.
func keysOf(tx *tx, runIDs []int64) ([]keyOf, error) {
	keys := make([]keyOf, 0, len(runIDs))
	for _, id := range runIDs {
		var k keyOf
		err := tx.row(`SELECT instance, key FROM runs WHERE id = $1`, []any{id}, &k.instance, &k.key)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}
