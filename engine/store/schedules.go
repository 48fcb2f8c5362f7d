package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Fire stores the arrivals of a schedule's slot, once, see [Schedules].
func (s *database) Fire(ctx context.Context, instance, schedule string, slot time.Time, arrivals ...Arrival) ([]Accepted, bool, error) {
	doing := fmt.Sprintf("firing the schedule %s of %s", schedule, instance)
	for i := range arrivals {
		if err := checkArrival(&arrivals[i]); err != nil {
			return nil, false, fmt.Errorf("%s: %w", doing, err)
		}
	}
	var accepted []Accepted
	var fired bool
	err := s.write(ctx, doing, func(tx *tx) error {
		accepted, fired = nil, false
		if err := errors.Join(checkName("the instance", instance), checkName("the schedule's name", schedule)); err != nil {
			return err
		}
		n, err := tx.exec(`INSERT INTO schedules (instance, name, slot) VALUES ($1, $2, $3) ON CONFLICT (instance, name) DO NOTHING`,
			instance, schedule, micros(slot))
		if err != nil || n == 1 {
			return err
		}
		var one int
		err = tx.row(`UPDATE schedules SET slot = $3, fired_at = CASE WHEN $4 = 1 THEN {now} ELSE fired_at END
			WHERE instance = $1 AND name = $2 AND slot < $3 RETURNING 1`,
			[]any{instance, schedule, micros(slot), flag(len(arrivals) > 0)}, &one)
		if errors.Is(err, sql.ErrNoRows) || err == nil && len(arrivals) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		batch := &acceptance{arrivals: arrivals}
		err = acceptAll(tx, []*acceptance{batch})
		accepted, fired = batch.accepted, err == nil
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return accepted, fired, nil
}

// Schedules lists the schedules' slots, see [Schedules].
func (s *database) Schedules(ctx context.Context, instance string) (all []ScheduleState, err error) {
	err = s.read(ctx, "reading the schedules", func(tx *tx) (err error) {
		all, err = collect(tx, func(row scanner) (state ScheduleState, err error) {
			var slot, fired int64
			err = row.Scan(&state.Instance, &state.Name, &slot, &fired)
			state.Slot, state.FiredAt = instant(slot), instant(fired)
			return state, err
		}, `SELECT instance, name, slot, fired_at FROM schedules WHERE instance = $1 OR $1 = '' ORDER BY instance, name`, instance)
		return err
	})
	return all, err
}

// Clock reads the database's clock, see [Schedules].
func (s *database) Clock(ctx context.Context) (now time.Time, err error) {
	err = s.read(ctx, "reading the clock", func(tx *tx) error {
		var micros int64
		err := tx.row(`SELECT {now}`, nil, &micros)
		now = instant(micros)
		return err
	})
	return now, err
}
