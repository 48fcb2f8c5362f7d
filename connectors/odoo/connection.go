package odoo

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/flowctl/flowctl/connectors"
)

// Connection works with one Odoo database as one user.
type Connection struct {
	remote transport
	url    string // of the server
	master *masterCache
	fields *fieldCache
	// context is sent with every call: companies, language, warehouse.
	context map[string]any
	// pushSecret is what deliveries must carry; "" where none are taken.
	pushSecret string
	// feedPage is how many ids and times the change feed reads at once.
	feedPage int
	// blindToNames: the login may not read the table of external ids.
	blindToNames atomic.Bool

	mu   sync.Mutex
	seen Version
}

var _ connectors.Connection = (*Connection)(nil)

func newConnection(remote transport, s settings) *Connection {
	c := &Connection{
		remote:  remote,
		url:     s.url,
		master:  newMasterCache(remote),
		fields:  newFieldCache(remote),
		context: map[string]any{},

		pushSecret: s.pushSecret,
		feedPage:   feedPage,
	}
	for key, value := range s.context {
		c.context[key] = value
	}
	if len(s.companies) > 0 {
		c.context["allowed_company_ids"] = s.companies
	}
	if s.lang != "" {
		c.context["lang"] = s.lang
	}
	if s.warehouse != 0 {
		c.context["warehouse_id"] = s.warehouse
	}
	return c
}

// Call performs an operation; see [Connector.Spec] for their names.
func (c *Connection) Call(ctx context.Context, call connectors.Call) (any, error) {
	perform, ok := performers[call.Operation]
	if !ok {
		return nil, badParams("odoo has no operation %q", call.Operation)
	}
	p := params{operation: call.Operation, values: call.Params}
	if err := p.known(); err != nil {
		return nil, err
	}
	return perform(c, ctx, p)
}

// Close releases nothing: connections are kept by the HTTP client, which may be
// shared.
func (c *Connection) Close() error { return nil }

type performer func(*Connection, context.Context, params) (any, error)

var performers map[string]performer

// init breaks the cycle between the table and the operations it names.
func init() {
	performers = map[string]performer{
		"version":       (*Connection).getVersion,
		"fields":        (*Connection).listFields,
		"search":        (*Connection).search,
		"search_read":   (*Connection).searchRead,
		"read":          (*Connection).read,
		"get":           (*Connection).get,
		"count":         (*Connection).count,
		"create":        (*Connection).create,
		"write":         (*Connection).write,
		"unlink":        (*Connection).unlink,
		"create_once":   (*Connection).createOnce,
		"load":          (*Connection).load,
		"external.find": (*Connection).findExternal,
		"call":          (*Connection).callMethod,
		"query":         (*Connection).queryMethod,
		"wizard":        (*Connection).wizard,
		"group":         (*Connection).group,
		"changed":       (*Connection).changed,

		"push.register":   (*Connection).registerPush,
		"push.unregister": (*Connection).unregisterPush,
		"push.list":       (*Connection).listPushes,
	}
}

func (c *Connection) getVersion(ctx context.Context, _ params) (any, error) {
	v, err := c.serverVersion(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]any{"major": v.Major, "version": v.Text}, nil
}

// serverVersion asks the transport, which caches it, and remembers it for
// messages.
func (c *Connection) serverVersion(ctx context.Context) (Version, error) {
	v, err := c.remote.version(ctx)
	if err != nil {
		return Version{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = v
	return v, nil
}

// knownVersion is the version if it was asked for already; for messages.
func (c *Connection) knownVersion() Version {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen
}

func (c *Connection) listFields(ctx context.Context, p params) (any, error) {
	model, err := p.model()
	if err != nil {
		return nil, err
	}
	fields, err := c.fields.of(ctx, model)
	if err != nil {
		return nil, err
	}
	described := make(map[string]any, len(fields.byName))
	for remote, f := range fields.byName {
		described[fields.flowName(remote)] = f.describe()
	}
	names := []any{}
	for _, name := range fields.names() {
		names = append(names, name)
	}
	return map[string]any{"names": names, "fields": described}, nil
}

// describe tells a flow about a field.
func (f field) describe() map[string]any {
	out := map[string]any{
		"type":     f.Type,
		"label":    f.Label,
		"required": f.Required,
		"readonly": f.Readonly,
		"stored":   f.Store,
		"relation": nil,
	}
	if f.Relation != "" {
		out["relation"] = f.Relation
	}
	if f.Type == "selection" {
		out["selection"] = f.selectionValues()
	}
	return out
}

// callContext is the connection's context with that of the call over it; nil
// when both are empty.
func (c *Connection) callContext(p params) (map[string]any, error) {
	given, err := p.object("context")
	if err != nil {
		return nil, err
	}
	merged := maps.Clone(c.context)
	for key, value := range given {
		encoded, problem := plain(value)
		if problem != "" {
			return nil, badParams("%s: context.%s %s", p.operation, key, problem)
		}
		merged[key] = encoded
	}
	if len(merged) == 0 {
		return nil, nil
	}
	return merged, nil
}

// kwargs are the arguments given by name: those not nil, and the context.
func (c *Connection) kwargs(p params, named map[string]any) (map[string]any, error) {
	merged, err := c.callContext(p)
	if err != nil {
		return nil, err
	}
	if merged != nil {
		if named == nil {
			named = map[string]any{}
		}
		named["context"] = merged
	}
	return named, nil
}
