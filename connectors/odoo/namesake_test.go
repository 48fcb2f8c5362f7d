package odoo_test

import (
	"testing"

	"github.com/flowctl/flowctl/connectors"
)

// A record of the name that no longer is the one meant is left alone; the one
// that is meant is named after it, and found by that name the next time.
func TestCreateOncePassesOverNamesakes(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, b *bench) {
		ask := func() map[string]any {
			return b.call("create_once", params{"model": "res.partner", "external_id": "guest", "values": params{"name": "Ada", "email": "ada@example.com"},
				"domain": list(list("email_normalized", "=", "ada@example.com"))})
		}
		first, again := ask(), ask()
		if first["created"] != true || again["created"] != false || again["id"] != first["id"] {
			t.Fatalf("got %v, then %v", first, again)
		}
		b.call("write", params{"model": "res.partner", "id": first["id"], "values": params{"email": "lovelace@example.com"}})
		second := ask()
		if second["created"] != true || second["id"] == first["id"] {
			t.Errorf("the contact has another e-mail by now: %v", second)
		}
		if again := ask(); again["created"] != false || again["id"] != second["id"] {
			t.Errorf("once more: %v, want %v", again, second["id"])
		}
		// One that is archived is not meant either.
		b.call("write", params{"model": "res.partner", "id": second["id"], "values": params{"active": false}})
		if third := ask(); third["created"] != true || third["id"] == second["id"] {
			t.Errorf("the contact is archived: %v", third)
		}
		if e := b.fails("create_once", params{"model": "res.partner", "external_id": "x", "values": params{"name": "x"}, "domain": "x"}); e.Class != connectors.Permanent {
			t.Errorf("a domain that is none: %v", e)
		}
	})
}
