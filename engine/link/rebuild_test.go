package link

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/engine/store"
)

// told is what the systems tell, a page at a time.
func told(size int, candidates ...Candidate) func(context.Context, string) (Page, error) {
	return func(_ context.Context, cursor string) (Page, error) {
		at := 0
		if cursor != "" {
			var err error
			if at, err = strconv.Atoi(cursor); err != nil {
				return Page{}, err
			}
		}
		end := min(at+size, len(candidates))
		return Page{Candidates: candidates[at:end], Cursor: strconv.Itoa(end), More: end < len(candidates)}, nil
	}
}

func pairing(local, remote string) Candidate {
	return Candidate{Local: []string{local}, Remote: []string{remote}}
}

func (b *bench) rows() []string {
	b.Helper()
	links, err := b.linker.Store.Links(b.Context(), store.LinkFilter{Instance: "main", Limit: store.MaxPage})
	if err != nil {
		b.Fatal(err)
	}
	var all []string
	for _, l := range links {
		all = append(all, l.Local+"="+l.Remote)
	}
	slices.Sort(all)
	return all
}

// Only what is missing is written; the rest is told.
func TestRebuild(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if err := b.linker.Store.PutLinks(t.Context(), "main", store.LinkWrite{Table: "partner", Local: "1", Remote: "11"},
		store.LinkWrite{Table: "partner", Local: "2", Remote: "99"}, store.LinkWrite{Table: "partner", Local: "77", Remote: "88"}); err != nil {
		t.Fatal(err)
	}
	weak := pairing("50", "15")
	weak.Weak = true
	only := pairing("6", "16")
	only.Weak = true
	rebuild := Rebuild{Store: b.linker.Store, Instance: "main", Table: byID, Pages: told(2,
		pairing("1", "11"), pairing("2", "12"), pairing("3", "13"), pairing("3", "13"),
		Candidate{Local: []string{"4", "40"}, Remote: []string{"14"}}, pairing("4", "14"), // in doubt, whoever else tells
		weak, pairing("5", "15"), only, Candidate{Local: nil, Remote: []string{"17"}},
		pairing("8", "18"), pairing("9", "18"), // two for one
		pairing("10", "20"), pairing("10", "21"))} // one for two
	got, err := rebuild.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"1=11", "2=99", "3=13", "5=15", "6=16", "77=88"}; !slices.Equal(b.rows(), want) {
		t.Errorf("the rows are %v, want %v", b.rows(), want)
	}
	if got.Found != 5 || got.Written != 3 || got.Unchanged != 1 || got.Alone != 1 || got.Unconfirmed != 1 || len(got.Differs) != 1 || got.Differs[0].Stored[0].Remote != "99" {
		t.Errorf("it says %+v", got)
	}
	if want := []Doubt{{store.Remote, "14", []string{"4", "40"}}, {store.Remote, "18", []string{"8", "9"}}, {store.Local, "10", []string{"20", "21"}}}; !reflect.DeepEqual(got.Doubtful, want) {
		t.Errorf("in doubt are %v", got.Doubtful)
	}
	rebuild.Force = true
	if got, err = rebuild.Run(t.Context()); err != nil || got.Written != 1 || got.Unchanged != 4 {
		t.Errorf("by force: %+v, %v", got, err)
	}
	if want := []string{"1=11", "2=12", "3=13", "5=15", "6=16", "77=88"}; !slices.Equal(b.rows(), want) {
		t.Errorf("by force the rows are %v", b.rows())
	}
}

// Where the remote key may change, the last one that is told counts.
func TestRebuildTakesTheLastKey(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	rebuild := Rebuild{Store: b.linker.Store, Instance: "main", Table: byEmail, Pages: told(1, pairing("1", "old@x"), pairing("1", "new@x"), pairing("2", "b@x"))}
	if _, err := rebuild.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"1=new@x", "2=b@x"}; !slices.Equal(b.rows(), want) {
		t.Errorf("the rows are %v", b.rows())
	}
}

// Pages that never end are noticed, and so is a cursor that stands still.
func TestRebuildEnds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	rebuild := Rebuild{Store: b.linker.Store, Instance: "main", Table: byID,
		Pages: func(context.Context, string) (Page, error) { return Page{Cursor: "", More: true}, nil }}
	if _, err := rebuild.Run(t.Context()); err == nil {
		t.Error("a cursor that stands still is followed for ever")
	}
}

// Whatever the systems tell, in whatever order: nothing is linked twice, no link
// is made of a word that another contradicts, and what was true before the store
// was lost is found again.
func TestRebuiltLinksAreOneToOne(t *testing.T) {
	t.Parallel()
	shared := newBench(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		instance := fmt.Sprint("i", n)
		var truth, noise []Candidate
		for i := range rapid.IntRange(0, 8).Draw(rt, "links") {
			truth = append(truth, pairing(fmt.Sprint(i+1), fmt.Sprint(i+101)))
		}
		for range rapid.IntRange(0, 5).Draw(rt, "noise") {
			c := pairing(fmt.Sprint(rapid.IntRange(1, 12).Draw(rt, "local")), fmt.Sprint(rapid.IntRange(101, 112).Draw(rt, "remote")))
			c.Weak = rapid.Bool().Draw(rt, "weak")
			noise = append(noise, c)
		}
		all := rapid.Permutation(append(slices.Clone(truth), noise...)).Draw(rt, "order")
		rebuild := Rebuild{Store: shared.linker.Store, Instance: instance, Table: byID, Pages: told(rapid.IntRange(1, 4).Draw(rt, "page"), all...)}
		report, err := rebuild.Run(context.Background())
		if err != nil {
			rt.Fatal(err)
		}
		links, err := shared.linker.Store.Links(context.Background(), store.LinkFilter{Instance: instance, Limit: store.MaxPage})
		if err != nil {
			rt.Fatal(err)
		}
		rows := map[string]string{}
		for _, l := range links {
			rows[l.Local] = l.Remote
		}
		if len(links) != report.Written || len(links) != report.Found {
			rt.Fatalf("%d links, the report says %+v", len(links), report)
		}
		for _, c := range truth {
			local, remote := c.Local[0], c.Remote[0]
			contradicted := slices.ContainsFunc(noise, func(o Candidate) bool {
				return !o.Weak && (o.Local[0] == local) != (o.Remote[0] == remote)
			})
			if !contradicted && rows[local] != remote {
				rt.Fatalf("%s=%s is not linked, %q is", local, remote, rows[local])
			}
			if contradicted && rows[local] != "" {
				rt.Fatalf("%s=%s is contradicted, and linked with %s", local, remote, rows[local])
			}
		}
	})
}
