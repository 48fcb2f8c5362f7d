package odoo

import (
	"context"

	"github.com/flowctl/flowctl/connectors"
)

// Bounds on what one call may bring when the flow gives no limit. More than
// this is an error, never a list cut short in silence.
const (
	maxRecords = 10_000
	maxIDs     = 200_000
)

// query is the part that search and search_read share.
type query struct {
	model  string
	domain []any
	limit  int64
	named  map[string]any // limit, offset, order, context
}

func (c *Connection) query(ctx context.Context, p params, bound int64) (query, error) {
	q := query{named: map[string]any{}}
	var err error
	if q.model, err = p.model(); err != nil {
		return q, err
	}
	domain, err := p.list("domain")
	if err != nil {
		return q, err
	}
	if q.domain, err = c.encodeDomain(ctx, q.model, domain); err != nil {
		return q, err
	}
	order, err := p.text("order")
	if err != nil {
		return q, err
	}
	if order, err = c.encodeOrder(ctx, q.model, order); err != nil {
		return q, err
	}
	if order != "" {
		q.named["order"] = order
	}
	offset, err := p.number("offset")
	if err != nil {
		return q, err
	}
	if offset > 0 {
		q.named["offset"] = offset
	}
	if q.limit, err = p.number("limit"); err != nil {
		return q, err
	}
	if q.limit == 0 {
		q.named["limit"] = bound + 1
	} else {
		q.named["limit"] = q.limit
	}
	q.named, err = c.kwargs(p, q.named)
	return q, err
}

func (q query) tooMany(found int, bound int64) error {
	if q.limit != 0 || int64(found) <= bound {
		return nil
	}
	return badParams("%s: more than %d records match; page through them with limit and order", q.model, bound)
}

func (c *Connection) search(ctx context.Context, p params) (any, error) {
	q, err := c.query(ctx, p, maxIDs)
	if err != nil {
		return nil, err
	}
	wantCount, err := p.flag("count")
	if err != nil {
		return nil, err
	}
	tree, err := c.answer(ctx, invocation{
		model: q.model, method: "search", args: []argument{{"domain", q.domain}}, kwargs: q.named,
	})
	if err != nil {
		return nil, err
	}
	ids, err := readIDs(tree)
	if err != nil {
		return nil, unreadable(q.model, "search", nil, err)
	}
	if err := q.tooMany(len(ids.([]any)), maxIDs); err != nil {
		return nil, err
	}
	out := map[string]any{"ids": ids, "count": nil}
	if wantCount {
		if out["count"], err = c.countMatches(ctx, p, q.model, q.domain); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *Connection) count(ctx context.Context, p params) (any, error) {
	model, err := p.model()
	if err != nil {
		return nil, err
	}
	domain, err := p.list("domain")
	if err != nil {
		return nil, err
	}
	encoded, err := c.encodeDomain(ctx, model, domain)
	if err != nil {
		return nil, err
	}
	n, err := c.countMatches(ctx, p, model, encoded)
	if err != nil {
		return nil, err
	}
	return map[string]any{"count": n}, nil
}

func (c *Connection) countMatches(ctx context.Context, p params, model string, domain []any) (int64, error) {
	kwargs, err := c.kwargs(p, nil)
	if err != nil {
		return 0, err
	}
	tree, err := c.answer(ctx, invocation{
		model: model, method: "search_count", args: []argument{{"domain", domain}}, kwargs: kwargs,
	})
	if err != nil {
		return 0, err
	}
	n, err := wholeNumber(tree)
	if err != nil {
		return 0, unreadable(model, "search_count", nil, err)
	}
	return n, nil
}

func (c *Connection) searchRead(ctx context.Context, p params) (any, error) {
	q, err := c.query(ctx, p, maxRecords)
	if err != nil {
		return nil, err
	}
	columns, err := c.columns(ctx, p, q.model)
	if err != nil {
		return nil, err
	}
	q.named["fields"] = remoteNames(columns)
	tree, err := c.answer(ctx, invocation{
		model: q.model, method: "search_read", args: []argument{{"domain", q.domain}}, kwargs: q.named,
	})
	if err != nil {
		return nil, err
	}
	records, err := recordList(tree, columns)
	if err != nil {
		return nil, unreadable(q.model, "search_read", nil, err)
	}
	if err := q.tooMany(len(records), maxRecords); err != nil {
		return nil, err
	}
	return map[string]any{"records": records}, nil
}

func (c *Connection) read(ctx context.Context, p params) (any, error) {
	model, err := p.model()
	if err != nil {
		return nil, err
	}
	list, err := p.list("ids")
	if err != nil {
		return nil, err
	}
	ids, ok := toIDs(list)
	if !ok {
		return nil, p.wrong("ids", "ids of records")
	}
	if len(ids) == 0 {
		// Reading nothing is no mistake, and needs no call.
		return map[string]any{"records": []any{}}, nil
	}
	records, err := c.readRecords(ctx, p, model, ids)
	if err != nil {
		return nil, err
	}
	return map[string]any{"records": records}, nil
}

func (c *Connection) get(ctx context.Context, p params) (any, error) {
	model, err := p.model()
	if err != nil {
		return nil, err
	}
	id, err := p.id()
	if err != nil {
		return nil, err
	}
	records, err := c.readRecords(ctx, p, model, []int64{id})
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		// Odoo answers [] for an id that does not exist (recording odoo18/032).
		return nil, &connectors.Error{
			Class:   connectors.Permanent,
			Code:    connectors.CodeNotFound,
			Message: "Odoo has no " + model + " with id " + plainText(id),
			Advice:  "The record was deleted in Odoo.",
		}
	}
	return records[0], nil
}

// readRecords reads records by id; ids that do not exist are left out.
func (c *Connection) readRecords(ctx context.Context, p params, model string, ids []int64) ([]any, error) {
	columns, err := c.columns(ctx, p, model)
	if err != nil {
		return nil, err
	}
	kwargs, err := c.kwargs(p, map[string]any{"fields": remoteNames(columns)})
	if err != nil {
		return nil, err
	}
	tree, err := c.answer(ctx, invocation{model: model, method: "read", ids: ids, kwargs: kwargs})
	if err != nil {
		return nil, err
	}
	records, err := recordList(tree, columns)
	if err != nil {
		return nil, unreadable(model, "read", nil, err)
	}
	return records, nil
}
