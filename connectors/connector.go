// Package connectors is the contract between the engine and the systems it
// connects: what a connector says of itself, how it is called, and what its
// answers and errors look like. A connector knows one system and nothing of
// flows; the engine knows this contract and no system.
package connectors

import (
	"context"
	"net/http"
	"time"
)

// Connector is one kind of system, such as "woocommerce" or "odoo".
// Implementations register themselves with [Register] from an init function.
type Connector interface {
	// Spec describes the connector. It is constant.
	Spec() Spec

	// Open returns a connection with the given configuration. It checks the
	// configuration and must not touch the network.
	Open(config Config) (Connection, error)
}

// Connection is a configured connector, safe for concurrent use.
type Connection interface {
	// Call performs one operation. Errors are of type [*Error] where the
	// connector can tell what went wrong; any other error counts as permanent.
	Call(ctx context.Context, call Call) (any, error)

	// Close releases what the connection holds. It may be called twice.
	Close() error
}

// WebhookReceiver is implemented by connections whose system pushes events.
type WebhookReceiver interface {
	// Receive verifies a delivery and says what it means. A delivery whose
	// signature does not match gives an *Error with [CodeBadSignature].
	Receive(delivery Delivery) (Receipt, error)
}

// Config configures a connection.
type Config struct {
	// Instance names the shop that the connection serves. Shops that share one
	// remote login still have one connection each.
	Instance string
	// Settings holds the values of Spec.Settings by name; absent means unset.
	Settings map[string]any
	// HTTPClient performs all requests; nil means a client with the
	// connector's own defaults. Redirect policy is the connector's business.
	HTTPClient *http.Client
	// Polite, if set, wraps what sends the requests: it may let one wait, or refuse
	// to send it. See [Config.Politely].
	Polite func(http.RoundTripper) http.RoundTripper
}

// Politely returns a client that sends its requests as Config.Polite wants it,
// for connectors to use once they have made their own client.
func (c Config) Politely(client *http.Client) *http.Client {
	if c.Polite == nil {
		return client
	}
	polite := *client
	polite.Transport = c.Polite(client.Transport)
	return &polite
}

// String returns the setting as text, "" when unset.
func (c Config) String(name string) string {
	s, _ := c.Settings[name].(string)
	return s
}

// Spec is all that the engine, the documentation and the validator need to know
// of a connector.
type Spec struct {
	Name    string // as written before the first dot of a call
	Title   string // as people write it
	Summary string // one sentence

	// Settings are the fields a connection is configured by.
	Settings *Schema
	// Login names the settings that together say which account of which system is
	// used: connections that agree in them share that system's patience. None means
	// all settings.
	Login []string
	// Pace, if set, says how many requests a second, and how many at once after a
	// pause, the system that these settings name is known to bear; 0 where nothing
	// is known. What app.yaml says comes first.
	Pace func(settings map[string]any) (perSecond float64, burst int)
	// Operations in the order they are documented.
	Operations []Operation
	// Events that the system can announce, in the order they are documented.
	Events []Event
}

// Operation finds an operation by name.
func (s Spec) Operation(name string) (Operation, bool) {
	for _, op := range s.Operations {
		if op.Name == name {
			return op, true
		}
	}
	return Operation{}, false
}

// Event finds an event by name.
func (s Spec) Event(name string) (Event, bool) {
	for _, ev := range s.Events {
		if ev.Name == name {
			return ev, true
		}
	}
	return Event{}, false
}

// Effect says what an operation does to the remote system.
type Effect string

// The effects of operations. Every effect but Read is a write: it is journaled
// before and after, and a dry run plans it instead of doing it.
const (
	Read   Effect = "read"
	Create Effect = "create"
	Update Effect = "update"
	Delete Effect = "delete"
)

// Repeat says how a write is repeated safely after it is not known whether the
// first attempt took effect.
type Repeat string

// The ways of repeating a write.
const (
	// Idempotent: doing it again with the same parameters changes nothing more.
	Idempotent Repeat = "idempotent"
	// NaturalKey: the record can be found again by a key that the caller knows,
	// which the link step's match does before it creates.
	NaturalKey Repeat = "natural key"
	// ReadBack: the connector itself reads back whether the write took effect.
	ReadBack Repeat = "read back"
	// AfterLooking: the flow looks whether the first attempt took effect before it
	// comes to the write again, and the engine lets it look only once the other
	// system cannot be at that attempt any more. Flows say so of a call; of
	// operations it is never true by themselves.
	AfterLooking Repeat = "after looking"
	// Unrepeatable: an unclear attempt holds the run for a person.
	Unrepeatable Repeat = "unrepeatable"
)

// Operation is one thing a connector can do.
type Operation struct {
	Name    string // dotted, as written after the connector's name: "orders.get"
	Title   string // for lists: "Get an order"
	Summary string // one or two sentences; the source of a surprising rule
	Effect  Effect
	Repeat  Repeat // of writes

	// Params is an object schema. Properties not in it are errors.
	Params *Schema
	// Result is the type of what Call returns; nil means nothing is known.
	Result *Schema
	// Present, if set, says of an update how to read the record that it changes, so
	// that a dry run can show what would be different; false when these parameters
	// name no one record.
	Present func(params map[string]any) (Present, bool)
	// ResultFor, if set, narrows Result by those parameters that are constant
	// in the flow file (the others are absent): the model of an Odoo read, say.
	ResultFor func(params map[string]any) *Schema
}

// Present says what an update is about to change.
type Present struct {
	Read    Call           // reads the record as it is now; its answer is the record
	Changes map[string]any // the fields that the update sets
}

// OnceOnly tells whether a write that was done must not be done again: a create,
// or one that is declared unrepeatable.
func (o Operation) OnceOnly() bool {
	return o.Effect == Create || o.Effect != Read && o.Effect != "" && !o.Repeatable()
}

// Repeatable tells whether a write of which it is not known whether it happened
// may simply be done again.
func (o Operation) Repeatable() bool {
	return o.Repeat == Idempotent || o.Repeat == ReadBack || o.Repeat == AfterLooking
}

// ResultType returns the type of the operation's result, given its constant
// parameters.
func (o Operation) ResultType(params map[string]any) *Schema {
	if o.ResultFor != nil {
		if s := o.ResultFor(params); s != nil {
			return s
		}
	}
	return o.Result
}

// Call is one call of an operation.
type Call struct {
	Operation string
	// Params by name, as typed values (see [Schema.Decode]).
	Params map[string]any
}

// Event is something a system can announce.
type Event struct {
	Name    string // dotted: "order.created"
	Summary string
	Payload *Schema // what ${event} is in a flow
}

// Delivery is a webhook request as it came in.
type Delivery struct {
	Header http.Header
	Body   []byte // whole, already bounded by the ingress
	At     time.Time
}

// Receipt is what a verified delivery means.
type Receipt struct {
	// Event names the event, "" when the delivery announces nothing (a ping).
	// A name that the Spec does not list is kept and shown, and starts nothing.
	Event string
	// Payload becomes ${event}, a typed value by the event's schema.
	Payload map[string]any
	// Delivery names the delivery in the remote system, for people; it need not
	// be unique.
	Delivery string
	// Note says in words why Event is empty or unknown, or what is odd about the
	// delivery (an error body, say).
	Note string
}

// Extender is implemented by connectors that take more operations from an app:
// the addresses of plugins, which no connector can know.
type Extender interface {
	// Extend returns a connector that knows these operations besides its own. It
	// leaves the receiver as it is. The form of a declaration is the connector's;
	// what does not fit it is an error for the app's author.
	Extend(operations []map[string]any) (Connector, error)
}
