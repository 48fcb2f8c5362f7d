package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Every field is one that the real Odoo has, of the same kind and name for people.
func TestFieldsAreOdoos(t *testing.T) {
	t.Parallel()
	folder := recordings(t)
	for version, pattern := range map[int]string{18: "odoo18/1*-fields_get-%s.json", 19: "odoo19/2*-fields_get-%s.json"} {
		for _, m := range New(Options{Version: version}).ordered {
			found, err := filepath.Glob(filepath.Join(folder, fmt.Sprintf(pattern, m.name)))
			if err != nil || len(found) == 0 {
				continue
			}
			content, err := os.ReadFile(found[0])
			if err != nil {
				t.Fatal(err)
			}
			var file struct{ Response struct{ Body map[string]any } }
			if err := json.Unmarshal(content, &file); err != nil {
				t.Fatal(err)
			}
			real := file.Response.Body
			if version == 18 {
				real = asObject(real["result"])
			}
			for _, f := range m.list {
				compareField(t, fmt.Sprintf("Odoo %d %s.%s", version, m.name, f.name), f, asObject(real[f.name]))
			}
		}
	}
}

func compareField(t *testing.T, name string, f *field, real map[string]any) {
	t.Helper()
	kindHere := string(f.kind)
	if f.name == "res_id" {
		kindHere = "many2one_reference"
	}
	switch {
	case real == nil:
		t.Errorf("%s: the real one has no such field", name)
	case real["type"] != kindHere:
		t.Errorf("%s is %s, really %s", name, f.kind, real["type"])
	case real["required"] == true && !f.required:
		t.Errorf("%s is not required, really it is", name)
	case f.required && real["required"] != true:
		t.Errorf("%s is required, really it is not", name)
	case real["string"] != f.label:
		t.Errorf("%s is called %q, really %q", name, f.label, real["string"])
	case f.relation != "" && real["relation"] != f.relation:
		t.Errorf("%s points to %s, really %s", name, f.relation, real["relation"])
	case f.kind == selection && len(f.options) > 0:
		known := map[string]bool{}
		for _, pair := range asList(real["selection"]) {
			known[fmt.Sprint(asList(pair)[0])] = true
		}
		for _, choice := range f.options {
			if !known[choice[0]] {
				t.Errorf("%s has the choice %s, the real one has not", name, choice[0])
			}
		}
	}
}
