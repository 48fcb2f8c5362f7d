package panel

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/flowctl/flowctl/engine/store"
)

// sessionLife is how long a login lasts.
const sessionLife = 7 * 24 * time.Hour

// What a session keeps.
const (
	sessionAccount = "account"
	sessionStamp   = "stamp"
	sessionNotice  = "notice"
)

// sessions keeps logins in the store, so that several machines may serve the
// panel. The cookie of an encrypted connection has a name that browsers accept
// from no other kind.
type sessions struct{ plain, encrypted *scs.SessionManager }

func newSessions(st store.Store, log *slog.Logger) sessions {
	manager := func(cookie string, secure bool) *scs.SessionManager {
		m := scs.New()
		m.Lifetime = sessionLife
		m.Store = sessionStore{st}
		m.HashTokenInStore = true
		m.Cookie.Name, m.Cookie.Secure = cookie, secure
		m.Cookie.SameSite = http.SameSiteLaxMode
		m.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
			log.Error("reading or saving a session", "error", err)
			http.Error(w, "The database does not answer. Try again in a moment.", http.StatusServiceUnavailable)
		}
		return m
	}
	return sessions{plain: manager("flowctl", false), encrypted: manager("__Host-flowctl", true)}
}

func (s sessions) of(r *http.Request) *scs.SessionManager {
	if encrypted(r) {
		return s.encrypted
	}
	return s.plain
}

// load reads the session before a request and saves it after.
func (s sessions) load(next http.Handler) http.Handler {
	plain, encrypt := s.plain.LoadAndSave(next), s.encrypted.LoadAndSave(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.of(r) == s.encrypted {
			encrypt.ServeHTTP(w, r)
		} else {
			plain.ServeHTTP(w, r)
		}
	})
}

// account is who is logged in, "" for nobody, and the stamp of that time.
func (s sessions) account(r *http.Request) (name, stamp string) {
	m := s.of(r)
	return m.GetString(r.Context(), sessionAccount), m.GetString(r.Context(), sessionStamp)
}

// begin logs an account in, under a token that nobody knew before.
func (s sessions) begin(r *http.Request, account store.Account) error {
	m := s.of(r)
	if err := m.RenewToken(r.Context()); err != nil {
		return err
	}
	m.Put(r.Context(), sessionAccount, account.Name)
	m.Put(r.Context(), sessionStamp, account.Stamp)
	return nil
}

// end logs out.
func (s sessions) end(r *http.Request) error { return s.of(r).Destroy(r.Context()) }

// note keeps a sentence for the next page.
func (s sessions) note(r *http.Request, text string) { s.of(r).Put(r.Context(), sessionNotice, text) }

// noted takes that sentence.
func (s sessions) noted(r *http.Request) string { return s.of(r).PopString(r.Context(), sessionNotice) }

// sessionStore keeps sessions in the store.
type sessionStore struct{ store store.Store }

var _ scs.CtxStore = sessionStore{}

var errNoContext = errors.New("sessions are kept with a context only")

// FindCtx reads a session.
func (s sessionStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	return s.store.Session(ctx, token)
}

// CommitCtx saves a session.
func (s sessionStore) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	return s.store.SaveSession(ctx, token, data, expiry)
}

// DeleteCtx ends a session.
func (s sessionStore) DeleteCtx(ctx context.Context, token string) error {
	return s.store.DeleteSession(ctx, token)
}

// Find is not used.
func (s sessionStore) Find(string) ([]byte, bool, error) { return nil, false, errNoContext }

// Commit is not used.
func (s sessionStore) Commit(string, []byte, time.Time) error { return errNoContext }

// Delete is not used.
func (s sessionStore) Delete(string) error { return errNoContext }
