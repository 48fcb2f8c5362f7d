package store

import (
	"context"
	"fmt"
	"strings"
)

// Open opens the store at a URL and brings its schema up to date:
//
//	sqlite:PATH, or a bare path      a file, made with its folder when missing
//	sqlite::memory:                  in the process, gone with it; for trials
//	postgres://user@host/database    PostgreSQL, as pgx reads it (postgresql:// too)
//
// Processes that open the same new store at once wait for one of them to make
// the schema.
func Open(ctx context.Context, url string) (Store, error) {
	switch {
	case url == "":
		return nil, fmt.Errorf("opening the store: %w: no database URL", ErrInvalid)
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		return openPostgres(ctx, url)
	case strings.HasPrefix(url, "sqlite:"):
		path := strings.TrimPrefix(strings.TrimPrefix(url, "sqlite:"), "//")
		if path == "" {
			return nil, fmt.Errorf("opening the store: %w: %q names no file", ErrInvalid, url)
		}
		return openSQLite(ctx, path)
	case strings.Contains(url, "://"):
		scheme, _, _ := strings.Cut(url, "://")
		return nil, fmt.Errorf("opening the store: %w: databases are sqlite: or postgres://, not %s://", ErrInvalid, scheme)
	}
	return openSQLite(ctx, url)
}
