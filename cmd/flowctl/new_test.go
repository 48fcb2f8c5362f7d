package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/flowctl/flowctl/cmd/flowctl/scaffold"
)

// A new connector compiles, and passes its own tests and the bar for connectors.
// It is laid over the source tree, which stays as it is.
func TestANewConnectorPasses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	files, err := scaffold.Connector("new_thing", "github.com/flowctl/flowctl")
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string]map[string]string{"Replace": {}}
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay["Replace"][filepath.Join(root, "connectors", "newthing", name)] = path
	}
	data, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	plan := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(plan, data, 0o600); err != nil {
		t.Fatal(err)
	}
	// Built here and run there: its own folder exists for the compiler alone.
	program := filepath.Join(folder, "newthing.test")
	build := exec.Command("go", "test", "-c", "-vet=off", "-overlay", plan, "-o", program, "./connectors/newthing")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	command := exec.Command(program)
	command.Dir = folder
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := exec.Command("gofmt", "-l", folder).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("not as gofmt writes it: %v %s", err, out)
	}
}
