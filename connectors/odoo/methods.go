package odoo

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
)

// methodOperations are those that call a method by its name.
func methodOperations() []connectors.Operation {
	object, array := connectors.Object, connectors.Array
	method := func() map[string]*connectors.Schema {
		return with(contextParams(),
			"method", connectors.String(), "id", connectors.Integer(), "ids", array(connectors.Integer()),
			"args", array(connectors.Any()).Described("Arguments by their place, after the ids. Over JSON-2 prefer kwargs"),
			"kwargs", openObject("Arguments by name"),
		)
	}
	result := object(map[string]*connectors.Schema{"result": connectors.Any()})
	return []connectors.Operation{
		{
			Name: "call", Title: "Call a method", Effect: connectors.Update, Repeat: connectors.Unrepeatable,
			Summary: "Calls a public method, on records (ids) or on the model. A result that is a record usually means that Odoo offers a wizard and did nothing yet.",
			Params:  object(method(), "model", "method"),
			Result:  result,
		},
		{
			Name: "query", Title: "Call a reading method", Effect: connectors.Read,
			Summary: "Calls a public method that only reads, such as name_search or address_get. It must change nothing: a dry run does it too, and it is done again after a lost answer. Methods that are known to write are refused.",
			Params:  object(method(), "model", "method"),
			Result:  result,
		},
		{
			Name: "wizard", Title: "Run a wizard", Effect: connectors.Update, Repeat: connectors.Unrepeatable,
			Summary: "Makes a wizard for records and presses its button: sale.advance.payment.inv create_invoices, account.payment.register action_create_payments, account.move.reversal refund_moves. The context gets active_model, active_ids and active_id.",
			Params: object(with(contextParams(),
				"values", openObject("Values of the wizard by field"),
				"method", connectors.String().Described("The button's method"),
				"active_model", connectors.String().Described("Model of the records it is for"),
				"active_ids", array(connectors.Integer()),
			), "model", "method", "active_model", "active_ids"),
			Result: object(map[string]*connectors.Schema{
				"id": connectors.Integer().Described("The wizard's"), "result": connectors.Any(),
			}, "id"),
		},
		groupOperation(),
	}
}

// callMethod calls any public method. What it returns is typed by its JSON
// alone: a dict often means that nothing happened but a wizard was offered.
func (c *Connection) callMethod(ctx context.Context, p params) (any, error) {
	call, err := c.methodCall(p)
	if err != nil {
		return nil, err
	}
	call.write = true
	tree, err := c.change(ctx, call)
	if err != nil {
		return nil, err
	}
	return methodResult(call, tree)
}

func methodResult(call invocation, tree any) (any, error) {
	result, err := untyped(tree)
	if err != nil {
		return nil, unreadable(call.model, call.method, nil, err)
	}
	return map[string]any{"result": result}, nil
}

// writers are methods that change records, and the beginnings of their names:
// asking for one with odoo.query is a mistake that a dry run must not make.
var (
	writers = []string{"create", "write", "unlink", "copy", "load", "toggle_active", "toggle_noupdate", "name_create", "web_save", "process"}
	writing = []string{"action_", "button_", "message_", "set_", "create_", "update_", "do_", "refund_", "modify_"}
)

// queryMethod calls a method that only reads.
func (c *Connection) queryMethod(ctx context.Context, p params) (any, error) {
	call, err := c.methodCall(p)
	if err != nil {
		return nil, err
	}
	if slices.Contains(writers, call.method) ||
		slices.ContainsFunc(writing, func(start string) bool { return strings.HasPrefix(call.method, start) }) {
		return nil, badParams("odoo.query: %s.%s changes records; use odoo.call", call.model, call.method)
	}
	tree, err := c.answer(ctx, call)
	if err != nil {
		return nil, err
	}
	return methodResult(call, tree)
}

// methodCall reads the parameters of call and query.
func (c *Connection) methodCall(p params) (invocation, error) {
	call := invocation{}
	var err error
	if call.model, err = p.model(); err != nil {
		return call, err
	}
	if call.method, err = p.publicMethod(); err != nil {
		return call, err
	}
	if _, named := p.values["ids"]; named || p.given("id") {
		if call.ids, err = p.ids(); err != nil {
			return call, err
		}
	}
	list, err := p.list("args")
	if err != nil {
		return call, err
	}
	for i, item := range list {
		encoded, problem := plain(item)
		if problem != "" {
			return call, badParams("odoo.%s: argument %d %s", p.operation, i+1, problem)
		}
		call.args = append(call.args, argument{value: encoded})
	}
	given, err := p.object("kwargs")
	if err != nil {
		return call, err
	}
	named := make(map[string]any, len(given)+1)
	for name, value := range given {
		encoded, problem := plain(value)
		if problem != "" {
			return call, badParams("odoo.%s: argument %s %s", p.operation, name, problem)
		}
		named[name] = encoded
	}
	call.kwargs, err = c.kwargs(p, named)
	return call, err
}

// methodName is what Python allows; it becomes a part of an address.
var methodName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (p params) publicMethod() (string, error) {
	method, err := p.required("method")
	if err == nil && !methodName.MatchString(method) {
		err = p.wrong("method", "the name of a method")
	}
	if err == nil && strings.HasPrefix(method, "_") {
		err = badParams("odoo.%s: %s is private; Odoo lets no one call it from outside", p.operation, method)
	}
	return method, err
}

// wizard makes a wizard and presses its button. Only the button matters: a
// wizard left behind is cleared away by Odoo itself.
func (c *Connection) wizard(ctx context.Context, p params) (any, error) {
	model, err := p.model()
	if err != nil {
		return nil, err
	}
	method, err := p.publicMethod()
	if err != nil {
		return nil, err
	}
	activeModel, err := p.required("active_model")
	if err != nil {
		return nil, err
	}
	active, err := p.idList("active_ids")
	if err != nil {
		return nil, err
	}
	given, err := p.object("values")
	if err != nil {
		return nil, err
	}
	values, err := c.encodeValues(ctx, model, given)
	if err != nil {
		return nil, err
	}
	kwargs, err := c.kwargs(p, nil)
	if err != nil {
		return nil, err
	}
	about, _ := kwargs["context"].(map[string]any)
	if about == nil {
		about = map[string]any{}
	}
	about["active_model"], about["active_ids"], about["active_id"] = activeModel, active, active[0]
	kwargs = map[string]any{"context": about}

	create := invocation{model: model, method: "create", args: []argument{{"vals_list", []any{values}}}, kwargs: kwargs, write: true}
	tree, err := c.change(ctx, create)
	if err != nil {
		return nil, harmless(err)
	}
	ids, ok := tree.([]any)
	if !ok || len(ids) != 1 {
		return nil, harmless(afterWrite(create, nil))
	}
	id, err := wholeNumber(ids[0])
	if err != nil {
		return nil, harmless(afterWrite(create, err))
	}
	press := invocation{model: model, method: method, ids: []int64{id}, kwargs: kwargs, write: true}
	if tree, err = c.change(ctx, press); err != nil {
		return nil, err
	}
	result, err := untyped(tree)
	if err != nil {
		return nil, unreadable(model, method, nil, err)
	}
	return map[string]any{"id": id, "result": result}, nil
}

// harmless turns an unclear write into one that may simply be tried again: a
// second wizard does nothing by itself.
func harmless(err error) error {
	if e, ok := err.(*connectors.Error); ok && e.Class == connectors.Unclear { //nolint:errorlint // never wrapped here
		again := *e
		again.Class = connectors.Transient
		return &again
	}
	return err
}
