package storetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// PostgresURL is the environment variable that names a PostgreSQL for tests, in
// which they make schemas of their own and drop them. Without it they bring up
// a private server from the machine's binaries.
const PostgresURL = "FLOWCTL_TEST_POSTGRES_URL"

// Postgres is a PostgreSQL server for one test.
type Postgres struct {
	base   string // URL
	folder string // of the private server, "" for one that was given
	bin    string
	run    func(program string, args ...string) *exec.Cmd
	server *exec.Cmd
}

// StartPostgres brings up a server that goes with the test. It skips the test,
// loudly, where there is none.
func StartPostgres(t testing.TB) *Postgres {
	t.Helper()
	if base := os.Getenv(PostgresURL); base != "" {
		return &Postgres{base: base}
	}
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err == nil && len(bins) == 0 {
		if path, lookErr := exec.LookPath("initdb"); lookErr == nil {
			bins = []string{path}
		}
	}
	if len(bins) == 0 {
		t.Skip("SKIPPED: no PostgreSQL binaries are installed and " + PostgresURL +
			" is not set, so nothing was tested against PostgreSQL")
	}
	slices.Sort(bins)
	p := &Postgres{bin: filepath.Dir(bins[len(bins)-1]), run: exec.Command}
	// Not t.TempDir: its parents are closed to other users.
	if p.folder, err = os.MkdirTemp("", "flowctl-postgres-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		if err := os.RemoveAll(p.folder); err != nil {
			t.Error(err)
		}
	})
	if os.Geteuid() == 0 { // PostgreSQL refuses to run as root
		p.asPostgres(t)
	}
	initdb := p.run(filepath.Join(p.bin, "initdb"), "--pgdata", p.data(), "--username", "postgres",
		"--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	p.base = (&url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/postgres",
		RawQuery: url.Values{"host": {p.folder}}.Encode()}).String()
	p.Start(t)
	return p
}

func (p *Postgres) data() string { return filepath.Join(p.folder, "data") }

// asPostgres makes the server's programs run as the user postgres.
func (p *Postgres) asPostgres(t testing.TB) {
	t.Helper()
	account, err := user.Lookup("postgres")
	if err != nil {
		t.Skip("SKIPPED: run as root without a user postgres, nothing was tested against PostgreSQL")
	}
	uid, uidErr := strconv.Atoi(account.Uid)
	gid, gidErr := strconv.Atoi(account.Gid)
	if uidErr != nil || gidErr != nil {
		t.Fatalf("the user postgres has ids %s, %s", account.Uid, account.Gid)
	}
	if err := os.Chown(p.folder, uid, gid); err != nil {
		t.Fatal(err)
	}
	p.run = func(program string, args ...string) *exec.Cmd {
		cmd := exec.Command(program, args...)
		cmd.Dir = p.folder
		runAs(cmd, uid, gid)
		return cmd
	}
}

// Start starts the private server, again after [Postgres.Kill].
func (p *Postgres) Start(t testing.TB) {
	t.Helper()
	if p.folder == "" {
		t.Fatal("the server was given, it cannot be started")
	}
	log, err := os.Create(filepath.Join(p.folder, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p.server = p.run(filepath.Join(p.bin, "postgres"), "-D", p.data(), "-k", p.folder, "-h", "",
		"-c", "max_connections=200", "-c", "shared_buffers=64MB")
	p.server.Stdout, p.server.Stderr = log, log
	Tie(p.server)
	if err := p.server.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		conn, err := pgx.Connect(context.Background(), p.base)
		if err == nil {
			conn.Close(context.Background())
			return
		}
		if time.Now().After(end) {
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("PostgreSQL does not answer: %v\n%s", err, text)
		}
	}
}

// Private tells whether the server can be killed and started.
func (p *Postgres) Private() bool { return p.folder != "" }

// Kill ends the private server as a crash does: no checkpoint, no farewell.
func (p *Postgres) Kill() {
	if p.server == nil {
		return
	}
	p.server.Process.Signal(syscall.SIGQUIT) // "immediate shutdown": its children go too
	p.server.Wait()
	p.server = nil
}

// Schema makes an empty schema that goes with the test, and returns a URL whose
// connections use it.
func (p *Postgres) Schema(t testing.TB) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	p.exec(t, "CREATE SCHEMA "+name)
	t.Cleanup(func() {
		if p.folder == "" { // a private server goes as a whole
			p.exec(t, "DROP SCHEMA "+name+" CASCADE")
		}
	})
	u, err := url.Parse(p.base)
	if err != nil {
		t.Fatalf("%s is no URL", PostgresURL)
	}
	query := u.Query()
	query.Set("search_path", name)
	u.RawQuery = query.Encode()
	return u.String()
}

func (p *Postgres) exec(t testing.TB, query string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), p.base)
	if err != nil {
		t.Fatal(fmt.Errorf("connecting to PostgreSQL: %w", err))
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), query); err != nil {
		t.Fatal(err)
	}
}
