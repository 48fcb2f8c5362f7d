package builtin

import (
	"context"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
)

// maxLookup bounds the records that one call looks up.
const maxLookup = 10_000

func (c *connection) table(p params) (*flow.Table, error) {
	name := p.text("table")
	table, ok := c.App().Table(name)
	if !ok {
		return nil, badParams("there is no link table %q in app.yaml", name)
	}
	return table, nil
}

// links looks up many links, or walks a table.
func (c *connection) links(ctx context.Context, p params) (any, error) {
	table, err := c.table(p)
	if err != nil {
		return nil, err
	}
	local, remote := p["local"], p["remote"]
	if local == nil && remote == nil {
		return c.walk(ctx, table, p)
	}
	keys, err := keysOf(table, store.Local, local)
	if err != nil {
		return nil, err
	}
	more, err := keysOf(table, store.Remote, remote)
	if err != nil {
		return nil, err
	}
	keys = append(keys, more...)
	if len(keys) > maxLookup {
		return nil, badParams("%d records are looked up at once; at most %d may be", len(keys), maxLookup)
	}
	rows, err := c.Store.FindLinks(ctx, c.instance, keys...)
	if err != nil {
		return nil, err
	}
	found, seen := []any{}, map[int64]bool{}
	for _, row := range rows {
		if row == nil || row.State != store.Linked || seen[row.ID] {
			continue
		}
		seen[row.ID] = true
		pair, err := pairOf(table, *row)
		if err != nil {
			return nil, err
		}
		found = append(found, pair)
	}
	return map[string]any{"links": found, "last": nil}, nil
}

// keysOf are the keys of one side, as the store has them. Records without a key
// have no link.
func keysOf(table *flow.Table, side store.Side, given any) ([]store.LinkKey, error) {
	list, _ := given.([]any)
	var keys []store.LinkKey
	for _, item := range list {
		value, err := keyOf(table, side, item)
		if err != nil {
			return nil, err
		}
		if value != "" {
			keys = append(keys, store.LinkKey{Table: table.Name, Side: side, Value: value})
		}
	}
	return keys, nil
}

func keyOf(table *flow.Table, side store.Side, given any) (string, error) {
	schema := table.Local.Schema()
	if side == store.Remote {
		schema = table.Remote.Schema()
	}
	typed, err := schema.Convert(given)
	if err != nil {
		return "", badParams("the %s side of %s: %w", side, table.Name, err)
	}
	return link.Text(typed), nil
}

func pairOf(table *flow.Table, row store.Link) (map[string]any, error) {
	pair, err := link.Table{Name: table.Name, Local: table.Local.Schema(), Remote: table.Remote.Schema()}.Pair(row.Local, row.Remote)
	if err != nil {
		return nil, &connectors.Error{Class: connectors.Permanent, Code: "bad_link", Message: err.Error(), Err: err,
			Advice: "The table's key has another type than when the link was made. Rebuild the table."}
	}
	return map[string]any{"local": pair.Local, "remote": pair.Remote}, nil
}

// walk lists a table page by page.
func (c *connection) walk(ctx context.Context, table *flow.Table, p params) (any, error) {
	limit, err := pageOf(p)
	if err != nil {
		return nil, err
	}
	rows, err := c.Store.Links(ctx, store.LinkFilter{Instance: c.instance, Table: table.Name, After: p.integer("after"), Limit: limit})
	if err != nil {
		return nil, err
	}
	out, found := map[string]any{"last": nil}, []any{}
	for _, row := range rows {
		if row.State != store.Linked {
			continue
		}
		pair, err := pairOf(table, row)
		if err != nil {
			return nil, err
		}
		found = append(found, pair)
	}
	if len(rows) == limit {
		out["last"] = rows[limit-1].ID
	}
	out["links"] = found
	return out, nil
}

// unlink forgets a link, under the lease of the run that asks for it.
func (c *connection) unlink(ctx context.Context, p params) (any, error) {
	table, err := c.table(p)
	if err != nil {
		return nil, err
	}
	local, err := keyOf(table, store.Local, p["local"])
	if err != nil {
		return nil, err
	}
	remote, err := keyOf(table, store.Remote, p["remote"])
	if err != nil {
		return nil, err
	}
	if local == "" && remote == "" {
		return nil, badParams("app.unlink needs local or remote, or both")
	}
	removed, err := c.Store.Unlink(ctx, store.LeaseOf(ctx), table.Name, local, remote)
	if err != nil {
		return nil, err
	}
	return map[string]any{"removed": removed}, nil
}
