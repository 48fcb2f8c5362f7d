package main

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/flowctl/flowctl/"

// Imports run one way: cmd → engine and connectors, engine → the contract,
// connectors → the contract. docs/architecture.md has the picture.
func TestImportsRunOneWay(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}|{{join .Imports " "}}|{{join .TestImports " "}} {{join .XTestImports " "}}`, module+"...").Output()
	if err != nil {
		t.Fatal("go list: ", err)
	}
	packages := 0
	for line := range strings.Lines(string(out)) {
		parts := strings.Split(strings.TrimSpace(line), "|")
		if len(parts) != 3 {
			t.Fatalf("go list printed %q", line)
		}
		from := strings.TrimPrefix(parts[0], module)
		packages++
		for i, imports := range parts[1:] {
			for to := range strings.FieldsSeq(imports) {
				to, ours := strings.CutPrefix(to, module)
				if ours && !mayImport(from, to, i == 1) {
					t.Errorf("%s imports %s", from, to)
				}
			}
		}
	}
	if packages < 10 {
		t.Errorf("only %d packages were looked at", packages)
	}
}

// room is the part of the house a package belongs to: "engine", "connectors" for
// the contract, "connectors/odoo" for a connector and all within it.
func room(path string) string {
	parts := strings.Split(path, "/")
	if parts[0] == "connectors" && len(parts) > 1 {
		return "connectors/" + parts[1]
	}
	return parts[0]
}

func mayImport(from, to string, inTest bool) bool {
	a, b := room(from), room(to)
	switch {
	case a == b, b == "schemas", b == "connectors":
		// The contract imports nothing of ours; schemas only the contract.
		return a != "connectors" || a == b
	case a == "cmd":
		return true
	case b == "connectors/connectortest":
		return inTest
	case b == "connectors/httpcall":
		// How a connector speaks HTTP; it knows no system.
		return strings.HasPrefix(a, "connectors/")
	case a == "flows", a == "examples":
		return false
	}
	return false
}
