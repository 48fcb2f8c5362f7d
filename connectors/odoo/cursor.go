package odoo

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
)

// maxKnown bounds the records that a cursor remembers, about 7 bytes each.
const maxKnown = 50_000

// feedCursor is where a change feed stands: the second from which the next call
// reads on, and what was given of the seconds that will be read again.
//
// All is counted in whole seconds, which is all that Odoo shows of a write_date:
// 18 compares microseconds, 19 whole seconds (recordings odoo18/161 to 165,
// odoo19/470 to 473), and a second as an interval is the same for both.
type feedCursor struct {
	// At is the second to read from; 0 reads from the beginning.
	At int64 `json:"at"`
	// After is the last id given of that second, where it has more records than
	// a page holds; -1 before the first one.
	After int64 `json:"after,omitempty"`
	// Last is the newest second seen, Floor one that no walk goes back behind.
	Last  int64 `json:"last"`
	Floor int64 `json:"floor,omitempty"`
	// Known are records by second that need not be given again: their second was
	// over when they were read.
	Known secondIDs `json:"known,omitempty"`
	// Fresh are those given in this walk whose second was not: they may have been
	// written once more within it, so the next walk gives them again.
	Fresh secondIDs `json:"fresh,omitempty"`
	// Unsettled is the oldest second of those: the next walk begins there at the
	// latest.
	Unsettled int64 `json:"unsettled,omitempty"`
}

// secondIDs are ids by Unix second.
type secondIDs map[int64][]int64

func (s secondIDs) has(second, id int64) bool { return slices.Contains(s[second], id) }

func (s secondIDs) count() int {
	n := 0
	for _, ids := range s {
		n += len(ids)
	}
	return n
}

func readCursor(text string) (feedCursor, error) {
	cursor := feedCursor{}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &cursor); err != nil || cursor.At < 0 || cursor.After < -1 {
			return cursor, badParams("odoo.changed: the cursor is none that an earlier call gave")
		}
	}
	if cursor.Known == nil {
		cursor.Known = secondIDs{}
	}
	if cursor.Fresh == nil {
		cursor.Fresh = secondIDs{}
	}
	return cursor, nil
}

func (c *feedCursor) text() (string, error) {
	data, err := json.Marshal(c)
	return string(data), err
}

// seen tells whether a record as of this second was given already.
func (c *feedCursor) seen(second, id int64) bool {
	return c.Known.has(second, id) || c.Fresh.has(second, id)
}

// given remembers a record; settled says that its second was over when it was
// read.
func (c *feedCursor) given(second, id int64, settled bool) {
	into := c.Known
	if !settled {
		into = c.Fresh
		if c.Unsettled == 0 || second < c.Unsettled {
			c.Unsettled = second
		}
	}
	into[second] = append(into[second], id)
	c.Last = max(c.Last, second)
}

// rewind ends a walk: the next one begins an overlap before the newest change,
// for transactions that began earlier and were committed later.
func (c *feedCursor) rewind(overlap time.Duration) {
	if c.Last > 0 {
		c.At = c.next(overlap)
	}
	c.After, c.Unsettled = 0, 0
	c.Fresh = secondIDs{}
}

// next is the second that the next walk begins with.
func (c *feedCursor) next(overlap time.Duration) int64 {
	second := max(c.Last-int64(overlap/time.Second), c.Floor, 0)
	if c.Unsettled > 0 {
		second = min(second, c.Unsettled)
	}
	return second
}

// forget drops what will not be met again: by this walk, or by the next one.
// Where more was changed at once than a cursor can hold, it shortens the
// overlap: else the rest would be given again and again.
func (c *feedCursor) forget(overlap time.Duration) {
	passed := func(second, id int64) bool { return second < c.At || second == c.At && id <= c.After }
	for second, ids := range c.Fresh {
		c.Fresh.keep(second, ids, func(id int64) bool { return !passed(second, id) })
	}
	next := min(c.At, c.next(overlap))
	maps.DeleteFunc(c.Known, func(second int64, _ []int64) bool { return second < next })
	for _, second := range slices.Sorted(maps.Keys(c.Known)) {
		if c.Known.count() <= maxKnown || second > c.At {
			return
		}
		c.Known.keep(second, c.Known[second], func(id int64) bool { return !passed(second, id) })
		c.Floor = max(c.Floor, second+1)
	}
}

func (s secondIDs) keep(second int64, ids []int64, wanted func(int64) bool) {
	kept := slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return !wanted(id) })
	if s[second] = kept; len(kept) == 0 {
		delete(s, second)
	}
}

// instant writes a second as Odoo compares it.
func instant(second int64) string { return time.Unix(second, 0).UTC().Format(timeLayout) }

// MarshalJSON keeps the ids of a second in order, so that the same state gives
// the same text.
func (s secondIDs) MarshalJSON() ([]byte, error) {
	sorted := make(map[string][]int64, len(s))
	for second, ids := range s {
		sorted[strconv.FormatInt(second, 10)] = slices.Sorted(slices.Values(ids))
	}
	return json.Marshal(sorted)
}
