package panel

import (
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/flowctl/flowctl/engine/store"
)

func cheapHash(t testing.TB, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}

func TestAccountsAreMadeWithCare(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ name, role, password, says string }{
		"short password":         {"anna", RoleOwner, "short", "at least 10"},
		"password of the name":   {"anna-anna-anna", RoleOwner, "Anna-Anna-Anna", "is the name"},
		"password beyond bcrypt": {"anna", RoleOwner, strings.Repeat("x", 73), "more than 72"},
		"no name":                {" ", RoleOwner, password, "1 to 100"},
		"blanks in the name":     {"an na", RoleOwner, password, "no blanks"},
		"a role that is none":    {"anna", "king", password, "no role"},
		"control characters":     {"an\x00na", RoleOwner, password, "no blanks"},
		"a name without any end": {strings.Repeat("x", 101), RoleOwner, password, "1 to 100"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := NewAccount(test.name, test.role, test.password); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v", err)
			}
		})
	}
	account, err := NewAccount(" Anna@Example.com ", RoleViewer, password)
	if err != nil {
		t.Fatal(err)
	}
	if account.Name != "anna@example.com" || strings.Contains(account.PasswordHash, password) || account.Stamp == "" {
		t.Errorf("got %+v", account)
	}
	if cost, err := bcrypt.Cost([]byte(account.PasswordHash)); err != nil || cost < 12 {
		t.Errorf("the hash costs %d, %v", cost, err)
	}
	if !passwordMatches(account.PasswordHash, password) || passwordMatches(account.PasswordHash, password+"x") || passwordMatches("", password) {
		t.Error("passwords are compared wrongly")
	}
	changed, err := WithPassword(account, password+" two")
	if err != nil || changed.Stamp == account.Stamp || changed.PasswordHash == account.PasswordHash {
		t.Errorf("another password gave %+v, %v", changed, err)
	}
	withToken, token := WithToken(store.Account{Name: "robot"})
	if len(token) < 40 || withToken.TokenHash == "" || strings.Contains(withToken.TokenHash, token) {
		t.Errorf("the token %q is kept as %q", token, withToken.TokenHash)
	}
}

// What is compared for names that do not exist must be a hash that takes as long.
func TestNobodysHashCostsTheSame(t *testing.T) {
	t.Parallel()
	if cost, err := bcrypt.Cost([]byte(nobodysHash)); err != nil || cost != passwordCost {
		t.Errorf("it costs %d, %v", cost, err)
	}
}
