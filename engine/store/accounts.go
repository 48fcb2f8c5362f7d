package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Account is a person, or a program, that may use the panel.
type Account struct {
	Name string
	Role string
	// PasswordHash and TokenHash are made and compared by the panel; TokenHash is
	// "" for accounts that no program uses.
	PasswordHash, TokenHash string
	// Stamp changes with everything that must end the account's sessions.
	Stamp                string
	CreatedAt, UpdatedAt time.Time
}

// Accounts keeps who may use the panel, and the sessions there.
type Accounts interface {
	// Accounts lists all by name, at most [MaxPage].
	Accounts(ctx context.Context) ([]Account, error)
	// Account reads one by name, or gives ErrNotFound.
	Account(ctx context.Context, name string) (Account, error)
	// AccountOfToken reads the one with this token's hash, or gives ErrNotFound.
	AccountOfToken(ctx context.Context, hash string) (Account, error)
	// SaveAccount makes an account or writes it anew.
	SaveAccount(ctx context.Context, account Account) error
	// FirstAccount makes an account if there is none yet, of any name; false when
	// there was one.
	FirstAccount(ctx context.Context, account Account) (bool, error)
	// DeleteAccount removes one, or gives ErrNotFound.
	DeleteAccount(ctx context.Context, name string) error

	// Session reads what a session keeps, by its token's hash; false when there is
	// none, or it has ended.
	Session(ctx context.Context, token string) ([]byte, bool, error)
	// SaveSession keeps a session until expires. Those that have ended go.
	SaveSession(ctx context.Context, token string, data []byte, expires time.Time) error
	// DeleteSession ends one; one that is not there is no error.
	DeleteSession(ctx context.Context, token string) error
}

const accountColumns = `name, role, password, token, stamp, created_at, updated_at`

func scanAccount(row scanner) (Account, error) {
	var a Account
	var created, updated int64
	err := row.Scan(&a.Name, &a.Role, &a.PasswordHash, &a.TokenHash, &a.Stamp, &created, &updated)
	a.CreatedAt, a.UpdatedAt = instant(created), instant(updated)
	return a, err
}

// Accounts lists who may use the panel.
func (s *database) Accounts(ctx context.Context) (all []Account, err error) {
	err = s.read(ctx, "listing accounts", func(tx *tx) (err error) {
		all, err = collect(tx, scanAccount, fmt.Sprintf(`SELECT `+accountColumns+` FROM accounts ORDER BY name LIMIT %d`, MaxPage))
		return err
	})
	return all, err
}

// Account reads one account.
func (s *database) Account(ctx context.Context, name string) (Account, error) {
	return s.account(ctx, `name = $1`, name)
}

// AccountOfToken reads the account with a token.
func (s *database) AccountOfToken(ctx context.Context, hash string) (Account, error) {
	if hash == "" {
		return Account{}, ErrNotFound
	}
	return s.account(ctx, `token = $1`, hash)
}

func (s *database) account(ctx context.Context, where, value string) (account Account, err error) {
	err = s.read(ctx, "reading an account", func(tx *tx) error {
		found, err := collect(tx, scanAccount, `SELECT `+accountColumns+` FROM accounts WHERE `+where, text(value))
		if err == nil && len(found) == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		account = found[0]
		return nil
	})
	return account, err
}

func (a Account) check() error {
	if a.PasswordHash == "" || a.Role == "" || a.Stamp == "" {
		return fmt.Errorf("%w: an account needs a role, a password and a stamp", ErrInvalid)
	}
	return checkName("the account's name", a.Name)
}

// SaveAccount writes an account, see [Accounts].
func (s *database) SaveAccount(ctx context.Context, account Account) error {
	return s.write(ctx, "saving an account", func(tx *tx) error {
		if err := account.check(); err != nil {
			return err
		}
		_, err := tx.exec(`INSERT INTO accounts (`+accountColumns+`) VALUES ($1, $2, $3, $4, $5, {now}, {now})
			ON CONFLICT (name) DO UPDATE SET role = excluded.role, password = excluded.password, token = excluded.token,
			stamp = excluded.stamp, updated_at = excluded.updated_at`,
			account.Name, account.Role, account.PasswordHash, account.TokenHash, account.Stamp)
		return err
	})
}

// FirstAccount makes the first account, see [Accounts].
func (s *database) FirstAccount(ctx context.Context, account Account) (made bool, err error) {
	err = s.write(ctx, "making the first account", func(tx *tx) error {
		if err := account.check(); err != nil {
			return err
		}
		// Ping's row is everybody's: two that make the first account at once wait
		// for each other here.
		_, err := tx.exec(`INSERT INTO pings (instance, at) VALUES ('', {now})
			ON CONFLICT (instance) DO UPDATE SET at = excluded.at`)
		if err != nil {
			return err
		}
		n, err := tx.exec(`INSERT INTO accounts (`+accountColumns+`) SELECT $1, $2, $3, $4, $5, {now}, {now}
			WHERE NOT EXISTS (SELECT 1 FROM accounts)`,
			account.Name, account.Role, account.PasswordHash, account.TokenHash, account.Stamp)
		made = n > 0
		return err
	})
	return made, err
}

// DeleteAccount removes an account.
func (s *database) DeleteAccount(ctx context.Context, name string) error {
	return s.write(ctx, "removing an account", func(tx *tx) error {
		n, err := tx.exec(`DELETE FROM accounts WHERE name = $1`, text(name))
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
}

// Session reads a session.
func (s *database) Session(ctx context.Context, token string) (data []byte, found bool, err error) {
	err = s.read(ctx, "reading a session", func(tx *tx) error {
		err := tx.row(`SELECT data FROM sessions WHERE token = $1 AND expires_at > {now}`, []any{token}, &data)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		found = err == nil
		return err
	})
	return data, found, err
}

// SaveSession keeps a session, see [Accounts].
func (s *database) SaveSession(ctx context.Context, token string, data []byte, expires time.Time) error {
	return s.write(ctx, "saving a session", func(tx *tx) error {
		if err := checkName("the session's token", token); err != nil {
			return err
		}
		if _, err := tx.exec(`DELETE FROM sessions WHERE expires_at <= {now}`); err != nil {
			return err
		}
		_, err := tx.exec(`INSERT INTO sessions (token, data, expires_at) VALUES ($1, $2, $3)
			ON CONFLICT (token) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at`,
			token, data, micros(expires))
		return err
	})
}

// DeleteSession ends a session.
func (s *database) DeleteSession(ctx context.Context, token string) error {
	return s.write(ctx, "ending a session", func(tx *tx) error {
		_, err := tx.exec(`DELETE FROM sessions WHERE token = $1`, token)
		return err
	})
}
