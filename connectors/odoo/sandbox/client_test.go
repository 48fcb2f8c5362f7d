package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Clients that others wrote for a real Odoo work with the simulated one.
func TestOdooRPCClient(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3" // the one that Debian's packages are for
	if out, err := exec.Command(python, "-c", "import odoorpc").CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: no client to try; install the Debian package python3-odoorpc (%v: %s)", err, bytes.TrimSpace(out))
	}
	for _, version := range []int{18, 19} {
		t.Run(fmt.Sprint("Odoo ", version), func(t *testing.T) {
			t.Parallel()
			erp := New(Options{Version: version})
			address, err := erp.Start("")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := erp.Close(); err != nil {
					t.Error(err)
				}
			})
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			host, port, err := net.SplitHostPort(u.Host)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			o := erp.Options()
			command := exec.CommandContext(ctx, python, filepath.Join("testdata", "clients", "odoorpc_client.py"), host, port, o.Database, o.Login, o.APIKey)
			command.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
			var failed bytes.Buffer
			command.Stderr = &failed
			out, err := command.Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, failed.String())
			}
			var seen map[string]any
			if err := json.Unmarshal(out, &seen); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			for name, want := range map[string]any{
				"version": fmt.Sprintf("%d.0", version), "user": "Administrator", "found": 1.0, "email": "client@example.test",
				"renamed": "Client renamed", "order": "sale", "lines": 1.0, "refused": "odoo.exceptions.ValidationError",
				"unlinked": true, "logged_out": true, "wrong_login": "Access Denied",
			} {
				if seen[name] != want {
					t.Errorf("%s is %v, want %v", name, seen[name], want)
				}
			}
		})
	}
}
