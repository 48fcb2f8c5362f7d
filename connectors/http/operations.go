package http

import (
	nethttp "net/http"

	"github.com/flowctl/flowctl/connectors"
)

// action is an operation with what is needed to perform it.
type action struct {
	connectors.Operation
	method string
	// hasBody: the request carries one, goneIsDone: a record that is not there
	// any more is what was wanted, keyed: an idempotency key goes along.
	hasBody, goneIsDone, keyed bool
}

// writes tells whether the request may change something.
func (a action) writes() bool { return a.Effect != connectors.Read }

// actions is what flows can call. They are told apart by what they do to the
// API, not by method alone: the engine decides by it whether a dry run may do
// them and whether a lost answer is asked for again.
var actions = []action{
	{
		method: nethttp.MethodGet,
		Operation: connectors.Operation{Name: "get", Title: "Read", Effect: connectors.Read,
			Summary: "Reads what is at a path. Redirects are followed within the address, three at most."},
	},
	{
		method: nethttp.MethodPost, hasBody: true,
		Operation: connectors.Operation{Name: "query", Title: "Ask by POST", Effect: connectors.Read,
			Summary: "Reads with a question in the body, as search endpoints and GraphQL queries want it. It must change nothing: a dry run does it too, and it is done again after a lost answer."},
	},
	{
		method: nethttp.MethodPost, hasBody: true,
		Operation: connectors.Operation{Name: "post", Title: "Create", Effect: connectors.Create, Repeat: connectors.Unrepeatable,
			Summary: "Sends a body with POST. Doing it twice may make two records, so a lost answer holds the run for a person; where the API takes idempotency keys, use post_once."},
	},
	{
		method: nethttp.MethodPost, hasBody: true, keyed: true,
		Operation: connectors.Operation{Name: "post_once", Title: "Create once", Effect: connectors.Create, Repeat: connectors.Idempotent,
			Summary: "Sends a body with POST and a key by which the API knows the request again: after a lost answer it is sent again with the same key. Only for an API that promises to do each key once; the key must come from the record (order-${order.id}), not from the run."},
	},
	{
		method: nethttp.MethodPut, hasBody: true,
		Operation: connectors.Operation{Name: "put", Title: "Replace", Effect: connectors.Update, Repeat: connectors.Idempotent,
			Summary: "Puts a body at a path, in place of what is there. By HTTP's own rule doing it twice is as doing it once (RFC 9110, 9.2.2)."},
	},
	{
		method: nethttp.MethodPatch, hasBody: true,
		Operation: connectors.Operation{Name: "patch", Title: "Change", Effect: connectors.Update, Repeat: connectors.Unrepeatable,
			Summary: "Changes what is at a path. A patch may count up or append (RFC 5789, 2), so a lost answer holds the run for a person; where yours only sets values, the step may say repeat: idempotent."},
	},
	{
		method: nethttp.MethodDelete, goneIsDone: true,
		Operation: connectors.Operation{Name: "delete", Title: "Delete", Effect: connectors.Delete, Repeat: connectors.Idempotent,
			Summary: "Deletes what is at a path. What is gone already (404, 410) counts as deleted: its status says so."},
	},
}

// operations lists the operations in the order they are documented.
func operations() []connectors.Operation {
	all := make([]connectors.Operation, len(actions))
	for i, a := range actions {
		all[i] = a.Operation
		all[i].Params, all[i].Result = a.params(), result()
	}
	return all
}

func (a action) params() *connectors.Schema {
	properties := map[string]*connectors.Schema{
		"path": connectors.String().Described("Path below the base URL, such as /items/{sku}. Names in braces are filled from path_values; " +
			"what comes from data belongs there, where a slash in it can do no harm"),
		"path_values": openObject("Values of the names in braces"),
		"query":       openObject("Parameters after the question mark; a list repeats its name, null is left out"),
		"headers":     openObject("Headers of this request. The one that proves who we are belongs to the connection"),
	}
	required := []string{"path"}
	if a.hasBody {
		properties["body"] = connectors.Any().Described("Sent as JSON: decimals as numbers with all their digits, instants in UTC. Write text(…) where the API wants amounts as text")
	}
	if a.keyed {
		properties["idempotency_key"] = connectors.String().Described("The same for every attempt of this one creation")
		header := connectors.String().Described("Header that takes the key")
		header.Default = defaultKeyHeader
		properties["idempotency_header"] = header
		required = append(required, "idempotency_key")
	}
	return connectors.Object(properties, required...)
}

const defaultKeyHeader = "Idempotency-Key"

func result() *connectors.Schema {
	return connectors.Object(map[string]*connectors.Schema{
		"status":  connectors.Integer().Described("HTTP status, 200 to 299"),
		"headers": openObject("Headers by lower-case name, as text: headers[\"x-total\"]"),
		"body":    connectors.Any().Described("The JSON of the answer; text where it is plain text; null where it is empty"),
	}, "status", "headers", "body")
}

func actionNamed(name string) (action, bool) {
	for _, a := range actions {
		if a.Name == name {
			return a, true
		}
	}
	return action{}, false
}
