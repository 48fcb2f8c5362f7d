package connectors

import "context"

// A connector ships types of its system's records, and every system has fields
// that nobody else's has. These two let an app bring the types of its own.

// Retyper is implemented by connectors whose operations answer with records of
// named types.
type Retyper interface {
	// Retype returns a connector that describes records by these types, in place
	// of the shipped ones of the same names. It leaves the receiver as it is.
	Retype(resources map[string]*Schema) (Connector, error)
}

// ResourceReader is implemented by connections that can tell the types of the
// records that their system has.
type ResourceReader interface {
	// ReadResources reads types by name, those that the connector ships where no
	// names are given. A name that the system does not have is in the answer, with
	// a note and no type; the error is about reading at all.
	ReadResources(ctx context.Context, names []string) ([]Resource, error)
}

// Resource is the type of one kind of record.
type Resource struct {
	Name string  // "sale.order", "order"
	Type *Schema // nil when the system has none
	// Note says in words what the type is known from, or why there is none.
	Note string
}
