package storetest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/flowctl/flowctl/engine/store"
)

var linkGroupTests = []test{
	{"many are found at once, in the order of the keys", func(f *fixture) {
		lease := f.lease("k")
		var writes []store.LinkWrite
		for i := range 600 {
			writes = append(writes, pair("l"+strconv.Itoa(i), "r"+strconv.Itoa(i)))
		}
		f.must(f.SaveLinks(f.ctx, lease, writes...))
		other := pair("l5", "x")
		other.Table = "variant"
		f.must(f.SaveLinks(f.ctx, lease, other))
		var keys []store.LinkKey
		for i := 599; i >= 0; i-- {
			keys = append(keys, remote("r"+strconv.Itoa(i)))
		}
		keys = append(keys, remote("none"), local("l5"), remote("r5"), local("l5"), store.LinkKey{Table: "variant", Side: store.Local, Value: "l5"})
		found, err := f.FindLinks(f.ctx, instance, keys...)
		f.must(err)
		for i, key := range keys[:600] {
			if found[i] == nil || found[i].Remote != key.Value || found[i].Local != "l"+key.Value[1:] {
				f.Fatalf("%v: got %+v", key, found[i])
			}
		}
		rest := found[600:]
		if rest[0] != nil || rest[1].Remote != "r5" || rest[2].Local != "l5" || rest[3].ID != rest[1].ID || rest[4].Remote != "x" {
			f.Fatalf("got %+v", rest)
		}
		if none, err := f.FindLinks(f.ctx, "other", keys[:3]...); err != nil || !slices.Equal(none, make([]*store.Link, 3)) {
			f.Fatalf("another instance: %v, %v", none, err)
		}
		// What cannot be stored is not there.
		none, err := f.FindLinks(f.ctx, instance, remote(""), remote(strings.Repeat("x", store.MaxName+1)), remote("r5"))
		f.must(err)
		if none[0] != nil || none[1] != nil || none[2] == nil {
			f.Fatalf("got %v", none)
		}
	}},
	{"each group is claimed wholly or not at all", func(f *fixture) {
		one, two := f.lease("one"), f.lease("two")
		_, err := f.ClaimLinks(f.ctx, one, remote("b"))
		f.must(err)
		f.must(f.SaveLinks(f.ctx, one, pair("77", "linked")))
		claims, err := f.ClaimEach(f.ctx, two,
			[]store.LinkKey{remote("a"), remote("b")}, // b is another's
			[]store.LinkKey{remote("c"), remote("linked")},
			[]store.LinkKey{remote("")},
			[]store.LinkKey{remote("c"), local("78")}, // c is claimed for two groups
			[]store.LinkKey{remote("d"), remote("b"), remote("c")})
		f.must(err)
		f.wantErr(claims[0].Err, store.ErrClaimed)
		f.wantErr(claims[2].Err, store.ErrInvalid)
		f.wantErr(claims[4].Err, store.ErrClaimed)
		if l := claims[1].Links; claims[1].Err != nil || l[0].Remote != "c" || l[0].RunID != two.RunID || l[1].Local != "77" || l[1].RunID != one.RunID {
			f.Fatalf("got %+v", claims[1])
		}
		if l := claims[3].Links; claims[3].Err != nil || l[0].ID != claims[1].Links[0].ID || l[1].Local != "78" {
			f.Fatalf("got %+v", claims[3])
		}
		f.wantPairs("77=linked", "78=?", "=b?", "=c?")
	}},
	{"dead claims are taken over only with the whole group", func(f *fixture) {
		one, two := f.lease("one"), f.lease("two")
		_, err := f.ClaimLinks(f.ctx, one, remote("alive"))
		f.must(err)
		id := f.accept("third", "flow-a")[0]
		third := f.claim(id)
		_, err = f.ClaimLinks(f.ctx, third, remote("left"), remote("right"))
		f.must(err)
		f.finish(third, store.Retrying)
		claims, err := f.ClaimEach(f.ctx, two, []store.LinkKey{remote("left"), remote("alive")}, []store.LinkKey{remote("right")})
		f.must(err)
		f.wantErr(claims[0].Err, store.ErrClaimed)
		f.must(claims[1].Err)
		left, err := f.FindLink(f.ctx, instance, remote("left"))
		f.must(err)
		right, err := f.FindLink(f.ctx, instance, remote("right"))
		f.must(err)
		if left.RunID != third.RunID || right.RunID != two.RunID || right.Epoch != two.Epoch {
			f.Fatalf("got %+v and %+v", left, right)
		}
	}},
	{"each group is saved wholly or not at all", func(f *fixture) {
		one, two := f.lease("one"), f.lease("two")
		_, err := f.ClaimLinks(f.ctx, one, remote("other's"))
		f.must(err)
		f.must(f.SaveLinks(f.ctx, two, pair("1", "a")))
		refused, err := f.SaveEach(f.ctx, two,
			[]store.LinkWrite{pair("2", "b"), pair("1", "z")},       // 1 is a's
			[]store.LinkWrite{pair("3", "c")},                       // fine
			[]store.LinkWrite{pair("2", "d")},                       // fine: 2 was not written
			[]store.LinkWrite{pair("9", "e"), pair("9", "f")},       // against itself
			[]store.LinkWrite{pair("4", "g"), pair("5", "")},        // half a link
			[]store.LinkWrite{pair("6", "h"), pair("7", "other's")}, // claimed by another
			[]store.LinkWrite{pair("3", "c"), pair("8", "i")},       // the same again
			[]store.LinkWrite{pair("10", "j"), pair("11", "c")},     // c was linked a moment ago
			[]store.LinkWrite{})
		f.must(err)
		for i, want := range []error{store.ErrLinkTaken, nil, nil, store.ErrLinkTaken, store.ErrInvalid, store.ErrClaimed, nil, store.ErrLinkTaken, nil} {
			if want == nil && refused[i] != nil || want != nil && !errors.Is(refused[i], want) {
				f.Errorf("group %d: got %v, want %v", i, refused[i], want)
			}
		}
		f.wantPairs("1=a", "2=d", "3=c", "8=i", "=other's?")
	}},
	{"nothing is claimed or saved without the lease", func(f *fixture) {
		dead := f.claimAndDie(f.accept("k", "flow-a")[0])
		_, err := f.ClaimEach(f.ctx, dead, []store.LinkKey{remote("5")})
		f.wantErr(err, store.ErrLeaseLost)
		_, err = f.SaveEach(f.ctx, dead, []store.LinkWrite{pair("77", "5")})
		f.wantErr(err, store.ErrLeaseLost)
		f.wantPairs()
	}},
	{"groups saved together are as if saved one after the other", func(f *fixture) {
		for seed := range uint64(40) {
			random := rand.New(rand.NewPCG(seed, 1))
			key := "seed" + strconv.FormatUint(seed, 10)
			lease := f.lease(key)
			table := func(name string) string { return key + name }
			var groups [][]store.LinkWrite
			for range 1 + random.IntN(8) {
				var group []store.LinkWrite
				for range 1 + random.IntN(3) {
					group = append(group, store.LinkWrite{Local: "l" + strconv.Itoa(random.IntN(5)), Remote: "r" + strconv.Itoa(random.IntN(5)),
						Replace: random.IntN(3) == 0, Fingerprints: [][]byte{nil, []byte(`{"a":"1"}`), []byte(`{"a":"2"}`)}[random.IntN(3)]})
				}
				groups = append(groups, group)
			}
			in := func(name string) [][]store.LinkWrite {
				out := make([][]store.LinkWrite, len(groups))
				for i, group := range groups {
					out[i] = slices.Clone(group)
					for j := range out[i] {
						out[i][j].Table = table(name)
					}
				}
				return out
			}
			for _, name := range []string{"together", "apart"} {
				_, err := f.ClaimLinks(f.ctx, lease, store.LinkKey{Table: table(name), Side: store.Remote, Value: "r1"},
					store.LinkKey{Table: table(name), Side: store.Local, Value: "l2"})
				f.must(err)
			}
			together, err := f.SaveEach(f.ctx, lease, in("together")...)
			f.must(err)
			for i, group := range in("apart") {
				apart := f.SaveLinks(f.ctx, lease, group...)
				if errors.Is(apart, store.ErrLinkTaken) != errors.Is(together[i], store.ErrLinkTaken) || (apart == nil) != (together[i] == nil) {
					f.Fatalf("seed %d, group %d: together %v, apart %v", seed, i, together[i], apart)
				}
			}
			if a, b := f.rowsOf(table("together")), f.rowsOf(table("apart")); a != b {
				f.Fatalf("seed %d: together %s, apart %s", seed, a, b)
			}
		}
	}},
}

// rowsOf writes a table's rows in words.
func (f *fixture) rowsOf(table string) string {
	f.Helper()
	links, err := f.Links(f.ctx, store.LinkFilter{Instance: instance, Table: table})
	f.must(err)
	var rows []string
	for _, l := range links {
		rows = append(rows, l.Local+"="+l.Remote+" "+string(l.State)+" "+string(l.Fingerprints))
	}
	slices.Sort(rows)
	return strings.Join(rows, "; ")
}
