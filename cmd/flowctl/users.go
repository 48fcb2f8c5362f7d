package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine/panel"
	"github.com/flowctl/flowctl/engine/store"
)

func usersCommand() *cli.Command {
	return group("users", "who may use the panel and its API",
		"Owners may do everything, viewers look. Passwords and tokens are kept as hashes only.\n\n"+
			"Example: flowctl users add anna",
		usersListCommand(), usersAddCommand(), usersPasswordCommand(), usersRoleCommand(), usersTokenCommand(), usersRemoveCommand())
}

// userView is an account as it is printed.
type userView struct {
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	Token   bool      `json:"token"`
	Created time.Time `json:"created_at"`
}

func usersListCommand() *cli.Command {
	return &cli.Command{
		Name: "list", Usage: "list all accounts", Description: "Example: flowctl users list",
		Flags: append(databaseFlags(), jsonFlag()),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			return withStore(c, true, func(st store.Store) error {
				all, err := st.Accounts(c.Context)
				if err != nil {
					return err
				}
				views := []userView{}
				for _, a := range all {
					views = append(views, userView{a.Name, a.Role, a.TokenHash != "", a.CreatedAt})
				}
				if c.Bool("json") {
					return printJSON(c.App.Writer, views)
				}
				table := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
				fmt.Fprintln(table, "NAME\tROLE\tTOKEN\tMADE")
				for _, v := range views {
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", v.Name, v.Role, map[bool]string{true: "yes", false: "no"}[v.Token], clock(v.Created))
				}
				return table.Flush()
			})
		},
	}
}

const passwordHelp = "The password is read from the standard input where --stdin is given; otherwise one is made and printed.\n\n"

func stdinFlag() cli.Flag {
	return &cli.BoolFlag{Name: "stdin", Usage: "read the password from the standard input"}
}

// readPassword reads a password, or makes one and tells it.
func readPassword(c *cli.Context, name string) (password string, tell func(), err error) {
	if c.Bool("stdin") {
		line, err := bufio.NewReader(io.LimitReader(c.App.Reader, 1000)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", nil, fmt.Errorf("reading the password: %w", err)
		}
		return strings.TrimRight(line, "\r\n"), func() {}, nil
	}
	password = strings.ToLower(rand.Text()[:20])
	return password, func() { fmt.Fprintf(c.App.Writer, "password of %s: %s\n", name, password) }, nil
}

func usersAddCommand() *cli.Command {
	return &cli.Command{
		Name: "add", Usage: "make an account", ArgsUsage: "NAME",
		Description: passwordHelp + "Example: flowctl users add anna\n         flowctl users add --role viewer --stdin ben <password.txt",
		Flags: append(databaseFlags(), stdinFlag(),
			&cli.StringFlag{Name: "role", Value: panel.RoleOwner, Usage: "owner or viewer"}),
		Action: func(c *cli.Context) error {
			name, err := userName(c)
			if err != nil {
				return err
			}
			password, tell, err := readPassword(c, name)
			if err != nil {
				return err
			}
			account, err := panel.NewAccount(name, c.String("role"), password)
			if err != nil {
				return &exitError{exitUsage, err}
			}
			return withStore(c, true, func(st store.Store) error {
				if _, err := st.Account(c.Context, account.Name); err == nil {
					return failure(exitUsage, "there is an account %q already; flowctl users password %s changes its password", account.Name, account.Name)
				} else if !isNotFound(err) {
					return err
				}
				if err := st.SaveAccount(c.Context, account); err != nil {
					return err
				}
				fmt.Fprintf(c.App.ErrWriter, "%s is there, as %s\n", account.Name, account.Role)
				tell()
				return nil
			})
		},
	}
}

func userName(c *cli.Context) (string, error) {
	if c.NArg() != 1 {
		return "", failure(exitUsage, "%s takes one name", c.Command.HelpName)
	}
	return strings.ToLower(strings.TrimSpace(c.Args().First())), nil
}

