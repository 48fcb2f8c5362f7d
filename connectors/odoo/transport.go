package odoo

import (
	"context"
	"encoding/json"
)

// transport carries calls to an Odoo server. Arguments carry their names, because
// JSON-2 takes no others.
type transport interface {
	// version asks for the server's version; no login is needed.
	version(ctx context.Context) (Version, error)

	// execute calls a method of a model and returns the JSON of its result, nil
	// when the method returned nothing. Errors are of type *connectors.Error.
	execute(ctx context.Context, call invocation) (json.RawMessage, error)
}

// invocation is one call of a method.
type invocation struct {
	model  string
	method string
	// ids are the records the method is called on; nil when it is called on the
	// model itself.
	ids []int64
	// args in the order of the method's signature, after the ids.
	args []argument
	// kwargs are given by name only, the context among them.
	kwargs map[string]any
	// write is set when the call may change something: it decides how an answer
	// that did not come is classed.
	write bool
}

// argument is a named argument. The name is "" where the caller knows only the
// position.
type argument struct {
	name  string
	value any
}

// Version is the version of an Odoo server.
type Version struct {
	Major int64  // 18
	Text  string // "18.0", "saas~18.2"
}
