package panel

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/flowctl/flowctl/engine/store"
)

// loginForm is what the pages of login and setup show.
type loginForm struct {
	Name, Next, Token, Problem string
}

func (p *Panel) sendToLogin(v *visit) error {
	if strings.HasPrefix(v.URL.Path, "/api/") {
		return &httpError{http.StatusUnauthorized, "Log in first, or send a token.", "flowctl users token NAME makes one; send it as: Authorization: Bearer …"}
	}
	if v.Header.Get("HX-Request") == "true" {
		v.w.Header().Set("HX-Refresh", "true") // the whole page, which leads to the login
		v.w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	to := "/login"
	if v.Method == http.MethodGet && v.URL.Path != "/" && !strings.HasPrefix(v.URL.Path, "/queues/") {
		to += "?next=" + escapeQuery(v.URL.RequestURI())
	}
	http.Redirect(v.w, v.Request, to, http.StatusSeeOther)
	return nil
}

func (p *Panel) loginPage(v *visit) error {
	if p.config.Demo {
		return v.redirect("/")
	}
	if account, err := p.who(v.Request); err != nil || account.Name != "" {
		return errors.Join(err, v.redirect("/"))
	}
	return p.showLogin(v, http.StatusOK, loginForm{Next: v.FormValue("next")})
}

func (p *Panel) showLogin(v *visit, status int, form loginForm) error {
	return p.pages.render(v, status, "login", p.layout(v, "", "Log in"), form)
}

// login compares the password. All failures look the same, and take the same
// time: nobody learns which names there are.
func (p *Panel) login(v *visit) error {
	if err := v.ParseForm(); err != nil {
		return badRequest("The form cannot be read.")
	}
	name, password := accountName(v.PostFormValue("name")), v.PostFormValue("password")
	form := loginForm{Name: name, Next: v.PostFormValue("next")}
	if len(name) > 400 || !p.limits.allow(name, v.RemoteAddr) {
		p.log.Warn("too many logins", "address", network(v.RemoteAddr))
		v.w.Header().Set("Retry-After", "60")
		form.Problem = "Too many tries. Wait a minute, then try again."
		return p.showLogin(v, http.StatusTooManyRequests, form)
	}
	account, err := p.store.Account(v.Context(), name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	matches, err := p.matches(v.Context(), account.PasswordHash, password)
	if err != nil {
		return err
	}
	if !matches {
		p.log.Warn("a login failed", "address", network(v.RemoteAddr))
		form.Problem = "Name or password is wrong."
		return p.showLogin(v, http.StatusUnauthorized, form)
	}
	p.limits.succeeded(name, v.RemoteAddr)
	if err := p.sessions.begin(v.Request, account); err != nil {
		return err
	}
	p.log.Info("logged in", "account", account.Name)
	return v.redirect(form.Next)
}

// matches compares a password, a few at once.
func (p *Panel) matches(ctx context.Context, hash, password string) (bool, error) {
	select {
	case p.limits.hashing <- struct{}{}:
		defer func() { <-p.limits.hashing }()
		return passwordMatches(hash, password), nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func (p *Panel) logout(v *visit) error {
	if err := p.sessions.end(v.Request); err != nil {
		return err
	}
	return v.redirect("/login")
}

// setupToken is the secret of the link by which the first account is made.
type setupToken struct {
	mu    sync.Mutex
	value string
}

// SetupPath is the path of the page on which the first owner is made, with its
// secret; "" when there is an account already. It holds until it was used, in this
// process.
func (p *Panel) SetupPath(ctx context.Context) (string, error) {
	accounts, err := p.store.Accounts(ctx)
	if err != nil || len(accounts) > 0 || p.config.Demo {
		return "", err
	}
	p.setup.mu.Lock()
	defer p.setup.mu.Unlock()
	if p.setup.value == "" {
		p.setup.value = rand.Text()
	}
	return "/setup?token=" + p.setup.value, nil
}

func (t *setupToken) is(given string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.value != "" && subtle.ConstantTimeCompare([]byte(t.value), []byte(given)) == 1
}

func (t *setupToken) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.value = ""
}

func (p *Panel) checkSetup(v *visit) error {
	if !p.setup.is(v.FormValue("token")) {
		return &httpError{http.StatusForbidden, "This link does not hold, or was used already.",
			"flowctl serve prints a new one at its start while there is no account. flowctl users add makes accounts at any time."}
	}
	return nil
}

func (p *Panel) setupPage(v *visit) error {
	if err := p.checkSetup(v); err != nil {
		return err
	}
	return p.showSetup(v, http.StatusOK, loginForm{Token: v.FormValue("token")})
}

func (p *Panel) showSetup(v *visit, status int, form loginForm) error {
	return p.pages.render(v, status, "setup", p.layout(v, "", "Welcome"), form)
}

func (p *Panel) setupDone(v *visit) error {
	if err := p.checkSetup(v); err != nil {
		return err
	}
	form := loginForm{Token: v.PostFormValue("token"), Name: v.PostFormValue("name")}
	again := func(problem string) error {
		form.Problem = problem
		return p.showSetup(v, http.StatusUnprocessableEntity, form)
	}
	if v.PostFormValue("password") != v.PostFormValue("again") {
		return again("The two passwords differ.")
	}
	account, err := NewAccount(form.Name, RoleOwner, v.PostFormValue("password"))
	if err != nil {
		return again(sentence(err.Error()))
	}
	made, err := p.store.FirstAccount(v.Context(), account)
	if err != nil {
		return err
	}
	p.setup.end()
	if !made {
		return &httpError{http.StatusForbidden, "Somebody has made the first account meanwhile.", "Log in with it."}
	}
	if err := p.sessions.begin(v.Request, account); err != nil {
		return err
	}
	p.log.Info("the first account was made", "account", account.Name)
	return v.redirect("/")
}

// accountView is what the page of one's own account shows.
type accountView struct {
	Name, Role, Problem string
	CanChange           bool
}

func (p *Panel) showAccount(v *visit, status int, problem string) error {
	return p.pages.render(v, status, "account", p.layout(v, "", "Your account"),
		accountView{Name: v.account.Name, Role: v.account.Role, Problem: problem, CanChange: !p.config.Demo})
}

func (p *Panel) accountPage(v *visit) error { return p.showAccount(v, http.StatusOK, "") }

// changePassword ends all other sessions of the account.
func (p *Panel) changePassword(v *visit) error {
	if p.config.Demo {
		return badRequest("The demo has no accounts.")
	}
	name := v.account.Name
	if !p.limits.allow(name, v.RemoteAddr) {
		v.w.Header().Set("Retry-After", "60")
		return p.showAccount(v, http.StatusTooManyRequests, "Too many tries. Wait a minute, then try again.")
	}
	matches, err := p.matches(v.Context(), v.account.PasswordHash, v.PostFormValue("password"))
	switch {
	case err != nil:
		return err
	case !matches:
		return p.showAccount(v, http.StatusUnprocessableEntity, "The present password is wrong.")
	case v.PostFormValue("new") != v.PostFormValue("again"):
		return p.showAccount(v, http.StatusUnprocessableEntity, "The two new passwords differ.")
	}
	changed, err := WithPassword(v.account, v.PostFormValue("new"))
	if err != nil {
		return p.showAccount(v, http.StatusUnprocessableEntity, sentence(err.Error()))
	}
	if err := p.store.SaveAccount(v.Context(), changed); err != nil {
		return err
	}
	p.limits.succeeded(name, v.RemoteAddr)
	if err := p.sessions.begin(v.Request, changed); err != nil {
		return err
	}
	p.sessions.note(v.Request, "Your password is changed. Other browsers are logged out.")
	return v.redirect("/account")
}
