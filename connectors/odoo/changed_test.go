package odoo_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/odoo"
	"github.com/flowctl/flowctl/connectors/odoo/sandbox"
)

// feedBench is a simulated Odoo whose clock the test turns.
type feedBench struct {
	*bench
	clock  atomic.Int64 // microseconds
	ref    string       // of the partners that the feed is about
	cursor any
}

// inProcess answers requests by calling the handler.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	p.handler.ServeHTTP(recorder, r)
	return recorder.Result(), nil
}

// begin starts a new feed, about partners that are not there yet.
func (f *feedBench) begin() {
	f.pass(time.Hour)
	f.ref, f.cursor = fmt.Sprint(f.clock.Load()), nil
}

func setupFeed(t *testing.T, version int) *feedBench {
	t.Helper()
	f := &feedBench{}
	f.clock.Store(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC).UnixMicro())
	f.bench = setup(t, sandbox.Options{Version: version, Now: func() time.Time { return time.UnixMicro(f.clock.Load()) }})
	// Without a network in between: the walks of this test make many calls.
	connection, err := odoo.Connector{}.Open(connectors.Config{
		Settings:   params{"url": "http://odoo.invalid", "database": "sandbox", "login": "admin", "api_key": apiKey},
		HTTPClient: &http.Client{Transport: inProcess{f.erp}},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.connection = connection
	f.begin()
	return f
}

func (f *feedBench) pass(d time.Duration) { f.clock.Add(d.Microseconds()) }

// step makes one call and gives the ids it brought, with their names.
func (f *feedBench) step(limit int64) (names map[int64]string, more bool) {
	f.t.Helper()
	got := f.call("changed", params{
		"model": "res.partner", "domain": list(list("ref", "=", f.ref)), "fields": list("name"), "cursor": f.cursor, "limit": limit,
	})
	f.cursor = got["cursor"]
	names = map[int64]string{}
	for _, item := range got["records"].([]any) {
		record := item.(map[string]any)
		names[record["id"].(int64)] = fmt.Sprint(record["name"])
	}
	return names, got["more"].(bool)
}

// drain calls until there is no more.
func (f *feedBench) drain(limit int64) map[int64]string {
	f.t.Helper()
	all := map[int64]string{}
	for range 10_000 {
		names, more := f.step(limit)
		for id, name := range names {
			all[id] = name
		}
		if !more {
			return all
		}
	}
	f.t.Fatal("the feed does not end")
	return nil
}

// Whatever is written at whatever moment, also between the calls of one walk,
// the feed gives in its last state; and an Odoo that rests gives nothing.
func TestFeedMissesNothing(t *testing.T) {
	t.Parallel()
	for _, version := range []int{18, 19} {
		t.Run(fmt.Sprint("Odoo ", version), func(t *testing.T) {
			t.Parallel()
			f := setupFeed(t, version)
			rapid.Check(t, func(r *rapid.T) {
				f.begin()
				odoo.SetFeedPage(f.connection.(*odoo.Connection), rapid.IntRange(1, 7).Draw(r, "page"))
				limit := rapid.Int64Range(1, 9).Draw(r, "limit")
				var ids []int64
				truth, seen := map[int64]string{}, map[int64]string{}
				look := func() {
					names, _ := f.step(limit)
					for id, name := range names {
						seen[id] = name
					}
				}
				for i := range rapid.IntRange(1, 30).Draw(r, "events") {
					name := fmt.Sprint("state ", i)
					switch rapid.IntRange(0, 5).Draw(r, "event") {
					case 0:
						id := f.seed("res.partner", sandbox.Values{"name": name, "ref": f.ref})
						ids, truth[id] = append(ids, id), name
					case 1: // many at once, with one write_date
						for range rapid.IntRange(1, 12).Draw(r, "many") {
							id := f.seed("res.partner", sandbox.Values{"name": name, "ref": f.ref})
							ids, truth[id] = append(ids, id), name
						}
					case 2:
						if len(ids) > 0 {
							some := rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 1, min(len(ids), 5), rapid.ID).Draw(r, "changed")
							if err := f.erp.Write("res.partner", some, sandbox.Values{"name": name}); err != nil {
								t.Fatal(err)
							}
							for _, id := range some {
								truth[id] = name
							}
						}
					case 3:
						f.pass(rapid.SampledFrom([]time.Duration{
							time.Microsecond, 300 * time.Millisecond, time.Second, 4 * time.Second, time.Minute, time.Hour,
						}).Draw(r, "time"))
					default:
						look()
					}
				}
				for id, name := range f.drain(limit) {
					seen[id] = name
				}
				// What was written just before the last look is given once more.
				f.pass(30 * time.Second)
				for id, name := range f.drain(limit) {
					seen[id] = name
				}
				for id, name := range truth {
					if seen[id] != name {
						r.Fatalf("partner %d is %q, the feed last gave %q", id, name, seen[id])
					}
				}
				for range 3 {
					if again := f.drain(limit); len(again) > 0 {
						r.Fatalf("nothing changed, and the feed gives %v", again)
					}
				}
			})
		})
	}
}

