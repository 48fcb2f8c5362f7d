package store

import (
	"context"
	"fmt"
	"time"
)

// Pulse tells whether anything happened to an instance's runs: two that are
// equal mean that nothing did.
type Pulse struct {
	LastRun   int64
	LastEnded time.Time // of all instances
	// Open, held and failed runs; what ended well is not counted, for there may be
	// millions.
	Waiting, Running, Retrying, Held, Failed int
}

// Slot counts the runs that ended, or were held, in a stretch of time.
type Slot struct {
	At                                        time.Time // its begin
	Succeeded, Skipped, Held, Failed, Ignored int
	// Lag is how long the runs that ended took from their making to their end, on
	// average.
	Lag time.Duration
}

// History answers what a panel asks about runs as a whole.
type History interface {
	// Pulse is cheap enough to be asked every second.
	Pulse(ctx context.Context, instance string) (Pulse, error)
	// History counts the runs since a moment by slots of a length, oldest first;
	// slots in which nothing ended are left out.
	History(ctx context.Context, instance string, since time.Time, slot time.Duration) ([]Slot, error)
	// OldestOpen is when the oldest open run was made; zero when none is open.
	OldestOpen(ctx context.Context, instance string) (time.Time, error)
}

// Pulse reads an instance's pulse, see [History].
func (s *database) Pulse(ctx context.Context, instance string) (p Pulse, err error) {
	err = s.read(ctx, "reading the pulse", func(tx *tx) error {
		p = Pulse{}
		var ended int64
		if err := tx.row(`SELECT coalesce(max(ended_at), 0) FROM runs WHERE state IN ('succeeded', 'skipped', 'failed', 'cancelled')`, nil, &ended); err != nil {
			return err
		}
		p.LastEnded = instant(ended)
		if err := tx.row(`SELECT coalesce(max(id), 0) FROM runs`, nil, &p.LastRun); err != nil {
			return err
		}
		_, err := collect(tx, func(row scanner) (struct{}, error) {
			var state State
			var n int
			err := row.Scan(&state, &n)
			switch state {
			case Waiting:
				p.Waiting = n
			case Running:
				p.Running = n
			case Retrying:
				p.Retrying = n
			case Held:
				p.Held = n
			case Failed:
				p.Failed = n
			}
			return struct{}{}, err
		}, `SELECT state, count(*) FROM runs WHERE instance = $1
			AND state IN ('waiting', 'running', 'retrying', 'held', 'failed') GROUP BY state`, instance)
		return err
	})
	return p, err
}

// History counts runs by slots, see [History].
func (s *database) History(ctx context.Context, instance string, since time.Time, slot time.Duration) (slots []Slot, err error) {
	length := slot.Microseconds()
	if length <= 0 {
		return nil, fmt.Errorf("counting runs: %w: a slot of %s", ErrInvalid, slot)
	}
	type count struct {
		slot, n, lag int64
		state        State
	}
	var counts []count
	err = s.read(ctx, "counting runs", func(tx *tx) (err error) {
		counts, err = collect(tx, func(row scanner) (c count, err error) {
			return c, row.Scan(&c.slot, &c.state, &c.n, &c.lag)
		}, `SELECT ended_at / $3, state, count(*), CAST(sum(ended_at - created_at) AS BIGINT) FROM runs
			WHERE state IN ('succeeded', 'skipped', 'failed', 'cancelled') AND ended_at >= $2 AND instance = $1
			GROUP BY ended_at / $3, state
			UNION ALL
			SELECT updated_at / $3, state, count(*), 0 FROM runs
			WHERE instance = $1 AND state = 'held' AND updated_at >= $2
			GROUP BY updated_at / $3, state
			ORDER BY 1`, instance, micros(since), length)
		return err
	})
	if err != nil {
		return nil, err
	}
	var ended, lag int64
	for _, c := range counts {
		at := instant(c.slot * length)
		if len(slots) == 0 || !slots[len(slots)-1].At.Equal(at) {
			slots, ended, lag = append(slots, Slot{At: at}), 0, 0
		}
		last := &slots[len(slots)-1]
		switch c.state {
		case Succeeded:
			last.Succeeded = int(c.n)
		case Skipped:
			last.Skipped = int(c.n)
		case Held:
			last.Held = int(c.n)
		case Failed:
			last.Failed = int(c.n)
		case Cancelled:
			last.Ignored = int(c.n)
		}
		// What a person set aside says nothing about how fast the work goes.
		if c.state == Succeeded || c.state == Skipped {
			ended, lag = ended+c.n, lag+c.lag
			last.Lag = time.Duration(lag/ended) * time.Microsecond
		}
	}
	return slots, nil
}

// OldestOpen reads when the oldest open run was made, see [History].
func (s *database) OldestOpen(ctx context.Context, instance string) (time.Time, error) {
	var oldest int64
	err := s.read(ctx, "reading the oldest run", func(tx *tx) error {
		return tx.row(`SELECT coalesce(min(created_at), 0) FROM runs WHERE instance = $1 AND state IN ('waiting', 'running', 'retrying')`, []any{instance}, &oldest)
	})
	return instant(oldest), err
}
