package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// findPage bounds how many rows one query of Find reads, so that no read stays
// open for long.
const findPage = 200

// Find lists where a text occurs, see [Store]. It looks in Go, not in SQL: so
// letters beyond ASCII have no case either, and text that JSON escaped is found.
func (s *database) Find(ctx context.Context, instance, needle string) (Findings, error) {
	n := newNeedle(needle)
	if n == "" {
		return Findings{}, fmt.Errorf("finding a text: %w: the text is empty", ErrInvalid)
	}
	var found Findings
	err := s.read(ctx, "finding a text", func(tx *tx) error {
		events, err := n.search(tx, `SELECT id, id, payload, delivery, note FROM events`, instance)
		if err != nil {
			return err
		}
		runs, err := n.search(tx, `SELECT id, id, input, result, key, reason, advice FROM runs`, instance)
		if err != nil {
			return err
		}
		steps, err := n.search(tx, `SELECT id, run_id, input, output, path, error FROM steps`, instance)
		if err != nil {
			return err
		}
		maps.Copy(runs, steps)
		for event := range events {
			of, err := collect(tx, scanID, `SELECT run_id FROM run_events WHERE event_id = $1`, event)
			if err != nil {
				return err
			}
			for _, run := range of {
				runs[run] = true
			}
		}
		links, err := n.search(tx, `SELECT id, id, fingerprints, local, remote FROM links`, instance)
		if err != nil {
			return err
		}
		for _, id := range slices.Sorted(maps.Keys(links)) {
			link, err := collect(tx, scanLink, `SELECT `+linkColumns+` FROM links WHERE id = $1`, id)
			if err != nil {
				return err
			}
			found.Links = append(found.Links, link...)
		}
		found.Events = slices.Sorted(maps.Keys(events))
		found.Runs = slices.Sorted(maps.Keys(runs))
		return nil
	})
	return found, err
}

// needle is a text to find, in lower case.
type needle string

func newNeedle(text string) needle { return needle(strings.ToLower(strings.TrimSpace(text))) }

// search pages through a query of (id, result, text or JSON…) rows by id and
// returns the results of rows that contain the text.
func (n needle) search(tx *tx, query, instance string) (map[int64]bool, error) {
	found := map[int64]bool{}
	for last := int64(0); ; {
		rows, err := tx.query(query+` WHERE instance = $1 AND id > $2 ORDER BY id LIMIT $3`,
			instance, last, findPage)
		if err != nil {
			return nil, err
		}
		columns, err := rows.Columns()
		if err != nil {
			rows.Close()
			return nil, err
		}
		count := 0
		for rows.Next() {
			count++
			var result int64
			texts := make([][]byte, len(columns)-2)
			into := []any{&last, &result}
			for i := range texts {
				into = append(into, &texts[i])
			}
			if err := rows.Scan(into...); err != nil {
				rows.Close()
				return nil, err
			}
			if slices.ContainsFunc(texts, n.in) {
				found[result] = true
			}
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, err
		}
		if count < findPage {
			return found, nil
		}
	}
}

// in tells whether data, text or JSON, contains the text.
func (n needle) in(data []byte) bool {
	if strings.Contains(strings.ToLower(string(data)), string(n)) {
		return true
	}
	if !bytes.ContainsRune(data, '\\') {
		return false
	}
	// Escapes: é may be written \u00e9, and a quote always is.
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err != nil { // the end, or no JSON after all
			return false
		}
		if s, ok := token.(string); ok && strings.Contains(strings.ToLower(s), string(n)) {
			return true
		}
	}
}
