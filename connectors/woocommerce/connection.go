package woocommerce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/flowctl/flowctl/connectors"
)

// Connection is a configured shop. It is safe for concurrent use.
type Connection struct {
	base          string // canonical URL
	keys          keyPair
	webhookSecret string
	client        *http.Client
	signer        signer
	schemes       schemes
	book          *book
	kept          kept
	batchSize     batchSize
}

// Close lets idle connections go. It may be called twice.
func (c *Connection) Close() error {
	c.client.CloseIdleConnections()
	return nil
}

// Call performs an operation. A get, create, update or delete returns the
// record; a list {items, total, pages}; a walk {items, cursor, more}; a batch
// {create, update, delete}, each item a record or {id, error}.
func (c *Connection) Call(ctx context.Context, call connectors.Call) (any, error) {
	op, ok := c.book.byName[call.Operation]
	if !ok {
		return nil, connectors.Errorf(connectors.Permanent, connectors.CodeBadParams,
			"woocommerce has no operation %q", call.Operation)
	}
	switch {
	case op.walk != "":
		return c.walk(ctx, op, call.Params)
	case op.shape == shapeBatch:
		params, err := op.complete(call.Params)
		if err != nil {
			return nil, err
		}
		return c.batch(ctx, op, params)
	case op.readBack != nil:
		return c.create(ctx, op, call.Params)
	}
	return c.single(ctx, op, call.Params)
}

// single performs an operation by one request.
func (c *Connection) single(ctx context.Context, op *operation, params map[string]any) (any, error) {
	request, err := op.request(params)
	if err != nil {
		return nil, err
	}
	if result, ok := c.kept.get(request); ok {
		return result, nil
	}
	got, err := c.do(ctx, request)
	err = op.absence(err)
	if err != nil && op.Effect == connectors.Delete && alreadyGone(err) {
		return map[string]any{"id": params["id"]}, nil
	}
	if err != nil {
		return nil, err
	}
	result, err := op.result(got)
	var broken *connectors.Error
	if errors.As(err, &broken) {
		return nil, c.scrubbed(broken)
	}
	if err == nil {
		c.kept.put(request, result)
	}
	return result, err
}

// alreadyGone tells whether a deletion failed because it was done before: after a
// crash it is simply done again (woo/171, 178).
func alreadyGone(err error) bool {
	return connectors.HasCode(err, connectors.CodeNotFound) || connectors.HasCode(err, "woocommerce_rest_already_trashed")
}

// absence makes "not found" of an address that a shop need not have.
func (op *operation) absence(err error) error {
	var told *connectors.Error
	if op.optional && errors.As(err, &told) && told.Code == "rest_no_route" {
		told.Code = connectors.CodeNotFound
	}
	return err
}

// create performs a create that can be read back.
func (c *Connection) create(ctx context.Context, op *operation, params map[string]any) (any, error) {
	params, err := op.complete(params)
	if err != nil {
		return nil, err
	}
	started := time.Now()
	values := op.valuesOf(params)
	for _, field := range op.readBack.Needs {
		if !isGiven(values[field]) {
			return nil, badParams("%s: the field %q is missing, by which the record would be found again", op.Name, field)
		}
	}
	if op.readBack.First {
		if _, err := op.request(params); err != nil {
			return nil, err
		}
		record, err := c.found(ctx, op.readBack, values, params, started)
		if record != nil || err != nil {
			return record, err
		}
	}
	result, err := c.single(ctx, op, params)
	if err != nil {
		return c.recovered(ctx, op, params, started, err)
	}
	return result, nil
}

// result types an answer of 2xx.
func (op *operation) result(a *answer) (any, error) {
	raw, err := a.decoded()
	if err != nil {
		return nil, err
	}
	switch op.shape {
	case shapeList:
		return op.listResult(a, raw)
	case shapeBatch:
		if list, ok := raw.([]any); ok && len(list) == 0 {
			raw = map[string]any{} // PHP writes an empty object as a list (recording woo/166)
		}
	}
	if _, ok := raw.(map[string]any); !ok {
		return nil, a.unusable("the shop answered " + kindOf(raw) + " where a record was asked for")
	}
	return op.typed(a, raw)
}

func (op *operation) listResult(a *answer, raw any) (any, error) {
	items, ok := raw.([]any)
	if !ok {
		return nil, a.unusable("the shop answered " + kindOf(raw) + " where a list was asked for")
	}
	result := map[string]any{"items": items, "total": nil, "pages": nil}
	if op.Paged {
		// A proxy may strip these headers; then nothing is known.
		result["total"] = headerNumber(a.header, "X-WP-Total")
		result["pages"] = headerNumber(a.header, "X-WP-TotalPages")
	} else {
		result["total"], result["pages"] = int64(len(items)), int64(1)
	}
	return op.typed(a, result)
}

func (op *operation) typed(a *answer, raw any) (any, error) {
	typed, err := op.Result.Convert(raw)
	if err != nil {
		return nil, a.unusable(fmt.Sprintf("the shop's answer to %s cannot be read: %v", op.Name, err))
	}
	return typed, nil
}

func headerNumber(header http.Header, name string) any {
	n, err := strconv.ParseInt(header.Get(name), 10, 64)
	if err != nil {
		return nil
	}
	return n
}

func kindOf(raw any) string {
	switch raw.(type) {
	case nil:
		return "nothing"
	case []any:
		return "a list"
	case map[string]any:
		return "a record"
	case string:
		return "a text"
	case json.Number:
		return "a number"
	}
	return fmt.Sprintf("%v", raw)
}
