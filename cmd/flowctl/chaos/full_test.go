//go:build linux

package chaos

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/store/storetest"
)

// disk is a small file system that only one process sees, mounted in a namespace
// of that process's own. It needs no root where the kernel lets users have such.
type disk struct {
	path  string
	mount []string // runs a command on the disk
}

const diskSize = 16 << 20

func newDisk(t *testing.T) disk {
	t.Helper()
	d := disk{path: t.TempDir()}
	d.mount = []string{"unshare", "--mount", "--map-root-user", "sh", "-c",
		fmt.Sprintf(`mount -t tmpfs -o size=%d tmpfs "$0" && exec "$@"`, diskSize), d.path}
	if out, err := exec.Command(d.mount[0], append(d.mount[1:], "true")...).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: this machine lets no test mount a disk of its own (%v: %s), so nothing was tested on a full disk", err, out)
	}
	return d
}

// seen is the disk's path as other processes see it.
func (d disk) seen(p *process) string { return fmt.Sprintf("/proc/%d/root%s", p.pid(), d.path) }

// fill takes all the room that is left. The returned function gives it back.
func (d disk) fill(t *testing.T, p *process) (free func()) {
	t.Helper()
	path := filepath.Join(d.seen(p), "ballast")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, size := range []int{64 << 10, 1} { // the last bytes too
		for err == nil {
			_, err = file.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		err = nil
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

// TestStoreFull fills the disk under the database. Webhooks are refused, so that
// the shop shows them as failed; what was accepted is all there, and worked off
// when there is room again.
func TestStoreFull(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	w := setup(t, database{name: "SQLite", url: "sqlite:" + filepath.Join(t.TempDir(), "unused.db")}, newChance(t), 0)
	path := filepath.Join(d.path, "flowctl.db")
	w.environment = append(w.environment, "FLOWCTL_DATABASE_URL=sqlite:"+path)
	p := startProcess(t, "process", w.environment, d.mount...)
	w.processes = append(w.processes, p)

	posts := &posts{t: t, to: p}
	posts.expect(5, http.StatusOK)
	free := d.fill(t, p)
	posts.until(http.StatusServiceUnavailable)
	posts.expect(20, http.StatusServiceUnavailable)
	if got := p.status(); got != http.StatusServiceUnavailable {
		t.Errorf("/readyz answers %d while the disk is full", got)
	}
	free()
	eventually(t, time.Minute, "webhooks are accepted again", func() bool { return posts.one() == http.StatusOK })
	posts.expect(5, http.StatusOK)

	var copied string
	eventually(t, time.Minute, "nothing is left to do", func() bool {
		copied = d.copy(t, p)
		return idle(t, copied)
	})
	sound(t, copied)
	look, err := store.Open(context.Background(), "sqlite:"+copied)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { closed(t, look.Close()) }()
	posts.verify(look)
	if fell := p.falls(); len(fell) > 0 {
		t.Errorf("the process ended by itself: %v", fell)
	}
}

// copy takes the database from under the process, as a crash would leave it, and
// returns where the copy is. SQLite itself cannot be told to look into another
// process's disk.
func (d disk) copy(t *testing.T, p *process) string {
	t.Helper()
	p.pause()
	defer p.signal(syscall.SIGCONT)
	folder := t.TempDir()
	for _, name := range []string{"flowctl.db", "flowctl.db-wal"} {
		data, err := os.ReadFile(filepath.Join(d.seen(p), name))
		if errors.Is(err, os.ErrNotExist) {
			continue // everything is in the file itself
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(folder, "flowctl.db")
}

// idle tells whether a database has no open runs.
func idle(t *testing.T, path string) bool {
	t.Helper()
	s, err := store.Open(context.Background(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { closed(t, s.Close()) }()
	counts, err := s.Counts(context.Background(), instance)
	if err != nil {
		t.Fatal(err)
	}
	return open(counts) == 0
}

// sound lets SQLite check its file.
func sound(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var answer string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&answer); err != nil || answer != "ok" {
		t.Errorf("the database file: %s, %v", answer, err)
	}
}

// TestStoreReadOnly makes PostgreSQL read-only under a running process, as a
// failover to a replica does.
func TestStoreReadOnly(t *testing.T) {
	t.Parallel()
	server := storetest.StartPostgres(t)
	if !server.Private() {
		t.Skip("SKIPPED: the PostgreSQL given cannot be made read-only for a test, so nothing was tested with it")
	}
	d := database{name: "PostgreSQL", url: server.Schema(t)}
	w := setup(t, d, newChance(t), 1)
	posts := &posts{t: t, to: w.processes[0]}
	posts.expect(5, http.StatusOK)
	readOnly(t, d.url, true)
	posts.until(http.StatusServiceUnavailable)
	posts.expect(20, http.StatusServiceUnavailable)
	if got := w.processes[0].status(); got != http.StatusServiceUnavailable {
		t.Errorf("/readyz answers %d while the store is read-only", got)
	}
	readOnly(t, d.url, false)
	eventually(t, time.Minute, "webhooks are accepted again", func() bool { return posts.one() == http.StatusOK })
	posts.verify(w.store)
}

// readOnly changes what all connections of a server may do.
func readOnly(t *testing.T, url string, yes bool) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, statement := range []string{
		fmt.Sprintf("ALTER SYSTEM SET default_transaction_read_only = %v", yes), "SELECT pg_reload_conf()",
	} {
		if _, err := conn.Exec(context.Background(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

// posts are webhooks of orders that the shop does not know, each of another one.
type posts struct {
	t        *testing.T
	to       *process
	sent     int64
	accepted []int64
}

// one posts a webhook and gives the answer's status.
func (p *posts) one() int {
	p.t.Helper()
	p.sent++
	id := 1_000_000 + p.sent
	body := fmt.Appendf(nil, `{"id":%d,"status":"processing"}`, id)
	mac := hmac.New(sha256.New, []byte(webhookSecret))
	mac.Write(body)
	status := deliver(p.t, p.to, body, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	switch status {
	case http.StatusOK:
		p.accepted = append(p.accepted, id)
	case http.StatusServiceUnavailable:
	default:
		p.t.Errorf("a webhook was answered %d", status)
	}
	return status
}

// expect posts some webhooks that are all answered alike.
func (p *posts) expect(n, want int) {
	p.t.Helper()
	for range n {
		if got := p.one(); got != want {
			p.t.Fatalf("webhook %d was answered %d, not %d", p.sent, got, want)
		}
	}
}

// until posts webhooks until one is answered so: there may still be room in a
// page, and a setting takes a moment to arrive.
func (p *posts) until(want int) {
	p.t.Helper()
	eventually(p.t, time.Minute, fmt.Sprint("a webhook is answered ", want), func() bool { return p.one() == want })
}

// verify: what was accepted is stored and worked off, and nothing else is there.
func (p *posts) verify(s store.Store) {
	p.t.Helper()
	eventually(p.t, time.Minute, "nothing is left to do", func() bool {
		counts, err := s.Counts(context.Background(), instance)
		return err == nil && open(counts) == 0
	})
	events, err := s.Events(context.Background(), instance, 0, store.MaxPage)
	if err != nil {
		p.t.Fatal(err)
	}
	runs, err := s.Runs(context.Background(), store.RunFilter{Instance: instance, Limit: store.MaxPage})
	if err != nil {
		p.t.Fatal(err)
	}
	byKey := map[string]store.State{}
	for _, r := range runs {
		if r.Flow == importing {
			byKey[r.Key] = r.State
		}
	}
	if len(events) != len(p.accepted) || len(byKey) != len(p.accepted) {
		p.t.Errorf("%d webhooks were accepted, there are %d events and %d runs", len(p.accepted), len(events), len(byKey))
	}
	for _, id := range p.accepted {
		// The shop knows no such order: there is nothing to import.
		if state := byKey[fmt.Sprintf("order:%d", id)]; state != store.Skipped {
			p.t.Errorf("order %d was accepted, its run is %q", id, state)
		}
	}
	p.t.Logf("%d webhooks posted, %d accepted, stored and worked off, %d refused with 503", p.sent, len(p.accepted), p.sent-int64(len(p.accepted)))
}
