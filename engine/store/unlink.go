package store

import (
	"context"
	"errors"
	"fmt"
)

// Unlink removes a link if the lease still holds, see [Store].
func (s *database) Unlink(ctx context.Context, lease Lease, table, local, remote string) (removed bool, err error) {
	err = s.write(ctx, fmt.Sprintf("forgetting a link in %s for run %d", table, lease.RunID), func(tx *tx) error {
		removed = false
		if err := errors.Join(checkName("the link table", table), checkOptionalName("local", local), checkOptionalName("remote", remote)); err != nil {
			return err
		}
		if local == "" && remote == "" {
			return fmt.Errorf("%w: no side of the link was given", ErrInvalid)
		}
		if err := holdsLease(tx, lease); err != nil {
			return err
		}
		if err := lockLinks(tx, lease.Instance, false); err != nil {
			return err
		}
		var c conditions
		c.add("instance = %s", lease.Instance)
		c.add("tbl = %s", table)
		if local != "" {
			c.add("local = %s", local)
		}
		if remote != "" {
			c.add("remote = %s", remote)
		}
		links, err := collect(tx, scanLink, `SELECT `+linkColumns+` FROM links`+c.where()+`{lock}`, c.args...)
		if err != nil || len(links) == 0 {
			return err
		}
		if links[0].State == LinkClaimed {
			if err := claimable(tx, lease, &links[0]); err != nil {
				return err
			}
		}
		_, err = tx.exec(`DELETE FROM links WHERE id = $1`, links[0].ID)
		removed = err == nil
		return err
	})
	return removed, err
}

type leaseKey struct{}

// WithLease keeps a lease in a context, for writes to the store that a run asks
// for by a call.
func WithLease(ctx context.Context, lease Lease) context.Context {
	return context.WithValue(ctx, leaseKey{}, lease)
}

// LeaseOf is the lease that WithLease kept; the zero lease, which holds nothing,
// where there is none.
func LeaseOf(ctx context.Context) Lease {
	lease, _ := ctx.Value(leaseKey{}).(Lease)
	return lease
}
