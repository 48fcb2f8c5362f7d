package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestOpenReadsURLs(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, c := range []struct{ url, file string }{
		{"sqlite:" + folder + "/one.db", "one.db"},
		{"sqlite://" + folder + "/two.db", "two.db"},
		{folder + "/three.db", "three.db"},
		{"sqlite:" + folder + "/new folder/what? 100%#é.db", "new folder/what? 100%#é.db"},
	} {
		s, err := Open(context.Background(), c.url)
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(folder, c.file)); err != nil {
			t.Errorf("%s: %v", c.url, err)
		}
	}
}

func TestOpenRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "sqlite:", "mysql://root:secret@host/db", "postgres://user:secret@host:not-a-port/db"} {
		_, err := Open(context.Background(), url)
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", url, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the password is in %q", err)
		}
	}
}

func TestOpenSaysWhenTheDatabaseIsGone(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	notADatabase := filepath.Join(folder, "text.db")
	if err := os.WriteFile(notADatabase, []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{
		notADatabase,
		notADatabase + "/below-a-file.db",
		"postgres://user:secret@127.0.0.1:1/db",
	} {
		_, err := Open(context.Background(), url)
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: %v", url, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the password is in %q", err)
		}
	}
}

// What was written is there after reopening, and in the form that was promised.
func TestReopening(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flowctl.db")
	for round := range 3 {
		s, err := openSQLite(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		mustAccept(t, s, arrival("k"))
		if events, err := s.Events(context.Background(), "main", 0, 10); err != nil || len(events) != round+1 {
			t.Fatal(len(events), err)
		}
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
			var got string
			if err := s.writer.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %s, %v; want %s", pragma, got, err, want)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestANewerSchemaIsLeftAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flowctl.db")
	s, err := openSQLite(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.writer.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := openSQLite(context.Background(), path); err == nil || !strings.Contains(err.Error(), "newer flowctl") {
		t.Fatalf("got %v", err)
	}
}

// Both dialects know the same migrations.
func TestDialectsHaveTheSameMigrations(t *testing.T) {
	t.Parallel()
	names := map[string][]string{}
	for _, dialect := range []string{"sqlite", "postgres"} {
		entries, err := migrations.ReadDir("migrations/" + dialect)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			names[entry.Name()] = append(names[entry.Name()], dialect)
		}
	}
	for name, dialects := range names {
		if len(dialects) != 2 {
			t.Errorf("%s exists only for %s", name, dialects[0])
		}
	}
}

// Erased text is gone from the file, its log included.
func TestErasedTextIsNotInTheFile(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "flowctl.db")
	s, err := openSQLite(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const person = "ada.lovelace@example.com"
	for _, padding := range []int{0, 100_000} { // in a row's page, and beyond
		a := arrival("k" + strconv.Itoa(padding))
		a.Event.Payload = []byte(strings.Repeat("x", padding) + person)
		run := mustAccept(t, s, a)
		_, lease, err := s.Claim(ctx, run, "x", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Finish(ctx, lease, Outcome{State: Succeeded}); err != nil {
			t.Fatal(err)
		}
	}
	found := func() (files []string) {
		for _, file := range []string{path, path + "-wal"} {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(data), person) {
				files = append(files, filepath.Base(file))
			}
		}
		return files
	}
	if len(found()) == 0 {
		t.Fatal("the text is nowhere to begin with")
	}
	if erased, _, err := s.Erase(ctx, "main", person); err != nil || len(erased.Runs) != 2 {
		t.Fatal(erased, err)
	}
	if files := found(); len(files) > 0 {
		t.Fatalf("still in %v", files)
	}
}
