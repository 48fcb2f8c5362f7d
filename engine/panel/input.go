package panel

import (
	"errors"

	"github.com/flowctl/flowctl/engine/store"
)

// inputError says that what a person gave does not fit.
type inputError struct{ err error }

// Error is what is wrong.
func (e *inputError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *inputError) Unwrap() error { return e.err }

func asInput(err error, into **inputError) bool { return errors.As(err, into) }

func isStoreError(err error) bool { return errors.Is(err, store.ErrUnavailable) }
