package panel

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"

	"github.com/flowctl/flowctl/engine/store"
)

// The roles of accounts.
const (
	RoleOwner  = "owner"  // everything
	RoleViewer = "viewer" // looks
)

// Roles lists all roles.
var Roles = []string{RoleOwner, RoleViewer}

const (
	minPassword = 10
	maxPassword = 72 // bytes: bcrypt takes no more
	// passwordCost takes about a quarter of a second: little for a person, much
	// for whoever tries a million.
	passwordCost = 12
)

// NewAccount makes an account, to be saved in the store.
func NewAccount(name, role, password string) (store.Account, error) {
	name = accountName(name)
	if err := checkAccountName(name); err != nil {
		return store.Account{}, err
	}
	account, err := WithRole(store.Account{Name: name}, role)
	if err != nil {
		return account, err
	}
	return WithPassword(account, password)
}

// WithRole returns the account with another role, which holds at once.
func WithRole(account store.Account, role string) (store.Account, error) {
	if role != RoleOwner && role != RoleViewer {
		return account, fmt.Errorf("there is no role %q; there are: %s", role, strings.Join(Roles, ", "))
	}
	account.Role = role
	return account, nil
}

// WithPassword returns the account with another password. Its sessions end.
func WithPassword(account store.Account, password string) (store.Account, error) {
	if err := checkPassword(account.Name, password); err != nil {
		return store.Account{}, err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), passwordCost)
	if err != nil {
		return store.Account{}, fmt.Errorf("hashing the password: %w", err)
	}
	account.PasswordHash, account.Stamp = string(hash), rand.Text()
	return account, nil
}

// WithToken returns the account with a new token for programs, and the token: it
// is kept nowhere.
func WithToken(account store.Account) (store.Account, string) {
	token := "flowctl_" + rand.Text() + rand.Text()
	account.TokenHash = tokenHash(token)
	return account, token
}

// tokenHash needs no salt and no slowness: a token cannot be guessed.
func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// accountName is how a name is kept: people do not remember case.
func accountName(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

func checkAccountName(name string) error {
	if name == "" || utf8.RuneCountInString(name) > 100 {
		return errors.New("the name needs 1 to 100 characters")
	}
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) }) {
		return errors.New("the name must have no blanks; an e-mail address is fine")
	}
	return nil
}

func checkPassword(name, password string) error {
	switch {
	case utf8.RuneCountInString(password) < minPassword:
		return fmt.Errorf("the password needs at least %d characters", minPassword)
	case len(password) > maxPassword:
		return fmt.Errorf("the password has more than %d bytes", maxPassword)
	case strings.EqualFold(password, name):
		return errors.New("the password is the name")
	}
	return nil
}

// nobody's hash is compared where there is no such account, so that the time of
// an answer does not tell whether there is one.
const nobodysHash = "$2a$12$C6UzMDM.H6dfI/f/IKcEeO7ZBpNQe4mU9XgNvh6yN1KQmZBGOgU6e"

func passwordMatches(hash, password string) bool {
	if hash == "" {
		hash = nobodysHash
	}
	return bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil && hash != nobodysHash
}
