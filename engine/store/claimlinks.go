package store

import (
	"context"
	"fmt"
)

// ClaimLinks claims rows, all or none, see [Store].
func (s *database) ClaimLinks(ctx context.Context, lease Lease, keys ...LinkKey) ([]Link, error) {
	claims, err := s.ClaimEach(ctx, lease, keys)
	if err != nil {
		return nil, err
	}
	if claims[0].Err != nil {
		return nil, fmt.Errorf("claiming links for run %d: %w", lease.RunID, claims[0].Err)
	}
	return claims[0].Links, nil
}

// ClaimEach claims groups of rows, see [Store].
func (s *database) ClaimEach(ctx context.Context, lease Lease, groups ...[]LinkKey) ([]LinkClaim, error) {
	var claims []LinkClaim
	err := s.write(ctx, fmt.Sprintf("claiming links for run %d", lease.RunID), func(tx *tx) error {
		if err := holdsLease(tx, lease); err != nil {
			return err
		}
		if err := lockLinks(tx, lease.Instance, false); err != nil {
			return err
		}
		c := &claiming{tx: tx, lease: lease, refused: map[LinkKey]error{}}
		for _, group := range groups {
			for _, key := range group {
				if err := checkLinkKey(key); err != nil {
					c.refused[key] = err
					continue
				}
				c.keys = append(c.keys, key)
			}
		}
		if err := c.take(); err != nil {
			return err
		}
		claims = make([]LinkClaim, len(groups))
		for i, group := range groups {
			claims[i] = c.claim(group)
		}
		return c.settle(groups, claims)
	})
	return claims, err
}

// claiming is one ClaimEach at work.
type claiming struct {
	tx    *tx
	lease Lease
	keys  []LinkKey
	rows  *linkSet
	made  []LinkKey
	// refused says of a key why it cannot be claimed.
	refused map[LinkKey]error
}

// take reads the rows of all keys, and makes those that are missing.
func (c *claiming) take() (err error) {
	if c.rows, err = readLinks(c.tx, c.lease.Instance, c.keys, `{lock}`); err != nil {
		return err
	}
	for _, key := range distinctKeys(c.keys) {
		if c.rows.find(key) != nil {
			continue
		}
		// A row that another transaction is inserting is waited for, and then found.
		if _, err := c.tx.exec(`INSERT INTO links (instance, tbl, `+key.Side.column()+`, `+key.Side.other().column()+`,
				state, epoch, run_id, updated_at)
			VALUES ($1, $2, $3, '', 'claimed', $4, $5, {now}) ON CONFLICT DO NOTHING`,
			c.lease.Instance, key.Table, key.Value, c.lease.Epoch, c.lease.RunID); err != nil {
			return err
		}
		c.made = append(c.made, key)
	}
	made, err := readLinks(c.tx, c.lease.Instance, c.made, `{lock}`)
	if err != nil {
		return err
	}
	for _, link := range made.rows {
		c.rows.put(link)
	}
	for _, key := range distinctKeys(c.keys) {
		link := c.rows.find(key)
		switch {
		case link == nil:
			// Deleted between the two statements; whoever did it is done now.
			err = fmt.Errorf("%w: %s %s %s is being removed", ErrClaimed, key.Table, key.Side, key.Value)
		case link.State != LinkClaimed || c.mine(link):
			continue
		default:
			err = claimable(c.tx, c.lease, link)
		}
		if err != nil && !own(err) {
			return err
		}
		if err != nil {
			c.refused[key] = err
		}
	}
	return nil
}

func (c *claiming) mine(link *Link) bool {
	return link.RunID == c.lease.RunID && link.Epoch == c.lease.Epoch
}

// claim gives a group's rows, or why it cannot have them.
func (c *claiming) claim(group []LinkKey) LinkClaim {
	claim := LinkClaim{Links: make([]Link, len(group))}
	for i, key := range group {
		if err := c.refused[key]; err != nil {
			return LinkClaim{Err: err}
		}
		claim.Links[i] = *c.rows.find(key)
		if link := &claim.Links[i]; link.State == LinkClaimed {
			link.Epoch, link.RunID = c.lease.Epoch, c.lease.RunID
		}
	}
	return claim
}

// settle takes over the dead claims that the groups got, and gives back what
// was claimed for groups that did not get all.
func (c *claiming) settle(groups [][]LinkKey, claims []LinkClaim) error {
	wanted := map[int64]bool{}
	for _, claim := range claims {
		for _, link := range claim.Links {
			wanted[link.ID] = true
		}
	}
	seen := map[int64]bool{}
	for _, group := range groups {
		for _, key := range group {
			link := c.rows.find(key)
			if link == nil || seen[link.ID] || link.State != LinkClaimed || !wanted[link.ID] || c.mine(link) {
				continue
			}
			seen[link.ID] = true
			if _, err := c.tx.exec(`UPDATE links SET epoch = $1, run_id = $2, updated_at = {now} WHERE id = $3`,
				c.lease.Epoch, c.lease.RunID, link.ID); err != nil {
				return err
			}
		}
	}
	for _, key := range c.made {
		link := c.rows.find(key)
		if link == nil || wanted[link.ID] || link.State != LinkClaimed || !c.mine(link) {
			continue
		}
		if _, err := c.tx.exec(`DELETE FROM links WHERE id = $1`, link.ID); err != nil {
			return err
		}
	}
	return nil
}
