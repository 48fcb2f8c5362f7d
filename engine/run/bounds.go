package run

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"
)

// Bounds bounds what one run may hold and do, whatever its flow file says. A
// single evaluation is bounded by expression.Limits.
type Bounds struct {
	// Items is how many items one for_each may have.
	Items int
	// Bytes is how much the values may hold that a run keeps at one time: text by
	// its length, lists 16 bytes an element, records 64 a field.
	Bytes int
}

// DefaultBounds leave room for a whole catalogue's worth of ids and a page of
// records, and keep eight workers within a few gigabytes at the very worst.
var DefaultBounds = Bounds{Items: 100_000, Bytes: 256 << 20}

// boundError says which bound a run has met.
type boundError struct{ message string }

func (e *boundError) Error() string { return e.message }

func (x *Executor) bounds() Bounds {
	b := x.Bounds
	if b.Items <= 0 {
		b.Items = DefaultBounds.Items
	}
	if b.Bytes <= 0 {
		b.Bytes = DefaultBounds.Bytes
	}
	return b
}

// hold counts a value that the run keeps from now on.
func (e *execution) hold(path string, v any) error {
	limit := e.executor.bounds().Bytes
	size := sizeOf(v)
	e.used += size
	e.mu.Lock()
	e.total += size
	over := e.total > limit
	e.mu.Unlock()
	if over {
		return &stepError{path, &boundError{fmt.Sprintf("the run's values hold more than %d MB", limit>>20)}}
	}
	return nil
}

// release gives back what this goroutine holds beyond before.
func (e *execution) release(before int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.total -= e.used - before
	e.used = before
}

// sizeOf estimates the memory of a value, by the measure of expression.Limits.
func sizeOf(v any) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case []any:
		n := 16 * len(v)
		for _, item := range v {
			n += sizeOf(item)
		}
		return n
	case map[string]any:
		n := 64 * len(v)
		for name, item := range v {
			n += len(name) + sizeOf(item)
		}
		return n
	case decimal.Decimal, time.Time:
		return 24
	}
	return 8
}
