package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// migrate brings the schema up to date, with the lock held if there is one. A
// schema newer than this program is an error: an old program must not write
// what it does not understand.
func migrate(ctx context.Context, d *dialect, db *sql.DB, lock *fileLock, options ...goose.ProviderOption) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("migrating the store: %w: %w", ErrUnavailable, err)
		}
	}()
	if lock != nil {
		if err := lock.Lock(ctx); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, lock.Unlock()) }()
	}
	folder, err := fs.Sub(migrations, "migrations/"+d.name)
	if err != nil {
		return err
	}
	gooseDialect := goose.DialectSQLite3
	if d.name == "postgres" {
		gooseDialect = goose.DialectPostgres
	}
	provider, err := goose.NewProvider(gooseDialect, db, folder, options...)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return err
	}
	current, newest, err := provider.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > newest {
		return fmt.Errorf("the database has schema version %d, this program knows up to %d: use a newer flowctl", current, newest)
	}
	return nil
}