// changeUser changes an account.
func changeUser(c *cli.Context, change func(store.Account) (store.Account, error), done func(store.Account)) error {
	name, err := userName(c)
	if err != nil {
		return err
	}
	return withStore(c, false, func(st store.Store) error {
		account, err := st.Account(c.Context, name)
		if isNotFound(err) {
			return failure(exitUsage, "there is no account %q; flowctl users list shows them", name)
		}
		if err != nil {
			return err
		}
		if account, err = change(account); err != nil {
			return &exitError{exitUsage, err}
		}
		if err := st.SaveAccount(c.Context, account); err != nil {
			return err
		}
		done(account)
		return nil
	})
}

func usersPasswordCommand() *cli.Command {
	return &cli.Command{
		Name: "password", Usage: "set another password", ArgsUsage: "NAME",
		Description: passwordHelp + "The account is logged out everywhere.\n\nExample: flowctl users password anna",
		Flags:       append(databaseFlags(), stdinFlag()),
		Action: func(c *cli.Context) error {
			var tell func()
			return changeUser(c, func(a store.Account) (store.Account, error) {
				password, t, err := readPassword(c, a.Name)
				if err != nil {
					return a, err
				}
				tell = t
				return panel.WithPassword(a, password)
			}, func(a store.Account) {
				fmt.Fprintf(c.App.ErrWriter, "%s has another password, and is logged out everywhere\n", a.Name)
				tell()
			})
		},
	}
}

func usersRoleCommand() *cli.Command {
	return &cli.Command{
		Name: "role", Usage: "make an account owner or viewer", ArgsUsage: "NAME",
		Description: "Example: flowctl users role --to viewer ben",
		Flags:       append(databaseFlags(), &cli.StringFlag{Name: "to", Usage: "owner or viewer"}),
		Action: func(c *cli.Context) error {
			return changeUser(c, func(a store.Account) (store.Account, error) { return panel.WithRole(a, c.String("to")) },
				func(a store.Account) { fmt.Fprintf(c.App.ErrWriter, "%s is %s\n", a.Name, a.Role) })
		},
	}
}

func usersTokenCommand() *cli.Command {
	return &cli.Command{
		Name: "token", Usage: "make a token for programs, in place of the one before", ArgsUsage: "NAME",
		Description: "A program sends it as: Authorization: Bearer TOKEN. It may do what the account may. --drop takes it away.\n\n" +
			"Example: flowctl users token robot",
		Flags: append(databaseFlags(), &cli.BoolFlag{Name: "drop", Usage: "take the token away"}),
		Action: func(c *cli.Context) error {
			var token string
			return changeUser(c, func(a store.Account) (store.Account, error) {
				if c.Bool("drop") {
					a.TokenHash = ""
					return a, nil
				}
				a, token = panel.WithToken(a)
				return a, nil
			}, func(a store.Account) {
				if token == "" {
					fmt.Fprintf(c.App.ErrWriter, "%s has no token any more\n", a.Name)
					return
				}
				fmt.Fprintln(c.App.Writer, token)
				fmt.Fprintln(c.App.ErrWriter, "it is not shown again")
			})
		},
	}
}

func usersRemoveCommand() *cli.Command {
	return &cli.Command{
		Name: "remove", Usage: "remove an account; it is logged out everywhere", ArgsUsage: "NAME",
		Description: "Example: flowctl users remove ben",
		Flags:       databaseFlags(),
		Action: func(c *cli.Context) error {
			name, err := userName(c)
			if err != nil {
				return err
			}
			return withStore(c, false, func(st store.Store) error {
				err := st.DeleteAccount(c.Context, name)
				if isNotFound(err) {
					return failure(exitUsage, "there is no account %q; flowctl users list shows them", name)
				}
				if err == nil {
					fmt.Fprintf(c.App.ErrWriter, "%s is removed\n", name)
				}
				return err
			})
		},
	}
}
