package odoo

import (
	"strings"
	"testing"
	"time"
)

// Whatever a server answers, the connector gives a result or an error in words;
// it never panics and never shows a traceback.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc": "2.0", "id": 1, "result": [{"id": 1, "name": "x", "amount": 1.5, "at": "2026-11-23 09:00:00", "ref": [7, "R"], "many": [1, 2]}]}`,
		`{"jsonrpc": "2.0", "id": 1}`,
		`{"jsonrpc": "2.0", "error": {"code": 200, "message": "Odoo Server Error", "data": {"name": "odoo.exceptions.UserError", "message": "No", "arguments": ["No"], "debug": "Traceback (most recent call last):\n"}}}`,
		`{"jsonrpc": "2.0", "error": {"data": {"name": "psycopg2.OperationalError", "message": "database \"x\" does not exist"}}}`,
		`{"jsonrpc": "2.0", "error": {"data": {"name": "odoo.exceptions.MissingError", "message": "(Record: res.partner(9, 10), User: 2)"}}}`,
		`{"jsonrpc": "2.0", "result": [{"id": false, "amount": "1e999999999", "at": "soon", "ref": [], "many": {}}]}`,
		`<html><title>502 &amp; out</title>`, ``, `[]`, `null`,
	} {
		f.Add([]byte(seed))
	}
	columns := []column{
		{"name", "name", field{Type: "char"}}, {"amount", "amount", field{Type: "monetary"}}, {"at", "at", field{Type: "datetime"}},
		{"ref", "ref", field{Type: "many2one"}}, {"many", "many", field{Type: "many2many"}}, {"flag", "flag", field{Type: "boolean"}},
		{"n", "n", field{Type: "integer"}}, {"data", "data", field{Type: "json"}},
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		raw, failed := decodeAnswer(data, rpcCall{service: "object", call: invocation{model: "res.partner", method: "read", ids: []int64{9}}})
		if failed != nil {
			if failed.Message == "" || failed.Class == "" || failed.Code == "" {
				t.Errorf("an error without words: %+v", failed)
			}
			if strings.Contains(failed.Message, "Traceback (most recent call last)") && strings.Contains(string(data), `"jsonrpc"`) {
				t.Errorf("a traceback is shown: %q", failed.Message)
			}
			return
		}
		tree, err := decodeTree(raw)
		if err != nil {
			t.Errorf("a result that was JSON is none: %v", err)
			return
		}
		records, err := recordList(tree, columns)
		if err != nil {
			return
		}
		for _, item := range records {
			if at, ok := item.(map[string]any)["at"].(time.Time); ok && at.Location() != time.UTC {
				t.Errorf("an instant in %s", at.Location())
			}
		}
	})
}
