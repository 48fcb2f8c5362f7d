package store

import "fmt"

// foldWaiting gives a run that has just been held what arrived for it meanwhile:
// events of its flow and key that were accepted while it was worked made a run of
// their own, which waits. They fold into it now as they would have a moment later,
// and it is tried again. So a key has one held run of a flow, and what its journal
// says of unclear writes holds for all its events.
func foldWaiting(tx *tx, lease Lease) (folded bool, err error) {
	type waiting struct{ id, event int64 }
	rows, err := collect(tx, func(row scanner) (w waiting, err error) { return w, row.Scan(&w.id, &w.event) },
		`SELECT w.id, w.event_id FROM runs w JOIN runs held ON held.id = $1
		WHERE w.instance = held.instance AND w.flow = held.flow AND w.key = held.key AND w.id <> held.id
			AND w.state = 'waiting' AND w.attempt = 0
			AND (w.input = held.input OR (w.input IS NULL AND held.input IS NULL))
		ORDER BY w.first_event, w.flow_order, w.id`, lease.RunID)
	if err != nil || len(rows) == 0 {
		return false, err
	}
	for _, w := range rows {
		if _, err := tx.exec(`INSERT INTO run_events (instance, event_id, run_id)
			SELECT instance, event_id, $1 FROM run_events WHERE run_id = $2 ON CONFLICT (event_id, run_id) DO NOTHING`, lease.RunID, w.id); err != nil {
			return false, err
		}
		if _, err := tx.exec(`UPDATE runs SET state = 'skipped', reason = $1, updated_at = {now}, ended_at = {now} WHERE id = $2`,
			fmt.Sprintf("its event went to run %d, which was held meanwhile and is tried again with it", lease.RunID), w.id); err != nil {
			return false, err
		}
	}
	last := rows[len(rows)-1]
	_, err = tx.exec(`UPDATE runs SET event_id = $1, version = (SELECT version FROM runs WHERE id = $2), state = 'waiting', tries = 0,
			reason = '', code = '', advice = '', due_at = {now}, updated_at = {now}, ended_at = 0
		WHERE id = $3`, last.event, last.id, lease.RunID)
	return true, err
}
