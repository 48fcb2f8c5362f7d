package store

import (
	"context"
	"crypto/rand"
	"fmt"
)

// pingRoom is what Ping writes, in bytes, once an arrival was refused: more than
// an arrival and its runs take. A full disk often still has the page that a small
// row needs, and would be called sound while it refuses every event.
const pingRoom = 256 << 10

// Ping checks that the store can be written, and after a refused arrival that it
// has room for one again.
func (s *database) Ping(ctx context.Context) error {
	var room []byte // NULL
	refusals := s.refusals.Load()
	doubtful := refusals != s.refuted.Load()
	if doubtful {
		room = make([]byte, pingRoom)
		// Random, for the same bytes again are not written, and others are compressed.
		if _, err := rand.Read(room); err != nil {
			return fmt.Errorf("checking the store: %w", err)
		}
	}
	err := s.write(ctx, "checking the store", func(tx *tx) error {
		_, err := tx.exec(`INSERT INTO pings (instance, at, room) VALUES ('', {now}, $1)
			ON CONFLICT (instance) DO UPDATE SET at = excluded.at, room = excluded.room`, room)
		return err
	})
	if err == nil && doubtful {
		s.refuted.Store(refusals)
	}
	return err
}
