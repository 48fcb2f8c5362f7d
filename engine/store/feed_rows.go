package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

const feedColumns = `instance, name, cursor, since, walking, walk, walk_at, sweep, started, covered_to,
	last_poll, succeeded, failed_at, last_error, failures, retry_at, events, known, asked_at, asked_since, accept_gone,
	CASE WHEN expires_at > {now} THEN owner ELSE '' END, {now}`

func scanFeed(row scanner) (f FeedState, err error) {
	var since, walking, walkAt, sweep, started, covered, poll, succeeded, failed, retry, asked, askedSince, gone, now int64
	err = row.Scan(&f.Instance, &f.Name, &f.Cursor, &since, &walking, &f.Walk, &walkAt, &sweep, &started, &covered,
		&poll, &succeeded, &failed, &f.LastError, &f.Failures, &retry, &f.Events, &f.Known, &asked, &askedSince, &gone, &f.Owner, &now)
	f.Since, f.WalkAt, f.CoveredTo, f.LastPoll = instant(since), instant(walkAt), instant(covered), instant(poll)
	f.LastSuccess, f.FailedAt, f.RetryAt = instant(succeeded), instant(failed), instant(retry)
	f.AskedAt, f.AskedSince, f.Now = instant(asked), instant(askedSince), instant(now)
	f.Walking, f.Sweep, f.Started, f.AcceptGone = walking == 1, sweep == 1, started == 1, gone == 1
	return f, err
}

// Feeds lists the feeds that are known, see [Feeds].
func (s *database) Feeds(ctx context.Context, instance string) (all []FeedState, err error) {
	err = s.read(ctx, "reading the feeds", func(tx *tx) (err error) {
		all, err = collect(tx, scanFeed, `SELECT `+feedColumns+` FROM feeds WHERE instance = $1 OR $1 = '' ORDER BY instance, name`, instance)
		return err
	})
	return all, err
}

// askedMargin is how far before the end of what is covered a walk begins anew,
// for clocks that differ and changes that were committed late.
const askedMargin = 10 * time.Minute

// ClaimFeed leases a feed that is due, see [Feeds].
func (s *database) ClaimFeed(ctx context.Context, instance, name, owner string, since time.Time, every, ttl time.Duration) (FeedState, FeedLease, error) {
	var state FeedState
	lease := FeedLease{Instance: instance, Name: name, Owner: text(owner)}
	doing := fmt.Sprintf("claiming the feed %s of %s", name, instance)
	if lease.Owner == "" {
		return state, lease, fmt.Errorf("%s: %w: the owner is empty", doing, ErrInvalid)
	}
	err := s.write(ctx, doing, func(tx *tx) error {
		if err := errors.Join(checkName("the instance", instance), checkName("the feed's name", name)); err != nil {
			return err
		}
		if _, err := tx.exec(`INSERT INTO feeds (instance, name, since) VALUES ($1, $2, $3) ON CONFLICT (instance, name) DO NOTHING`,
			instance, name, micros(since)); err != nil {
			return err
		}
		// Whoever asked for the first poll did not know where it begins.
		if _, err := tx.exec(`UPDATE feeds SET since = $3 WHERE instance = $1 AND name = $2 AND last_poll = 0`, instance, name, micros(since)); err != nil {
			return err
		}
		err := tx.row(`UPDATE feeds SET epoch = epoch + 1, owner = $3, expires_at = {now} + $4, last_poll = {now}
			WHERE instance = $1 AND name = $2 AND expires_at <= {now} AND (
				CASE WHEN failures > 0 THEN retry_at <= {now}
				ELSE walking = 1 OR last_poll + $5 <= {now} OR (asked_at > 0 AND asked_at <= {now}) END)
			RETURNING epoch`,
			[]any{instance, name, lease.Owner, ttl.Microseconds(), every.Microseconds()}, &lease.Epoch)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotRunnable
		}
		if err != nil {
			return err
		}
		// To begin again, but not behind what was not announced yet.
		if _, err := tx.exec(`UPDATE feeds SET cursor = '', walking = 0, sweep = 1, asked_since = 0,
				since = CASE WHEN covered_to = 0 THEN CASE WHEN since < asked_since THEN since ELSE asked_since END
					WHEN covered_to - $3 < asked_since THEN covered_to - $3 ELSE asked_since END
			WHERE instance = $1 AND name = $2 AND asked_since > 0`, instance, name, askedMargin.Microseconds()); err != nil {
			return err
		}
		if _, err := tx.exec(`UPDATE feeds SET walking = 1, walk = walk + 1, walk_at = {now}
			WHERE instance = $1 AND name = $2 AND walking = 0`, instance, name); err != nil {
			return err
		}
		found, err := collect(tx, scanFeed, `SELECT `+feedColumns+` FROM feeds WHERE instance = $1 AND name = $2`, instance, name)
		if err == nil {
			state = found[0]
		}
		return err
	})
	if err != nil {
		return FeedState{}, FeedLease{}, err
	}
	return state, lease, nil
}

