package run

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/flowctl/flowctl/connectors"
)

func init() { connectors.Register(fakeConnector{}) }

// fakeConnector is a system of records with an e-mail and a name.
type fakeConnector struct{}

var recordType = connectors.Object(map[string]*connectors.Schema{
	"id": connectors.Integer(), "email": connectors.String(), "name": connectors.String(), "amount": connectors.Decimal(),
})

func fields(pairs ...any) *connectors.Schema {
	properties := map[string]*connectors.Schema{}
	for i := 0; i+1 < len(pairs); i += 2 {
		properties[pairs[i].(string)] = pairs[i+1].(*connectors.Schema)
	}
	return connectors.Object(properties)
}

func (fakeConnector) Spec() connectors.Spec {
	id := fields("id", connectors.Integer())
	values := &connectors.Schema{Type: "object", Open: true}
	return connectors.Spec{
		Name: "fake", Title: "Fake", Settings: fields(),
		Operations: []connectors.Operation{
			{Name: "get", Effect: connectors.Read, Params: id, Result: recordType},
			{Name: "search", Effect: connectors.Read, Params: fields("email", connectors.String()), Result: fields("ids", connectors.Array(connectors.Integer()))},
			{Name: "list", Effect: connectors.Read, Params: fields(), Result: fields("items", connectors.Array(recordType))},
			{Name: "create", Effect: connectors.Create, Repeat: connectors.NaturalKey, Params: values, Result: id},
			{Name: "create_many", Effect: connectors.Create, Repeat: connectors.NaturalKey,
				Params: fields("list", connectors.Array(values)), Result: fields("items", connectors.Array(connectors.Any()))},
			{Name: "customers", Effect: connectors.Read, Params: fields(), Result: fields("items", connectors.Array(recordType))},
			{Name: "search_many", Effect: connectors.Read, Params: fields("emails", connectors.Array(connectors.String())),
				Result: fields("found", connectors.Array(connectors.Array(connectors.Integer())))},
			{Name: "update_many", Effect: connectors.Update, Repeat: connectors.Idempotent,
				Params: fields("list", connectors.Array(values)), Result: fields("items", connectors.Array(connectors.Any()))},
			{Name: "update", Effect: connectors.Update, Repeat: connectors.Idempotent, Params: fields("id", connectors.Integer(), "values", values), Result: fields(),
				Present: func(params map[string]any) (connectors.Present, bool) {
					changes, _ := params["values"].(map[string]any)
					return connectors.Present{Read: connectors.Call{Operation: "get", Params: map[string]any{"id": params["id"]}}, Changes: changes}, true
				}},
			{Name: "note", Effect: connectors.Create, Repeat: connectors.Unrepeatable, Params: values, Result: id},
			{Name: "post", Effect: connectors.Update, Repeat: connectors.Unrepeatable, Params: id, Result: fields()},
		},
		Events: []connectors.Event{{Name: "changed", Payload: fields("id", connectors.Integer(), "email", connectors.String())}},
	}
}

func (fakeConnector) Open(connectors.Config) (connectors.Connection, error) { return newWorld(), nil }

// world is the other system.
type world struct {
	mu      sync.Mutex
	next    int64
	records map[int64]map[string]any
	calls   []string // "create ada@example.com", in order
	// customers is what the operation customers lists: records of another system.
	customers []any
	// before and after, if set, are asked around each call; an error of before
	// keeps the call from happening, one of after hides its answer.
	before, after func(ctx context.Context, op string, params map[string]any) error
}

func newWorld() *world { return &world{records: map[int64]map[string]any{}} }

func (w *world) Close() error { return nil }

