package woocommerce

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// stepBack is how many records before the last one a walk by id looks again:
// deletions before it move the list to the left.
const stepBack = 10

// idCursor is how far a walk by id has come: the last id, and how many records
// stood before its end.
type idCursor struct{ id, offset int64 }

// String writes the cursor.
func (c idCursor) String() string { return fmt.Sprintf("%d/%d", c.id, c.offset) }

func readIDCursor(text string) (idCursor, error) {
	var cursor idCursor
	if text == "" {
		return cursor, nil
	}
	if n, err := fmt.Sscanf(text, "%d/%d", &cursor.id, &cursor.offset); n != 2 || err != nil || cursor.id < 0 || cursor.offset < 0 || cursor.String() != strings.TrimSpace(text) {
		return cursor, fmt.Errorf("%q is no cursor of this walk", text)
	}
	return cursor, nil
}

// byID reads the next page by id. The shop pages by number only, so a page must
// begin at or before the last id that is known: else somebody was deleted, and
// the walk steps back until it does.
func (w *walker) byID(ctx context.Context, text string) (any, error) {
	cursor, err := readIDCursor(text)
	if err != nil {
		return nil, badParams("%s: %v", w.op.Name, err)
	}
	start := max(0, cursor.offset-stepBack)
	size := min(w.size+stepBack, 100)
	for {
		records, err := w.ask(ctx, map[string]any{"orderby": "id", "order": "asc", "offset": start, "per_page": int64(size)})
		if err != nil {
			return nil, err
		}
		if start > 0 && (len(records) == 0 || idOf(records[0]) > cursor.id) {
			start = max(0, start-int64(size))
			continue
		}
		more := len(records) == size
		known := slices.IndexFunc(records, func(record map[string]any) bool { return idOf(record) > cursor.id })
		if known < 0 {
			known = len(records)
		}
		fresh := records[known:]
		if len(fresh) > w.size {
			fresh, more = fresh[:w.size], true
		}
		if !more {
			return page(fresh, nil, false), nil
		}
		if len(fresh) > 0 {
			cursor.id = idOf(fresh[len(fresh)-1])
		}
		return page(fresh, idCursor{cursor.id, start + int64(known+len(fresh))}.String(), true), nil
	}
}