// RenewFeed extends a lease, see [Feeds].
func (s *database) RenewFeed(ctx context.Context, lease FeedLease, ttl time.Duration) error {
	return s.write(ctx, "renewing the lease of the feed "+lease.Name, func(tx *tx) error { return renewFeed(tx, lease, ttl) })
}

// renewFeed also keeps others from taking the lease until the commit.
func renewFeed(tx *tx, lease FeedLease, ttl time.Duration) error {
	n, err := tx.exec(`UPDATE feeds SET expires_at = CASE WHEN {now} + $5 > expires_at THEN {now} + $5 ELSE expires_at END
		WHERE instance = $1 AND name = $2 AND owner = $3 AND epoch = $4 AND expires_at > {now}`,
		lease.Instance, lease.Name, lease.Owner, lease.Epoch, ttl.Microseconds())
	if err == nil && n == 0 {
		return ErrLeaseLost
	}
	return err
}

// SaveFeed stores a page, see [Feeds].
func (s *database) SaveFeed(ctx context.Context, lease FeedLease, page FeedPage) ([]Accepted, error) {
	doing := "saving a page of the feed " + lease.Name
	for i := range page.Arrivals {
		if err := checkArrival(&page.Arrivals[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
	}
	var accepted []Accepted
	err := s.write(ctx, doing, func(tx *tx) error {
		if err := renewFeed(tx, lease, page.TTL); err != nil {
			return err
		}
		batch := &acceptance{arrivals: page.Arrivals}
		if err := acceptAll(tx, []*acceptance{batch}); err != nil {
			return err
		}
		accepted = batch.accepted
		for _, key := range slices.Sorted(maps.Keys(page.Seen)) {
			if err := checkName("the key of a record", key); err != nil {
				return err
			}
			if _, err := tx.exec(`INSERT INTO feed_records (instance, feed, key, fingerprint, walk)
				SELECT $1, $2, $3, $4, walk FROM feeds WHERE instance = $1 AND name = $2
				ON CONFLICT (instance, feed, key) DO UPDATE SET fingerprint = excluded.fingerprint, walk = excluded.walk`,
				lease.Instance, lease.Name, key, text(page.Seen[key])); err != nil {
				return err
			}
		}
		for _, key := range page.Gone {
			if _, err := tx.exec(`DELETE FROM feed_records WHERE instance = $1 AND feed = $2 AND key = $3`, lease.Instance, lease.Name, key); err != nil {
				return err
			}
		}
		if len(page.Arrivals) > 0 {
			if _, err := tx.exec(`UPDATE feeds SET events = events + $3 WHERE instance = $1 AND name = $2`, lease.Instance, lease.Name, len(page.Arrivals)); err != nil {
				return err
			}
		}
		if page.Cursor == nil {
			return nil
		}
		_, err := tx.exec(`UPDATE feeds SET cursor = $3 WHERE instance = $1 AND name = $2`, lease.Instance, lease.Name, text(*page.Cursor))
		return err
	})
	if err != nil {
		return nil, err
	}
	return accepted, nil
}

// EndFeed ends a poll, see [Feeds].
func (s *database) EndFeed(ctx context.Context, lease FeedLease, end FeedEnd) error {
	return s.write(ctx, "ending a poll of the feed "+lease.Name, func(tx *tx) error {
		if err := renewFeed(tx, lease, 0); err != nil {
			return err
		}
		of := []any{lease.Instance, lease.Name}
		if end.Walked {
			if _, err := tx.exec(`UPDATE feeds SET walking = 0, started = 1, sweep = 0, covered_to = walk_at, known = $3, accept_gone = 0
				WHERE instance = $1 AND name = $2`, append(of, end.Known)...); err != nil {
				return err
			}
		}
		// Who asked before this poll began was served by it, unless it failed.
		if end.Err == "" {
			_, err := tx.exec(`UPDATE feeds SET owner = '', expires_at = 0, succeeded = {now}, last_error = '', failures = 0, retry_at = 0,
					asked_at = CASE WHEN asked_last >= last_poll THEN asked_last ELSE 0 END,
					asked_last = CASE WHEN asked_last >= last_poll THEN asked_last ELSE 0 END
				WHERE instance = $1 AND name = $2`, of...)
			return err
		}
		_, err := tx.exec(`UPDATE feeds SET owner = '', expires_at = 0, failed_at = {now}, last_error = $3, failures = failures + 1, retry_at = {now} + $4
			WHERE instance = $1 AND name = $2`, append(of, text(end.Err), max(end.After, 0).Microseconds())...)
		return err
	})
}

// AskFeed asks for a poll, see [Feeds].
func (s *database) AskFeed(ctx context.Context, instance, name string, request FeedRequest) error {
	return s.write(ctx, "asking for a poll of the feed "+name, func(tx *tx) error {
		if err := errors.Join(checkName("the instance", instance), checkName("the feed's name", name)); err != nil {
			return err
		}
		if _, err := tx.exec(`INSERT INTO feeds (instance, name) VALUES ($1, $2) ON CONFLICT (instance, name) DO NOTHING`, instance, name); err != nil {
			return err
		}
		_, err := tx.exec(`UPDATE feeds SET
				asked_at = CASE WHEN asked_at > 0 AND asked_at < {now} + $3 THEN asked_at ELSE {now} + $3 END,
				asked_last = CASE WHEN asked_last > {now} + $3 THEN asked_last ELSE {now} + $3 END,
				asked_since = CASE WHEN CAST($4 AS BIGINT) = 0 OR (asked_since > 0 AND asked_since < $4) THEN asked_since ELSE $4 END,
				accept_gone = CASE WHEN $5 = 1 THEN 1 ELSE accept_gone END,
				retry_at = CASE WHEN $6 = 1 THEN 0 ELSE retry_at END
			WHERE instance = $1 AND name = $2`,
			instance, name, max(request.After, 0).Microseconds(), micros(request.Since), flag(request.AcceptGone), flag(request.Urgent))
		return err
	})
}

// ResetFeed forgets a feed, see [Feeds].
func (s *database) ResetFeed(ctx context.Context, instance, name string) error {
	for {
		var left int64
		err := s.write(ctx, "resetting the feed "+name, func(tx *tx) error {
			// First, so that a poll under way cannot write any more.
			if _, err := tx.exec(`DELETE FROM feeds WHERE instance = $1 AND name = $2`, instance, name); err != nil {
				return err
			}
			n, err := tx.exec(`DELETE FROM feed_records WHERE instance = $1 AND feed = $2 AND key IN (
				SELECT key FROM feed_records WHERE instance = $1 AND feed = $2 LIMIT 1000)`, instance, name)
			left = n
			return err
		})
		if err != nil || left == 0 {
			return err
		}
	}
}
