package connectors

import "context"

// Chooser is implemented by connections that can list the records of a kind, so
// that a person chooses one by its name instead of typing its id.
type Chooser interface {
	// Choices lists records of a kind ("stock.warehouse"), at most limit, in the
	// order that the system gives them. A kind that the system does not know is an
	// *Error with CodeNotFound.
	Choices(ctx context.Context, record string, limit int) ([]Choice, error)
}

// Choice is a record by its id and the name that people know.
type Choice struct {
	ID    int64
	Label string
}