func (w *world) Call(ctx context.Context, call connectors.Call) (any, error) {
	if w.before != nil {
		if err := w.before(ctx, call.Operation, call.Params); err != nil {
			return nil, err
		}
	}
	out, err := w.do(call)
	if err == nil && w.after != nil {
		err = w.after(ctx, call.Operation, call.Params)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (w *world) do(call connectors.Call) (any, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := call.Params
	about := p["email"]
	if about == nil {
		about = p["id"]
	}
	if list, ok := p["list"].([]any); ok && call.Operation == "update_many" {
		ids := []any{}
		for _, item := range list {
			ids = append(ids, item.(map[string]any)["id"])
		}
		about = ids
	}
	w.calls = append(w.calls, fmt.Sprint(call.Operation, " ", about))
	switch call.Operation {
	case "get":
		id, _ := p["id"].(int64)
		if r, ok := w.records[id]; ok {
			return r, nil
		}
		return nil, connectors.Errorf(connectors.Permanent, connectors.CodeNotFound, "no record %v", p["id"])
	case "search":
		return map[string]any{"ids": w.matching(p["email"])}, nil
	case "list":
		items := []any{}
		for id := int64(1); id <= w.next; id++ {
			if r, ok := w.records[id]; ok {
				items = append(items, r)
			}
		}
		return map[string]any{"items": items}, nil
	case "create", "note":
		return map[string]any{"id": w.add(p)}, nil
	case "create_many":
		return w.createMany(p)
	case "customers":
		return map[string]any{"items": w.customers}, nil
	case "search_many":
		found := []any{}
		for _, email := range p["emails"].([]any) {
			found = append(found, w.matching(email))
		}
		return map[string]any{"found": found}, nil
	case "update_many":
		return w.updateMany(p)
	case "update":
		r, ok := w.records[p["id"].(int64)]
		if !ok {
			return nil, connectors.Errorf(connectors.Permanent, connectors.CodeNotFound, "no record %v", p["id"])
		}
		for name, v := range p["values"].(map[string]any) {
			r[name] = v
		}
	}
	return map[string]any{}, nil
}

// matching finds the records of an e-mail, by id.
func (w *world) matching(email any) []any {
	ids := []any{}
	for id, r := range w.records {
		if r["email"] == email {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b any) int { return int(a.(int64) - b.(int64)) })
	return ids
}

// updateMany sets the fields given; a record that is gone is an item's error.
func (w *world) updateMany(p map[string]any) (any, error) {
	items := []any{}
	for _, item := range p["list"].([]any) {
		values := item.(map[string]any)
		r, ok := w.records[values["id"].(int64)]
		if !ok {
			items = append(items, map[string]any{"error": map[string]any{"code": "gone", "message": "it is gone"}})
			continue
		}
		for name, v := range values {
			r[name] = v
		}
		items = append(items, map[string]any{"id": values["id"]})
	}
	return map[string]any{"items": items}, nil
}

// createMany refuses the whole when an e-mail is "all", an item when it is "bad".
func (w *world) createMany(p map[string]any) (any, error) {
	items := []any{}
	for _, item := range p["list"].([]any) {
		if item.(map[string]any)["email"] == "all" {
			return nil, connectors.Errorf(connectors.Permanent, "refused", "one of them is wrong")
		}
	}
	for _, item := range p["list"].([]any) {
		record := item.(map[string]any)
		if record["email"] == "bad" {
			items = append(items, map[string]any{"error": map[string]any{"code": "wrong", "message": "this one is wrong"}})
			continue
		}
		items = append(items, map[string]any{"id": w.add(record)})
	}
	return map[string]any{"items": items}, nil
}

func (w *world) add(values map[string]any) int64 {
	w.next++
	r := map[string]any{"id": w.next}
	for name, v := range values {
		r[name] = v
	}
	w.records[w.next] = r
	return w.next
}

// put makes a record, as a person in the other system would.
func (w *world) put(values map[string]any) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.add(values)
}

func (w *world) remove(id int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.records, id)
}

// with counts the records of an e-mail.
func (w *world) with(email string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, r := range w.records {
		if r["email"] == email {
			n++
		}
	}
	return n
}

// made counts the calls of an operation.
func (w *world) made(operation string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, call := range w.calls {
		if len(call) >= len(operation)+1 && call[:len(operation)+1] == operation+" " {
			n++
		}
	}
	return n
}
