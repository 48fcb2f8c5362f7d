package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

// maxAnswer bounds an answer's body, in bytes.
const maxAnswer = 16 << 20

// odoo is a bare JSON-RPC client. It shares no code with the connector, so that
// the two cannot be wrong together.
type odoo struct {
	url, database, login, key string
	uid                       int64
	http                      *http.Client
}

// connect returns a client for the Odoo that the environment names, logged in.
// It skips the test when end-to-end tests were not asked for, and fails it when
// they were and the Odoo is missing.
func connect(t *testing.T) *odoo {
	t.Helper()
	o := fromEnvironment(t)
	uid, err := o.authenticate(t, o.key)
	if err != nil {
		t.Fatalf("logging in to Odoo at %s: %v", o.url, err)
	}
	o.uid = uid
	return o
}

func fromEnvironment(t *testing.T) *odoo {
	t.Helper()
	if os.Getenv("FLOWCTL_E2E") == "" {
		t.Skip("NOT TESTED against a real Odoo: FLOWCTL_E2E is not set (run `make e2e`)")
	}
	value := func(name string) string {
		v := os.Getenv(name)
		if v == "" {
			t.Fatalf("FLOWCTL_E2E is set and %s is not: run `make e2e`, or set what `.ci/odoo19.sh env` prints", name)
		}
		return v
	}
	return &odoo{
		url:      strings.TrimRight(value("FLOWCTL_ODOO_URL"), "/"),
		database: value("FLOWCTL_ODOO_DB"),
		login:    value("FLOWCTL_ODOO_LOGIN"),
		key:      value("FLOWCTL_ODOO_API_KEY"),
		http:     &http.Client{Timeout: time.Minute},
	}
}

// authenticate asks for the user id that belongs to the key.
func (o *odoo) authenticate(t *testing.T, key string) (int64, error) {
	t.Helper()
	var uid int64
	err := o.rpc(t, &uid, "common", "authenticate", o.database, o.login, key, map[string]any{})
	if err == nil && uid == 0 {
		err = errors.New("login or key refused")
	}
	return uid, err
}

// call runs a method of a model and decodes its result, failing the test when
// Odoo answers with an error. A nil result is thrown away.
func (o *odoo) call(t *testing.T, result any, model, method string, args []any, kwargs map[string]any) {
	t.Helper()
	if kwargs == nil {
		kwargs = map[string]any{}
	}
	err := o.rpc(t, result, "object", "execute_kw", o.database, o.uid, o.key, model, method, args, kwargs)
	if err != nil {
		t.Fatalf("%s.%s: %v", model, method, err)
	}
}

// rpc sends one request to /jsonrpc. Odoo answers 200 whatever happened; errors
// are in the body (recordings odoo19/163, 171).
func (o *odoo) rpc(t *testing.T, result any, service, method string, args ...any) error {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0",
		"method":  "call",
		"id":      1,
		// Never null: Odoo unpacks the arguments.
		"params": map[string]any{"service": service, "method": method, "args": append([]any{}, args...)},
	})
	if err != nil {
		return err
	}
	data, err := o.request(t, http.MethodPost, "/jsonrpc", body)
	if err != nil {
		return err
	}
	var answer struct {
		Result json.RawMessage
		Error  *struct {
			Message string
			Data    struct{ Name, Message string }
		}
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return fmt.Errorf("the answer is no JSON: %w", err)
	}
	if answer.Error != nil {
		return fmt.Errorf("%s: %s %s", answer.Error.Message, answer.Error.Data.Name, answer.Error.Data.Message)
	}
	// A method that returns nothing leaves the result out (recording odoo19/179);
	// a refused login is false.
	if result == nil || len(answer.Result) == 0 || string(answer.Result) == "false" {
		return nil
	}
	return json.Unmarshal(answer.Result, result)
}

// request performs one HTTP request and returns the body of its 200 answer.
func (o *odoo) request(t *testing.T, method, path string, body []byte) ([]byte, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, o.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := o.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	return data, nil
}

// create makes one record and returns its id.
func (o *odoo) create(t *testing.T, model string, values map[string]any) int64 {
	t.Helper()
	var ids []int64
	o.call(t, &ids, model, "create", []any{[]any{values}}, nil)
	return ids[0]
}

// amounts are the three figures of an order or an invoice.
type amounts struct {
	Untaxed decimal.Decimal `json:"amount_untaxed"`
	Tax     decimal.Decimal `json:"amount_tax"`
	Total   decimal.Decimal `json:"amount_total"`
}

func (a amounts) String() string { return fmt.Sprintf("%s + %s = %s", a.Untaxed, a.Tax, a.Total) }

func (a amounts) equal(b amounts) bool {
	return a.Untaxed.Equal(b.Untaxed) && a.Tax.Equal(b.Tax) && a.Total.Equal(b.Total)
}

// amounts reads the figures of one record.
func (o *odoo) amounts(t *testing.T, model string, id int64) amounts {
	t.Helper()
	var read []amounts
	o.call(t, &read, model, "read", []any{[]int64{id}, []string{"amount_untaxed", "amount_tax", "amount_total"}}, nil)
	return read[0]
}
