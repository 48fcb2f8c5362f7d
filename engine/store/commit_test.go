package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func openFile(t testing.TB) *database {
	t.Helper()
	s, err := openSQLite(context.Background(), filepath.Join(t.TempDir(), "flowctl.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func arrival(key string) Arrival {
	return Arrival{
		Event:  Event{Instance: "main", Payload: []byte(`{"id":1}`)},
		Starts: []Start{{Flow: "a", Key: key}},
	}
}

// hold keeps the writer busy, so that arrivals gather, until release is called.
// It runs the statements on the writer's connection.
func (s *database) hold(t testing.TB, statements ...string) (release func()) {
	t.Helper()
	tx, err := s.writer.BeginTx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := tx.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
}

// acceptMany calls Accept for each arrival at once and waits until all are under
// way before it lets them be committed.
func acceptMany(t *testing.T, s *database, release func(), arrivals ...Arrival) []error {
	t.Helper()
	errs := make([]error, len(arrivals))
	var begun, done sync.WaitGroup
	for i := range arrivals {
		begun.Add(1)
		done.Go(func() {
			begun.Done()
			_, errs[i] = s.Accept(context.Background(), arrivals[i])
		})
	}
	begun.Wait()
	time.Sleep(20 * time.Millisecond) // for those that are about to call
	release()
	done.Wait()
	return errs
}

func TestConcurrentAcceptsShareCommits(t *testing.T) {
	t.Parallel()
	s := openFile(t)
	var arrivals []Arrival
	for i := range 200 {
		arrivals = append(arrivals, arrival(fmt.Sprint(i)))
	}
	for _, err := range acceptMany(t, s, s.hold(t), arrivals...) {
		if err != nil {
			t.Fatal(err)
		}
	}
	// One that was waiting for the writer, the bulk, and a few late ones.
	if n := s.commits.Load(); n > 20 {
		t.Fatalf("200 calls made %d commits", n)
	}
	if counts, err := s.Counts(context.Background(), ""); err != nil || counts[Waiting] != 200 {
		t.Fatal(counts, err)
	}
}

func TestABadArrivalDoesItsNeighboursNoHarm(t *testing.T) {
	t.Parallel()
	s := openFile(t)
	// A rule of the database that Accept knows nothing of.
	if _, err := s.writer.Exec(`CREATE TRIGGER picky BEFORE INSERT ON events WHEN new.name = 'bad'
		BEGIN SELECT RAISE(ABORT, 'a bad event'); END`); err != nil {
		t.Fatal(err)
	}
	var arrivals []Arrival
	for i := range 50 {
		a := arrival(fmt.Sprint(i))
		if i == 25 {
			a.Event.Name = "bad"
		}
		arrivals = append(arrivals, a)
	}
	for i, err := range acceptMany(t, s, s.hold(t), arrivals...) {
		if (err != nil) != (i == 25) {
			t.Errorf("arrival %d: %v", i, err)
		}
	}
	if counts, err := s.Counts(context.Background(), ""); err != nil || counts[Waiting] != 49 {
		t.Fatal(counts, err)
	}
}

func TestAnErrorOfTheCommitGoesToAll(t *testing.T) {
	t.Parallel()
	s := openFile(t)
	release := s.hold(t, `PRAGMA query_only = 1`)
	for i, err := range acceptMany(t, s, release, arrival("1"), arrival("2"), arrival("3")) {
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("arrival %d: %v", i, err)
		}
	}
}

func TestCallersThatGaveUpWhileWaitingAreNotStored(t *testing.T) {
	t.Parallel()
	s := openFile(t)
	release := s.hold(t)
	first := make(chan error)
	go func() { _, err := s.Accept(context.Background(), arrival("1")); first <- err }()
	eventually(t, func() bool { return s.commits.Load() == 1 })
	ctx, cancel := context.WithCancel(context.Background())
	second := make(chan error)
	go func() { _, err := s.Accept(ctx, arrival("2")); second <- err }()
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	release()
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if events, err := s.Events(context.Background(), "main", 0, 10); err != nil || len(events) != 1 {
		t.Fatal(events, err)
	}
}

func TestReadOnlyIsUnavailable(t *testing.T) {
	t.Parallel()
	s := openFile(t)
	if _, err := s.writer.Exec(`PRAGMA query_only = 1`); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if err := s.Ping(ctx); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
	if _, err := s.Ready(ctx, 10); err != nil { // reading goes on
		t.Fatal(err)
	}
}

// A full disk stops in the middle of a transaction. Nothing of it stays, what
// was there is whole, and with room again the store goes on.
func TestDiskFullLeavesNothingHalfWritten(t *testing.T) {
	t.Parallel()
	s := openFile(t)
	ctx := context.Background()
	id := mustAccept(t, s, arrival("before"))
	_, lease, err := s.Claim(ctx, id, "x", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	var pages int
	if err := s.writer.QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(pages int) {
		t.Helper()
		if _, err := s.writer.Exec(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages + 2)
	big := []byte(strings.Repeat("x", 1<<20))
	full := arrival("full")
	full.Event.Payload = big
	if _, err := s.Accept(ctx, arrival("small"), full); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("accepting on a full disk: %v", err)
	}
	err = s.SaveSteps(ctx, lease, Step{Path: "a", State: StepDone}, Step{Path: "b", Input: big})
	if !errors.Is(err, ErrUnavailable) {
		t.Fatalf("writing the journal on a full disk: %v", err)
	}
	if events, err := s.Events(ctx, "main", 0, 10); err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	if steps, err := s.Steps(ctx, id); err != nil || len(steps) != 0 {
		t.Fatalf("%d steps, %v", len(steps), err)
	}
	limit(1 << 30)
	if _, err := s.Accept(ctx, full); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Finish(ctx, lease, Outcome{State: Succeeded}); err != nil {
		t.Fatal(err)
	}
}

// A disk with room for a small row but not for an event is full.
func TestPingAsksForRoomOnceAnEventWasRefused(t *testing.T) {
	t.Parallel()
	s := openFile(t)
	ctx := context.Background()
	mustAccept(t, s, arrival("before"))
	if err := s.Ping(ctx); err != nil {
		t.Fatal(err)
	}
	var pages int
	if err := s.writer.QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(pages int) {
		t.Helper()
		if _, err := s.writer.Exec(fmt.Sprintf(`PRAGMA max_page_count = %d`, pages)); err != nil {
			t.Fatal(err)
		}
	}
	limit(pages + 2)
	if err := s.Ping(ctx); err != nil {
		t.Fatalf("nothing was refused so far: %v", err)
	}
	full := arrival("full")
	full.Event.Payload = []byte(strings.Repeat("x", 64<<10))
	if _, err := s.Accept(ctx, full); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("accepting on a full disk: %v", err)
	}
	for range 2 {
		if err := s.Ping(ctx); !errors.Is(err, ErrUnavailable) {
			t.Fatalf("an event was refused, Ping answers %v", err)
		}
	}
	limit(1 << 30)
	for range 2 {
		if err := s.Ping(ctx); err != nil {
			t.Fatal(err)
		}
	}
	var room int
	if err := s.writer.QueryRow(`SELECT coalesce(length(room), 0) FROM pings`).Scan(&room); err != nil || room != 0 {
		t.Errorf("%d bytes stay behind, %v", room, err)
	}
}

func mustAccept(t testing.TB, s Store, a Arrival) int64 {
	t.Helper()
	accepted, err := s.Accept(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	return accepted[0].RunIDs[0]
}

func eventually(t testing.TB, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never came about")
		}
	}
}
