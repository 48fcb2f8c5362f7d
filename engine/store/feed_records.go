package store

import "context"

// FeedRecords reads fingerprints, see [Feeds].
func (s *database) FeedRecords(ctx context.Context, instance, name string, keys ...string) (map[string]string, error) {
	known := make(map[string]string, len(keys))
	err := s.read(ctx, "reading the records of the feed "+name, func(tx *tx) error {
		for len(keys) > 0 {
			some := keys[:min(len(keys), 500)]
			keys = keys[len(some):]
			args := []any{instance, name}
			for _, key := range some {
				args = append(args, key)
			}
			_, err := collect(tx, func(row scanner) (struct{}, error) {
				var key, fingerprint string
				err := row.Scan(&key, &fingerprint)
				known[key] = fingerprint
				return struct{}{}, err
			}, `SELECT key, fingerprint FROM feed_records WHERE instance = $1 AND feed = $2 AND key IN (`+holders(3, len(some))+`)`, args...)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return known, err
}

// FeedMissing lists records that a walk did not meet, see [Feeds].
func (s *database) FeedMissing(ctx context.Context, instance, name string, walk int64, after string, limit int) (keys []string, err error) {
	err = s.read(ctx, "reading what the feed "+name+" misses", func(tx *tx) (err error) {
		keys, err = collect(tx, func(row scanner) (key string, err error) { return key, row.Scan(&key) },
			`SELECT key FROM feed_records WHERE instance = $1 AND feed = $2 AND walk < $3 AND key > $4 ORDER BY key LIMIT $5`,
			instance, name, walk, after, limit)
		return err
	})
	return keys, err
}

// FeedCounts counts records, see [Feeds].
func (s *database) FeedCounts(ctx context.Context, instance, name string, walk int64) (known, missing int64, err error) {
	err = s.read(ctx, "counting the records of the feed "+name, func(tx *tx) error {
		return tx.row(`SELECT count(*), coalesce(sum(CASE WHEN walk < $3 THEN 1 ELSE 0 END), 0) FROM feed_records WHERE instance = $1 AND feed = $2`,
			[]any{instance, name, walk}, &known, &missing)
	})
	return known, missing, err
}
