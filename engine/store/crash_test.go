package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// crashURL tells the test binary to be the process that is killed.
const crashURL = "FLOWCTL_STORE_CRASH_TEST_URL"

// TestMain lets the test binary be the child of [TestKillLosesNothingAccepted].
func TestMain(m *testing.M) {
	if url := os.Getenv(crashURL); url != "" {
		acceptUntilKilled(url)
	}
	os.Exit(m.Run())
}

// acceptUntilKilled accepts events from many goroutines and writes the id of
// each to stdout once it is acknowledged.
func acceptUntilKilled(url string) {
	s, err := Open(context.Background(), url)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var mu sync.Mutex
	for worker := range 8 {
		go func() {
			for i := 0; ; i++ {
				accepted, err := s.Accept(context.Background(), arrival(fmt.Sprintf("%d:%d:%d", os.Getpid(), worker, i)))
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				mu.Lock()
				fmt.Println(accepted[0].EventID)
				mu.Unlock()
			}
		}()
	}
	select {}
}

// kill -9 in the middle of Accepts, several times on one database: every event
// that was acknowledged is there with its run, and can be worked.
func TestKillLosesNothingAccepted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "flowctl.db")
	acknowledged := map[int64]bool{}
	for range 3 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), crashURL+"="+path)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			id, err := strconv.ParseInt(lines.Text(), 10, 64)
			if err != nil {
				break // cut off by the kill
			}
			acknowledged[id] = true
			if n == 500 {
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := child.Wait(); err == nil {
			t.Fatal("the child was not killed")
		}
	}
	if len(acknowledged) < 1500 {
		t.Fatalf("only %d events were acknowledged", len(acknowledged))
	}

	s, err := openSQLite(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var verdict string
	if err := s.writer.QueryRow(`PRAGMA integrity_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Fatal(verdict, err)
	}
	stored := map[int64]bool{}
	err = s.read(context.Background(), "reading all", func(tx *tx) error {
		// With its run, and its run first of its key.
		events, err := collect(tx, scanID, `SELECT e.id FROM events e
			JOIN run_events re ON re.event_id = e.id JOIN leases l ON l.head_id = re.run_id`)
		for _, id := range events {
			stored[id] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for id := range acknowledged {
		if !stored[id] {
			t.Fatalf("event %d was acknowledged and is lost", id)
		}
	}
}
