package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// busyTimeout is how long a write waits for another process's write.
const busyTimeout = 10 * time.Second

// memoryPath names a database that lives in the process and ends with it.
const memoryPath = ":memory:"

func sqliteDialect() *dialect {
	return &dialect{
		name:  "sqlite",
		now:   "CAST(round(unixepoch('subsec') * 1000) AS INTEGER) * 1000",
		again: func(error) bool { return false },

		beforeErase: []string{`PRAGMA secure_delete = 1`},
		afterErase:  []string{`PRAGMA secure_delete = 0`, `PRAGMA wal_checkpoint(TRUNCATE)`},

		refused: sqliteRefused,
	}
}

// sqliteRefused: the codes that speak of the values. SQLITE_ERROR is among them,
// for it means a statement that cannot run.
func sqliteRefused(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH,
		sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_RANGE:
		return true
	}
	return false
}

// openSQLite opens the database file, making it and its folder where they are
// missing. Writes go through one connection, because SQLite has one writer:
// waiting in Go is fair and cheap, waiting in SQLite is neither.
func openSQLite(ctx context.Context, path string) (_ *database, err error) {
	dialect := sqliteDialect()
	if path == memoryPath {
		db, err := openSQLitePool(path, false, 1)
		if err != nil {
			return nil, err
		}
		if err := migrate(ctx, dialect, db, nil); err != nil {
			return nil, errors.Join(err, db.Close())
		}
		return newSQLite(dialect, db, db), nil
	}

	if path, err = filepath.Abs(path); err != nil {
		return nil, fmt.Errorf("finding the database file: %w", err)
	}
	// Events hold people's addresses: the folder is for its owner alone.
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the database's folder: %w: %w", ErrUnavailable, err)
	}
	writer, err := openSQLitePool(path, false, 1)
	if err != nil {
		return nil, err
	}
	// The file lock also covers the change to WAL, which fails when two
	// processes make it at once.
	if err := migrate(ctx, dialect, writer, &fileLock{path: path + "-migrating"}); err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	reader, err := openSQLitePool(path, true, max(4, runtime.NumCPU()))
	if err != nil {
		return nil, errors.Join(err, writer.Close())
	}
	return newSQLite(dialect, writer, reader), nil
}

func newSQLite(dialect *dialect, writer, reader *sql.DB) *database {
	return newDatabase(dialect, writer, reader, &statements{db: writer, prepared: map[string]*sql.Stmt{}})
}

func openSQLitePool(path string, readOnly bool, connections int) (*sql.DB, error) {
	query := url.Values{}
	pragma := func(name, value string) { query.Add("_pragma", name+"("+value+")") }
	pragma("busy_timeout", strconv.FormatInt(busyTimeout.Milliseconds(), 10))
	pragma("foreign_keys", "1")
	if path != memoryPath {
		pragma("journal_mode", "WAL")
		// FULL, not NORMAL: in WAL mode NORMAL loses the last commits in a power
		// cut, and those have been answered.
		pragma("synchronous", "FULL")
		// After a peak the log gives its space back.
		pragma("journal_size_limit", strconv.Itoa(64<<20))
	}
	if readOnly {
		pragma("query_only", "1")
	} else {
		// A transaction that reads first and then writes would fail when another
		// process wrote meanwhile; an immediate one waits its turn.
		query.Set("_txlock", "immediate")
	}
	db, err := sql.Open("sqlite", fileURL(path, query))
	if err != nil {
		return nil, fmt.Errorf("opening the database %s: %w: %w", path, ErrUnavailable, err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	// A database in memory lives as long as its connection.
	db.SetConnMaxLifetime(0)
	db.SetConnMaxIdleTime(0)
	return db, nil
}

// fileURL writes a path, whatever characters it has, as SQLite reads it.
func fileURL(path string, query url.Values) string {
	if path != memoryPath {
		path = filepath.ToSlash(path)
		if !strings.HasPrefix(path, "/") {
			path = "/" + path // C:/…
		}
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode()
}

// fileLock keeps other processes from migrating the same file. It is an
// exclusive transaction on an empty database beside it, because that works on
// every platform and ends with the process that holds it.
type fileLock struct {
	path string
	db   *sql.DB
	conn *sql.Conn
}

func (l *fileLock) Lock(ctx context.Context) error {
	db, err := sql.Open("sqlite", fileURL(l.path, url.Values{"_pragma": {"busy_timeout(60000)"}}))
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err == nil {
		_, err = conn.ExecContext(ctx, "BEGIN EXCLUSIVE")
		if err != nil {
			err = errors.Join(err, conn.Close())
		}
	}
	if err != nil {
		return fmt.Errorf("waiting for another process to migrate (%s): %w", l.path, errors.Join(err, db.Close()))
	}
	l.db, l.conn = db, conn
	return nil
}

// Unlock ends the lock. Its empty file stays: others may be waiting on it.
func (l *fileLock) Unlock() error { return errors.Join(l.conn.Close(), l.db.Close()) }
