package store_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/store/storetest"
)

// open opens a store and closes it with the test.
func open(t testing.TB, url string) store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error("closing the store:", err)
		}
	})
	return s
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store {
		return open(t, "sqlite:"+filepath.Join(t.TempDir(), "new folder", "flowctl.db"))
	})
}

func TestSQLiteInMemory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, "sqlite::memory:") })
}

func TestSQLiteShared(t *testing.T) {
	t.Parallel()
	storetest.RunShared(t, func(t *testing.T) func() store.Store {
		path := filepath.Join(t.TempDir(), "flowctl.db")
		return func() store.Store { return open(t, path) }
	})
}
