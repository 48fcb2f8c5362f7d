package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Cursor reads where a feed stands, see [Store].
func (s *database) Cursor(ctx context.Context, instance, name string) (string, error) {
	var value string
	err := s.read(ctx, "reading cursor "+name, func(tx *tx) error {
		err := tx.row(`SELECT value FROM cursors WHERE instance = $1 AND name = $2`, []any{instance, name}, &value)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return value, err
}

// SetCursor moves a cursor.
func (s *database) SetCursor(ctx context.Context, instance, name, value string) error {
	return s.write(ctx, "moving cursor "+name, func(tx *tx) error {
		if err := errors.Join(checkName("the instance", instance), checkName("the cursor's name", name)); err != nil {
			return err
		}
		_, err := tx.exec(`INSERT INTO cursors (instance, name, value, updated_at) VALUES ($1, $2, $3, {now})
			ON CONFLICT (instance, name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
			instance, name, text(value))
		return err
	})
}

// Settings reads an instance's settings.
func (s *database) Settings(ctx context.Context, instance string) (map[string][]byte, error) {
	settings := map[string][]byte{}
	err := s.read(ctx, "reading settings", func(tx *tx) error {
		_, err := collect(tx, func(row scanner) (struct{}, error) {
			var name string
			var value []byte
			err := row.Scan(&name, &value)
			if value == nil {
				value = []byte{} // empty: there are no rows of nothing
			}
			settings[name] = value
			return struct{}{}, err
		}, `SELECT name, value FROM settings WHERE instance = $1`, instance)
		return err
	})
	return settings, err
}

// SaveSettings writes some settings in one commit, see [Store].
func (s *database) SaveSettings(ctx context.Context, instance string, values map[string][]byte, announce ...Arrival) ([]Accepted, error) {
	if err := checkArrivals(announce); err != nil {
		return nil, fmt.Errorf("saving settings: %w", err)
	}
	var accepted []Accepted
	err := s.write(ctx, "saving settings", func(tx *tx) (err error) {
		if err := checkName("the instance", instance); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(values)) { // sorted: two savers lock in one order
			if err := saveSetting(tx, instance, name, values[name]); err != nil {
				return err
			}
		}
		accepted, err = acceptWith(tx, announce)
		return err
	})
	return accepted, err
}

func saveSetting(tx *tx, instance, name string, value []byte) error {
	if err := checkName("the setting's name", name); err != nil {
		return err
	}
	if value == nil {
		_, err := tx.exec(`DELETE FROM settings WHERE instance = $1 AND name = $2`, instance, name)
		return err
	}
	_, err := tx.exec(`INSERT INTO settings (instance, name, value, updated_at) VALUES ($1, $2, $3, {now})
		ON CONFLICT (instance, name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
		instance, name, value)
	return err
}
