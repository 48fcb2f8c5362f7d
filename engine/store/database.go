package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var _ Store = (*database)(nil)

// database implements [Store] over database/sql for both dialects.
//
// The row of a key in leases is the key's mutex: every transaction that changes
// the runs of a key writes or locks that row first, several keys in their
// sorted order. So what is read of a key's runs after that stays true until the
// commit, and two transactions never wait for each other's keys.
type database struct {
	dialect *dialect
	writer  *sql.DB // SQLite: one connection
	reader  *sql.DB // SQLite: a pool that cannot write; PostgreSQL: the writer

	statements *statements // of the writer; nil for PostgreSQL

	arrivals  chan *acceptance
	commits   atomic.Int64 // transactions that Accept made, for tests
	refusals  atomic.Int64 // arrivals that could not be written
	refuted   atomic.Int64 // how many of them Ping has since seen the end of
	closing   chan struct{}
	closed    sync.Once
	committer sync.WaitGroup
	closeErr  error
}

func newDatabase(d *dialect, writer, reader *sql.DB, statements *statements) *database {
	s := &database{
		dialect:    d,
		writer:     writer,
		reader:     reader,
		statements: statements,
		arrivals:   make(chan *acceptance),
		closing:    make(chan struct{}),
	}
	s.committer.Add(1)
	go s.commitArrivals()
	return s
}

// Close ends the store. Accepts that wait for their commit are finished first.
func (s *database) Close() error {
	s.closed.Do(func() {
		close(s.closing)
		s.committer.Wait()
		if s.reader != s.writer {
			s.closeErr = s.reader.Close()
		}
		s.closeErr = errors.Join(s.closeErr, s.writer.Close())
	})
	return s.closeErr
}

// maxAgain bounds how often a transaction is tried that lost against another.
const maxAgain = 10

// write runs fn in a transaction. fn may run several times and must begin anew
// each time. Errors say what was being done.
func (s *database) write(ctx context.Context, doing string, fn func(*tx) error) error {
	for try := 1; ; try++ {
		err := s.writeOnce(ctx, fn)
		if err != nil && try < maxAgain && ctx.Err() == nil && !own(err) && s.dialect.again(err) {
			// Not in step with the one that it lost against.
			time.Sleep(rand.N(time.Duration(try) * 5 * time.Millisecond))
			continue
		}
		return s.failed(ctx, doing, err)
	}
}

func (s *database) writeOnce(ctx context.Context, fn func(*tx) error) error {
	sqlTx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer s.statements.prepare(ctx)
	if err := fn(&tx{conn: sqlTx, ctx: ctx, dialect: s.dialect, statements: s.statements}); err != nil {
		if rollbackErr := sqlTx.Rollback(); rollbackErr != nil && !errors.Is(rollbackErr, sql.ErrTxDone) {
			return fmt.Errorf("%w (and rolling back: %w)", err, rollbackErr)
		}
		return err
	}
	return sqlTx.Commit()
}

// read runs fn on the readers, each query on its own.
func (s *database) read(ctx context.Context, doing string, fn func(*tx) error) error {
	return s.failed(ctx, doing, fn(&tx{conn: s.reader, ctx: ctx, dialect: s.dialect}))
}

// failed gives an error its meaning for callers.
func (s *database) failed(ctx context.Context, doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case own(err):
		return fmt.Errorf("%s: %w", doing, err)
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("%s: %w", doing, context.Canceled)
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w: %w: %w", doing, ErrUnavailable, ctx.Err(), err)
	}
	return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, err)
}

// tx is a transaction, or the pool of readers, with queries rendered for the
// dialect.
type tx struct {
	conn interface {
		ExecContext(context.Context, string, ...any) (sql.Result, error)
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	}
	ctx        context.Context
	dialect    *dialect
	statements *statements
}

// prepared finds the query among the prepared ones.
func (t *tx) prepared(query string) *sql.Stmt {
	stmt := t.statements.find(query)
	sqlTx, ok := t.conn.(*sql.Tx)
	if stmt == nil || !ok {
		return nil
	}
	return sqlTx.StmtContext(t.ctx, stmt)
}

// exec runs a statement and counts the rows it wrote.
func (t *tx) exec(query string, args ...any) (n int64, err error) {
	query = t.dialect.render(query)
	var result sql.Result
	if stmt := t.prepared(query); stmt != nil {
		result, err = stmt.ExecContext(t.ctx, args...)
	} else {
		result, err = t.conn.ExecContext(t.ctx, query, args...)
	}
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query reads rows, which the caller closes.
func (t *tx) query(query string, args ...any) (*sql.Rows, error) {
	query = t.dialect.render(query)
	if stmt := t.prepared(query); stmt != nil {
		return stmt.QueryContext(t.ctx, args...)
	}
	return t.conn.QueryContext(t.ctx, query, args...)
}

// row reads one row; sql.ErrNoRows when there is none.
func (t *tx) row(query string, args []any, into ...any) error {
	rows, err := t.query(query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := rows.Scan(into...); err != nil {
		return err
	}
	// To the end: a RETURNING statement is done only when it has been read.
	for rows.Next() {
	}
	return rows.Err()
}

type scanner interface{ Scan(...any) error }

// collect reads all rows of a query.
func collect[T any](t *tx, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := t.query(query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

func scanID(row scanner) (id int64, err error) { return id, row.Scan(&id) }

// holders writes "$first, $first+1, …" for n arguments.
func holders(first, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", first+i)
	}
	return b.String()
}

func ids(all []int64) []any {
	args := make([]any, len(all))
	for i, id := range all {
		args[i] = id
	}
	return args
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func instant(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// text makes any string storable: PostgreSQL knows neither NUL nor broken
// UTF-8, and a foreign system's words should not fail because of it.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// Storable tells whether a text may be a key or one side of a link.
func Storable(name string) bool { return checkName("", name) == nil }

// checkName checks what is indexed and compared.
func checkName(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: %s is empty", ErrInvalid, what)
	case len(name) > MaxName:
		return fmt.Errorf("%w: %s has %d bytes, at most %d are allowed", ErrInvalid, what, len(name), MaxName)
	case name != text(name):
		return fmt.Errorf("%w: %s %q is not plain UTF-8 text", ErrInvalid, what, name)
	}
	return nil
}

// blob keeps nil apart from empty: SQL's NULL.
func blob(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

// flag is a condition as an argument; the dialects share no boolean type.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
