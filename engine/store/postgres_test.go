package store_test

import (
	"testing"

	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/store/storetest"
)

func TestPostgres(t *testing.T) {
	t.Parallel()
	server := storetest.StartPostgres(t)
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, server.Schema(t)) })
}

func TestPostgresShared(t *testing.T) {
	t.Parallel()
	server := storetest.StartPostgres(t)
	storetest.RunShared(t, func(t *testing.T) func() store.Store {
		url := server.Schema(t)
		return func() store.Store { return open(t, url) }
	})
}