// A change is given once where the second it was made in is over.
func TestFeedGivesOnce(t *testing.T) {
	t.Parallel()
	for _, version := range []int{18, 19} {
		f := setupFeed(t, version)
		for i := range 30 {
			f.seed("res.partner", sandbox.Values{"name": fmt.Sprint(i), "ref": f.ref})
		}
		f.pass(time.Minute)
		given := 0
		for more := true; more; {
			var names map[int64]string
			names, more = f.step(7)
			given += len(names)
		}
		if again := f.drain(7); given != 30 || len(again) != 0 {
			t.Errorf("Odoo %d: 30 partners, %d given, then %d again", version, given, len(again))
		}
	}
}

// A transaction that began before the newest change and is committed after the
// walk is found within the overlap.
func TestFeedFindsWhatIsCommittedLate(t *testing.T) {
	t.Parallel()
	f := setupFeed(t, 18)
	f.seed("res.partner", sandbox.Values{"name": "early", "ref": f.ref})
	f.pass(90 * time.Second)
	f.seed("res.partner", sandbox.Values{"name": "newest", "ref": f.ref})
	f.pass(25 * time.Second)
	if got := f.drain(10); len(got) != 2 {
		t.Fatalf("the first walk gives %v", got)
	}
	now := f.clock.Load()
	f.pass(-60 * time.Second)
	late := f.seed("res.partner", sandbox.Values{"name": "late", "ref": f.ref})
	f.clock.Store(now)
	if got := f.drain(10); len(got) != 1 || got[late] != "late" {
		t.Errorf("after the late commit the feed gives %v", got)
	}
}

func TestFeedParameters(t *testing.T) {
	t.Parallel()
	f := setupFeed(t, 19)
	f.seed("res.partner", sandbox.Values{"name": "old", "ref": f.ref, "active": false})
	f.pass(time.Hour)
	since := time.UnixMicro(f.clock.Load()).UTC()
	f.pass(time.Minute)
	f.seed("res.partner", sandbox.Values{"name": "new", "ref": f.ref})
	f.pass(time.Minute)
	domain := list(list("ref", "=", f.ref))
	got := f.call("changed", params{"model": "res.partner", "domain": domain, "since": since})
	if records := got["records"].([]any); len(records) != 1 {
		t.Errorf("since gives %v", records)
	}
	got = f.call("changed", params{"model": "res.partner", "domain": domain})
	if records := got["records"].([]any); len(records) != 2 {
		t.Errorf("from the beginning, archived ones too: %v", records)
	}
	if e := f.fails("changed", params{"model": "res.partner", "cursor": "yesterday"}); e.Code != "bad_params" {
		t.Errorf("a cursor that is none: %v", e)
	}
}

// Two calls that begin in the same second leave the same write_date on a record.
// One that is slow is found although the record was given before it was committed.
func TestFeedFindsASlowCallOfTheSameSecond(t *testing.T) {
	t.Parallel()
	for _, version := range []int{18, 19} {
		f := setupFeed(t, version)
		id := f.seed("res.partner", sandbox.Values{"name": "quick", "ref": f.ref})
		began := f.clock.Load()
		f.pass(12 * time.Second)
		if got := f.drain(10); got[id] != "quick" {
			t.Fatalf("the first walk gives %v", got)
		}
		f.clock.Store(began)
		if err := f.erp.Write("res.partner", []int64{id}, sandbox.Values{"name": "slow"}); err != nil {
			t.Fatal(err)
		}
		f.clock.Store(began)
		f.pass(time.Minute)
		if got := f.drain(10); got[id] != "slow" {
			t.Errorf("Odoo %d: after the slow call the feed gives %v", version, got)
		}
	}
}
