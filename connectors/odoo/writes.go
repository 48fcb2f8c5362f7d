package odoo

import (
	"context"
	"encoding/json"

	"github.com/flowctl/flowctl/connectors"
)

func (c *Connection) create(ctx context.Context, p params) (any, error) {
	model, err := p.model()
	if err != nil {
		return nil, err
	}
	values, err := p.object("values")
	if err != nil {
		return nil, err
	}
	list, err := p.list("values_list")
	switch {
	case err != nil:
		return nil, err
	case values != nil && list != nil:
		return nil, badParams("odoo.create: give values or values_list, not both")
	case values != nil:
		list = []any{values}
	case len(list) == 0:
		return nil, badParams("odoo.create: wants values for one record, or a values_list that is not empty")
	}
	encoded := make([]any, len(list))
	for i, item := range list {
		one, ok := item.(map[string]any)
		if !ok {
			return nil, p.wrong("values_list", "records")
		}
		if encoded[i], err = c.encodeValues(ctx, model, one); err != nil {
			return nil, err
		}
	}
	kwargs, err := c.kwargs(p, nil)
	if err != nil {
		return nil, err
	}
	// Always a list, which is answered by a list on every version and transport.
	call := invocation{
		model: model, method: "create", args: []argument{{"vals_list", encoded}}, kwargs: kwargs, write: true,
	}
	tree, err := c.change(ctx, call)
	if err != nil {
		return nil, err
	}
	ids, err := readIDs(tree)
	if err != nil || len(ids.([]any)) != len(encoded) {
		return nil, afterWrite(call, err)
	}
	return map[string]any{"id": ids.([]any)[0], "ids": ids}, nil
}

func (c *Connection) write(ctx context.Context, p params) (any, error) {
	model, err := p.model()
	if err != nil {
		return nil, err
	}
	ids, err := p.ids()
	if err != nil {
		return nil, err
	}
	values, err := p.object("values")
	if err != nil {
		return nil, err
	}
	if len(values) == 0 {
		return nil, badParams("odoo.write: values is empty, so there is nothing to write")
	}
	if field := bareCreation(values); field != "" {
		return nil, &connectors.Error{
			Class: connectors.Permanent,
			Code:  connectors.CodeBadParams,
			Message: "odoo.write: " + model + "." + field +
				" adds records with a command [0, 0, {…}]; a write that is repeated would add them twice",
			Advice: "Create them with odoo.create on their own model, or put [5] before the command to replace all of them.",
		}
	}
	encoded, err := c.encodeValues(ctx, model, values)
	if err != nil {
		return nil, err
	}
	kwargs, err := c.kwargs(p, nil)
	if err != nil {
		return nil, err
	}
	call := invocation{
		model: model, method: "write", ids: ids, args: []argument{{"vals", encoded}}, kwargs: kwargs, write: true,
	}
	tree, err := c.change(ctx, call)
	if err != nil {
		return nil, err
	}
	if tree != true {
		return nil, afterWrite(call, nil)
	}
	return map[string]any{"written": int64(len(ids))}, nil
}

// bareCreation finds a field to whose records a write would only add: a
// creating command with no clearing one before it. Such a write cannot be
// repeated safely, and repeating is what happens when an answer is lost.
func bareCreation(values map[string]any) string {
	for name, value := range values {
		list, ok := value.([]any)
		if !ok {
			continue
		}
		cleared := false
		for _, item := range list {
			command, ok := item.([]any)
			if !ok || len(command) == 0 {
				continue
			}
			switch number, _ := toID(command[0]); number {
			case commandClear, commandSet:
				cleared = true
			case commandCreate:
				if !cleared {
					return name
				}
			case commandUpdate:
				if len(command) > 2 {
					if nested, ok := command[2].(map[string]any); ok {
						if inner := bareCreation(nested); inner != "" {
							return name + "." + inner
						}
					}
				}
			}
		}
	}
	return ""
}

func (c *Connection) unlink(ctx context.Context, p params) (any, error) {
	model, err := p.model()
	if err != nil {
		return nil, err
	}
	ids, err := p.ids()
	if err != nil {
		return nil, err
	}
	deleted, err := c.delete(ctx, p, model, ids)
	if connectors.HasCode(err, connectors.CodeNotFound) {
		// Some are gone already, which is what is wanted: delete the others.
		if ids, err = c.existing(ctx, model, ids); err == nil && len(ids) > 0 {
			deleted, err = c.delete(ctx, p, model, ids)
		}
	}
	if err != nil {
		return nil, err
	}
	return map[string]any{"deleted": deleted}, nil
}

func (c *Connection) delete(ctx context.Context, p params, model string, ids []int64) (int64, error) {
	kwargs, err := c.kwargs(p, nil)
	if err != nil {
		return 0, err
	}
	call := invocation{model: model, method: "unlink", ids: ids, kwargs: kwargs, write: true}
	tree, err := c.change(ctx, call)
	if err != nil {
		return 0, err
	}
	if tree != true {
		return 0, afterWrite(call, nil)
	}
	return int64(len(ids)), nil
}

// existing keeps the ids that exist, archived ones too. The method exists is
// private since 19, so it searches.
func (c *Connection) existing(ctx context.Context, model string, ids []int64) ([]int64, error) {
	call := invocation{
		model: model, method: "search",
		args:   []argument{{"domain", []any{[]any{"id", "in", ids}}}},
		kwargs: map[string]any{"context": map[string]any{"active_test": false}},
	}
	raw, err := c.remote.execute(ctx, call)
	if err != nil {
		return nil, err
	}
	var found []int64
	if err := json.Unmarshal(raw, &found); err != nil {
		return nil, unreadable(model, "search", raw, err)
	}
	return found, nil
}

// change executes a write and gives its result as a tree.
func (c *Connection) change(ctx context.Context, call invocation) (any, error) {
	raw, err := c.master.execute(ctx, call)
	if err != nil {
		return nil, err
	}
	tree, err := decodeTree(raw)
	if err != nil {
		return nil, afterWrite(call, err)
	}
	return tree, nil
}

// afterWrite is about a write that Odoo answered, but not as it should have.
func afterWrite(call invocation, cause error) error {
	return &connectors.Error{
		Class:   connectors.Unclear,
		Code:    connectors.CodeBadAnswer,
		Message: call.model + "." + call.method + ": Odoo's answer cannot be read; it is not known whether it did it",
		Err:     cause,
	}
}
