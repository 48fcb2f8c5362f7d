package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// postgresConnections bounds a process's connections: PostgreSQL's default is a
// hundred for all.
const postgresConnections = 16

func postgresDialect() *dialect {
	return &dialect{
		name: "postgres",
		// clock_timestamp, not now(): a lease must be judged by the time after the
		// wait for its row, not by the beginning of the transaction.
		now:  "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
		lock: " FOR UPDATE",

		lockLinks:  `SELECT pg_advisory_xact_lock(` + linksKey + `)`,
		shareLinks: `SELECT pg_advisory_xact_lock_shared(` + linksKey + `)`,

		again:   postgresAgain,
		refused: postgresRefused,
	}
}

// postgresAgain: serialization failures, deadlocks, and unique violations, which
// only a race can bring about; the next attempt sees the other's row.
func postgresAgain(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case "40001", "40P01", "23505":
		return true
	}
	return false
}

// postgresRefused: the classes of errors that speak of the values or the
// statement (data, integrity, syntax, program limits).
func postgresRefused(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) || len(e.Code) != 5 {
		return false
	}
	switch e.Code[:2] {
	case "22", "23", "42", "54":
		return true
	}
	return false
}

func openPostgres(ctx context.Context, url string) (*database, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		// pgx's own text repeats the URL, and with it perhaps the password.
		return nil, fmt.Errorf("opening the store: %w: the PostgreSQL URL cannot be read", ErrInvalid)
	}
	if _, set := config.RuntimeParams["application_name"]; !set {
		config.RuntimeParams["application_name"] = "flowctl"
	}
	db := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(insistOnDurability))
	db.SetMaxOpenConns(postgresConnections)
	db.SetMaxIdleConns(postgresConnections)
	db.SetConnMaxIdleTime(5 * time.Minute)

	dialect := postgresDialect()
	if err := migrate(ctx, dialect, db, nil, goose.WithSessionLocker(advisoryLock{})); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return newDatabase(dialect, db, db, nil), nil
}

// insistOnDurability undoes a server or role default of synchronous_commit=off,
// with which a commit that was answered can be lost. Stronger settings stay.
func insistOnDurability(ctx context.Context, conn *pgx.Conn) error {
	var setting string
	if err := conn.QueryRow(ctx, "SHOW synchronous_commit").Scan(&setting); err != nil {
		return fmt.Errorf("reading synchronous_commit: %w", err)
	}
	if strings.EqualFold(setting, "off") {
		if _, err := conn.Exec(ctx, "SET synchronous_commit = on"); err != nil {
			return fmt.Errorf("setting synchronous_commit: %w", err)
		}
	}
	return nil
}

// advisoryLock keeps other processes from migrating the same schema. It ends
// with its connection, so a process that dies does not leave it behind.
type advisoryLock struct{}

// linksKey names the lock on an instance's links.
const linksKey = `hashtextextended('flowctl links ' || coalesce(current_schema(), '') || ' ' || $1, 0)`

const advisoryKey = `hashtextextended('flowctl store ' || coalesce(current_schema(), ''), 0)`

// SessionLock waits for the lock.
func (advisoryLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock("+advisoryKey+")")
	return err
}

// SessionUnlock gives it up.
func (advisoryLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "SELECT pg_advisory_unlock("+advisoryKey+")")
	return err
}
