package engine

import "github.com/flowctl/flowctl/engine/store"

// WrapStore puts something between the executor and the store.
func (e *Engine) WrapStore(wrap func(store.Store) store.Store) {
	e.executor.Store = wrap(e.executor.Store)
}
