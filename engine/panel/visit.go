package panel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/flowctl/flowctl/engine/store"
)

// visit is one request with who makes it and which shop it is about.
type visit struct {
	*http.Request
	w        http.ResponseWriter
	account  store.Account // zero where nobody is logged in
	instance Instance
	shops    []Instance
}

// owner tells whether the visitor may change anything.
func (v *visit) owner() bool { return v.account.Role == RoleOwner }

// base is the path of the shop's pages.
func (v *visit) base() string { return "/i/" + url.PathEscape(v.instance.Name) }

// redirect leads on to a page of the panel. Anything else than a path within it
// leads home, so that nobody is led elsewhere.
func (v *visit) redirect(to string) error {
	if !within(to) {
		to = "/"
	}
	if v.Header.Get("HX-Request") == "true" {
		v.w.Header().Set("HX-Redirect", to)
		v.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(v.w, v.Request, to, http.StatusSeeOther)
	return nil
}

// within tells whether an address is a path of this panel.
func within(to string) bool {
	u, err := url.Parse(to)
	return err == nil && u.Scheme == "" && u.Host == "" && u.Opaque == "" && strings.HasPrefix(to, "/") &&
		!strings.HasPrefix(to, "//") && !strings.ContainsAny(to, "\\\r\n\t")
}

// httpError is an answer that tells the visitor what went wrong.
type httpError struct {
	status          int
	message, advice string
}

func (e *httpError) Error() string { return e.message }

func notFound(message string) error { return &httpError{http.StatusNotFound, message, ""} }

func badRequest(format string, args ...any) error {
	return &httpError{http.StatusBadRequest, fmt.Sprintf(format, args...), ""}
}

// open serves a page that needs no login.
func (p *Panel) open(h func(v *visit) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.serve(&visit{Request: r, w: w}, h)
	})
}

// guarded serves a page to those who are logged in. Only owners may do more
// than look: one rule for all pages, by the request's method.
func (p *Panel) guarded(h func(v *visit) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{Request: r, w: w}
		p.serve(v, func(v *visit) error {
			var err error
			if v.account, err = p.who(r); err != nil {
				return err
			}
			if v.account.Name == "" {
				return p.sendToLogin(v)
			}
			if err := allowed(v); err != nil {
				return err
			}
			return h(v)
		})
	})
}

// own are the paths at which viewers may change what is theirs alone.
var own = map[string]bool{"/logout": true, "/account": true}

func allowed(v *visit) error {
	looks := v.Method == http.MethodGet || v.Method == http.MethodHead
	if looks || v.owner() || own[v.URL.Path] {
		return nil
	}
	return &httpError{http.StatusForbidden, "You may look, not change anything.", "Ask an owner of this panel to do it, or to make you one."}
}

// who is the visitor: of a demo everybody, otherwise whom the session names, or
// the program whose token is given.
func (p *Panel) who(r *http.Request) (store.Account, error) {
	if p.config.Demo {
		return store.Account{Name: "demo", Role: RoleOwner}, nil
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		account, err := p.store.AccountOfToken(r.Context(), tokenHash(strings.TrimSpace(token)))
		if errors.Is(err, store.ErrNotFound) {
			return store.Account{}, nil
		}
		return account, err
	}
	name, stamp := p.sessions.account(r)
	if name == "" {
		return store.Account{}, nil
	}
	account, err := p.store.Account(r.Context(), name)
	if errors.Is(err, store.ErrNotFound) || err == nil && account.Stamp != stamp {
		return store.Account{}, nil // removed, or its password changed since
	}
	return account, err
}

// inShop finds the shop that the path names.
func (p *Panel) inShop(h func(v *visit) error) func(v *visit) error {
	return func(v *visit) error {
		all, err := p.instances(v.Context())
		if err != nil {
			return err
		}
		v.shops = all
		for _, one := range all {
			if one.Name == v.PathValue("instance") {
				v.instance = one
				return h(v)
			}
		}
		return notFound("There is no such shop.")
	}
}

// id reads a number of the path.
func (v *visit) id(name string) (int64, error) {
	id, err := strconv.ParseInt(v.PathValue(name), 10, 64)
	if err != nil || id <= 0 {
		return 0, notFound("There is no such page.")
	}
	return id, nil
}

// serve calls a handler and answers its error.
func (p *Panel) serve(v *visit, h func(v *visit) error) {
	defer func() {
		if r := recover(); r != nil {
			if err, ok := r.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(r) // net/http's own way to end an answer
			}
			p.log.Error("a page panicked", "path", v.URL.Path, "panic", r, "stack", string(debug.Stack()))
			p.answer(v, &httpError{http.StatusInternalServerError, "Something is wrong with this page.", "The log of flowctl says what."})
		}
	}()
	if err := h(v); err != nil {
		p.answer(v, err)
	}
}

// fail answers a request that no handler saw.
func (p *Panel) fail(w http.ResponseWriter, r *http.Request, err error) {
	p.answer(&visit{Request: r, w: w}, err)
}

// answer tells the visitor of an error. What the program's own errors say may
// hold more than a visitor should read: that goes to the log.
func (p *Panel) answer(v *visit, err error) {
	var told *httpError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &told):
	case errors.Is(err, context.Canceled):
		return // the visitor left
	case errors.As(err, &large):
		told = &httpError{http.StatusRequestEntityTooLarge, "This is more than the panel takes.", ""}
	case errors.Is(err, store.ErrNotFound):
		told = &httpError{http.StatusNotFound, "It is not there any more.", ""}
	case errors.Is(err, store.ErrUnavailable):
		told = &httpError{http.StatusServiceUnavailable, "The database does not answer.", "Try again in a moment. The log of flowctl says more."}
	default:
		told = &httpError{http.StatusInternalServerError, "Something went wrong.", "The log of flowctl says what."}
	}
	if told.status >= 500 {
		p.log.Error("a page failed", "path", v.URL.Path, "error", err)
	}
	if strings.HasPrefix(v.URL.Path, "/api/") {
		answerJSON(v.w, told.status, apiProblem{told.message, told.advice})
		return
	}
	if err := p.pages.render(v, told.status, "error", p.layout(v, "", told.message), problem{told.message, told.advice}); err != nil {
		p.log.Error("the error page failed", "path", v.URL.Path, "error", err)
		http.Error(v.w, told.message, told.status)
	}
}

// problem is what the error page shows.
type problem struct{ Message, Advice string }
