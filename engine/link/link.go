// Package link finds, makes and remembers which local record is which remote
// record: claim the row, match, create, fill the row. A crash anywhere between
// is healed by matching before creating.
package link

import (
	"context"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

// Linker ensures links in a store.
type Linker struct {
	Store store.Store
	// ClaimWait is how long to wait for another run that is making the same
	// record; 0 means 5 seconds.
	ClaimWait time.Duration
	// Locks, if set, keep apart the goroutines of one run that share it.
	Locks *Locks
}

// Ensure returns the other side of the record that the request names, making it
// when it does not exist. Errors are AmbiguousError, MissingError, TakenError,
// those of the store, and those of the request's functions.
func (l *Linker) Ensure(ctx context.Context, req Request) (Result, error) {
	batch := Batch{
		Lease: req.Lease, Side: req.Side, Table: req.Main.Table, Recheck: req.Recheck,
		Items: []Item{{Key: req.Main.Key, Also: req.Also, Values: req.Values}},
	}
	if req.Match != nil {
		batch.Match = func(ctx context.Context, _ []int) ([]Found, error) {
			candidates, err := req.Match(ctx)
			return []Found{{candidates, err}}, nil
		}
	}
	if req.Create != nil {
		batch.Create = func(ctx context.Context, _ []int) ([]Made, error) {
			key, err := req.Create(ctx)
			return []Made{{key, err}}, nil
		}
	}
	if req.Update != nil {
		batch.Update = func(ctx context.Context, changed []Changed) ([]error, error) {
			return []error{req.Update(ctx, changed[0].Pair, changed[0].Changes)}, nil
		}
	}
	outcomes, err := l.EnsureEach(ctx, batch)
	if err != nil {
		return Result{}, err
	}
	return outcomes[0].Result, outcomes[0].Err
}

// distinct drops candidates that are nothing, or the same as one before.
func distinct(candidates []any) []any {
	var out []any
	seen := map[string]bool{"": true}
	for _, c := range candidates {
		if key := Text(c); !seen[key] {
			seen[key] = true
			out = append(out, c)
		}
	}
	return out
}

// Changes are the values whose fingerprint differs from the last one.
func Changes(values map[string]any, last map[string]string) map[string]any {
	changes := map[string]any{}
	for name, print := range Fingerprints(values) {
		if last[name] != print {
			changes[name] = values[name]
		}
	}
	return changes
}
