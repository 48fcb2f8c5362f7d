package store

import (
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strings"
)

// keyOf names a key across instances.
type keyOf struct{ instance, key string }

func compareKeys(a, b keyOf) int {
	if c := strings.Compare(a.instance, b.instance); c != 0 {
		return c
	}
	return strings.Compare(a.key, b.key)
}

func sortedKeys(keys map[keyOf]bool) []keyOf {
	return slices.SortedFunc(maps.Keys(keys), compareKeys)
}

// lockKeys locks the keys in their sorted order, making the rows of new ones,
// and tells which of them have no head.
func lockKeys(tx *tx, keys []keyOf) (headless map[keyOf]bool, err error) {
	headless = make(map[keyOf]bool, len(keys))
	slices.SortFunc(keys, compareKeys)
	for _, k := range slices.Compact(keys) {
		var head sql.NullInt64
		// The update changes nothing; it locks the row and lets it be returned.
		err := tx.row(`INSERT INTO leases (instance, key) VALUES ($1, $2)
			ON CONFLICT (instance, key) DO UPDATE SET run_id = leases.run_id
			RETURNING head_id`, []any{k.instance, k.key}, &head)
		if err != nil {
			return nil, err
		}
		headless[k] = !head.Valid
	}
	return headless, nil
}

// refreshHead finds the first open run of a key after its runs changed, and when
// it can be claimed. The key is locked.
func refreshHead(tx *tx, k keyOf) error {
	_, err := tx.exec(`UPDATE leases SET (head_id, ready_at) = (
			SELECT id, CASE WHEN due_at > leases.expires_at THEN due_at ELSE leases.expires_at END
			FROM runs
			WHERE instance = $1 AND key = $2 AND state IN ('waiting', 'running', 'retrying')
			ORDER BY first_event, flow_order, id LIMIT 1)
		WHERE instance = $1 AND key = $2`, k.instance, k.key)
	return err
}

// endLease frees a key that is locked. It returns the key's next run if that can
// be claimed now, else 0.
func endLease(tx *tx, k keyOf) (next int64, err error) {
	err = tx.row(`UPDATE leases SET run_id = 0, owner = '', expires_at = 0, (head_id, ready_at) = (
			SELECT id, due_at FROM runs
			WHERE instance = $1 AND key = $2 AND state IN ('waiting', 'running', 'retrying')
			ORDER BY first_event, flow_order, id LIMIT 1)
		WHERE instance = $1 AND key = $2
		RETURNING CASE WHEN ready_at <= {now} THEN head_id ELSE 0 END`, []any{k.instance, k.key}, &next)
	return next, err
}

// holdsLease gives ErrLeaseLost unless the lease holds now, and keeps others
// from taking it until the commit.
func holdsLease(tx *tx, l Lease) error {
	var one int
	err := tx.row(`SELECT 1 FROM leases
		WHERE instance = $1 AND key = $2 AND run_id = $3 AND epoch = $4 AND expires_at > {now}{lock}`,
		[]any{l.Instance, l.Key, l.RunID, l.Epoch}, &one)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrLeaseLost
	}
	return err
}
