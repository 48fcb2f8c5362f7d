package storetest

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

func remote(value string) store.LinkKey {
	return store.LinkKey{Table: "partner", Side: store.Remote, Value: value}
}

func local(value string) store.LinkKey {
	return store.LinkKey{Table: "partner", Side: store.Local, Value: value}
}

func pair(local, remote string) store.LinkWrite {
	return store.LinkWrite{Table: "partner", Local: local, Remote: remote}
}

// lease claims a new run of a key of its own.
func (f *fixture) lease(key string) store.Lease {
	f.Helper()
	return f.claim(f.accept(key, "flow-a")[0])
}

// wantPairs compares the links of table partner, "local=remote", by local.
func (f *fixture) wantPairs(want ...string) {
	f.Helper()
	links, err := f.Links(f.ctx, store.LinkFilter{Instance: instance, Table: "partner"})
	f.must(err)
	got := []string{}
	for _, l := range links {
		text := l.Local + "=" + l.Remote
		if l.State == store.LinkClaimed {
			text += "?"
		}
		got = append(got, text)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		f.Fatalf("got links %s, want %s", strings.Join(got, " "), strings.Join(want, " "))
	}
}

var linkTests = []test{
	{"claim, then fill", func(f *fixture) {
		lease := f.lease("k")
		if l, err := f.FindLink(f.ctx, instance, remote("5")); err != nil || l != nil {
			f.Fatalf("got %+v, %v", l, err)
		}
		claimed, err := f.ClaimLinks(f.ctx, lease, remote("5"))
		f.must(err)
		if l := claimed[0]; l.State != store.LinkClaimed || l.Remote != "5" || l.Local != "" || l.RunID != lease.RunID || l.Epoch != lease.Epoch {
			f.Fatalf("got %+v", l)
		}
		w := pair("77", "5")
		w.Fingerprints = []byte(`{"name":"x"}`)
		f.must(f.SaveLinks(f.ctx, lease, w))
		for _, key := range []store.LinkKey{remote("5"), local("77")} {
			l, err := f.FindLink(f.ctx, instance, key)
			f.must(err)
			if l == nil || l.ID != claimed[0].ID || l.State != store.Linked || l.Local != "77" || l.Remote != "5" ||
				string(l.Fingerprints) != `{"name":"x"}` {
				f.Fatalf("got %+v", l)
			}
		}
	}},
	{"claims are all or nothing, in the order of keys", func(f *fixture) {
		one, two := f.lease("one"), f.lease("two")
		_, err := f.ClaimLinks(f.ctx, one, remote("b"))
		f.must(err)
		_, err = f.ClaimLinks(f.ctx, two, remote("a"), remote("b"), remote("c"))
		f.wantErr(err, store.ErrClaimed)
		f.wantPairs("=b?")
		got, err := f.ClaimLinks(f.ctx, one, remote("c"), remote("b"), remote("a"), remote("c"))
		f.must(err)
		if got[0].Remote != "c" || got[1].Remote != "b" || got[2].Remote != "a" || got[3].ID != got[0].ID {
			f.Fatalf("got %+v", got)
		}
	}},
	{"a linked row is returned as it is", func(f *fixture) {
		one, two := f.lease("one"), f.lease("two")
		f.must(f.SaveLinks(f.ctx, one, pair("77", "5")))
		got, err := f.ClaimLinks(f.ctx, two, remote("5"), local("77"), remote("6"))
		f.must(err)
		if got[0].State != store.Linked || got[0].RunID != one.RunID || got[1].ID != got[0].ID || got[2].State != store.LinkClaimed {
			f.Fatalf("got %+v", got)
		}
	}},
	{"a claim is dead once its lease is", func(f *fixture) {
		two := f.lease("two")
		for name, end := range map[string]func(int64){
			"died": func(id int64) {
				_, lease, err := f.Claim(f.ctx, id, "x", time.Hour)
				f.must(err)
				_, err = f.ClaimLinks(f.ctx, lease, remote("died"))
				f.must(err)
				f.must(f.Renew(f.ctx, lease, 0))
			},
			"retrying": func(id int64) {
				lease := f.claim(id)
				_, err := f.ClaimLinks(f.ctx, lease, remote("retrying"))
				f.must(err)
				f.finish(lease, store.Retrying)
			},
			"taken over": func(id int64) {
				_, lease, err := f.Claim(f.ctx, id, "x", time.Hour)
				f.must(err)
				_, err = f.ClaimLinks(f.ctx, lease, remote("taken over"))
				f.must(err)
				f.must(f.Renew(f.ctx, lease, 0))
				f.claim(id) // lives, but its claim is of the lease before
			},
		} {
			end(f.accept(name, "flow-a")[0])
			got, err := f.ClaimLinks(f.ctx, two, remote(name))
			f.must(err)
			if got[0].RunID != two.RunID || got[0].Epoch != two.Epoch {
				f.Fatalf("%s: got %+v", name, got[0])
			}
		}
	}},
	{"a run takes up the claims of its earlier attempt", func(f *fixture) {
		id := f.accept("k", "flow-a")[0]
		lease := f.claim(id)
		_, err := f.ClaimLinks(f.ctx, lease, remote("5"))
		f.must(err)
		f.finish(lease, store.Retrying)
		lease = f.claim(id)
		got, err := f.ClaimLinks(f.ctx, lease, remote("5"))
		f.must(err)
		if got[0].Epoch != lease.Epoch {
			f.Fatalf("got %+v", got[0])
		}
		f.must(f.SaveLinks(f.ctx, lease, pair("77", "5")))
	}},
	{"unclaim removes what was not filled", func(f *fixture) {
		one, two := f.lease("one"), f.lease("two")
		_, err := f.ClaimLinks(f.ctx, one, remote("5"), remote("6"))
		f.must(err)
		_, err = f.ClaimLinks(f.ctx, two, remote("7"))
		f.must(err)
		f.must(f.SaveLinks(f.ctx, one, pair("77", "5")))
		f.must(f.Unclaim(f.ctx, one))
		f.wantPairs("77=5", "=7?")
	}},
	{"claims of both sides become one link", func(f *fixture) {
		lease := f.lease("k")
		_, err := f.ClaimLinks(f.ctx, lease, remote("5"), local("77"))
		f.must(err)
		f.wantPairs("77=?", "=5?")
		f.must(f.SaveLinks(f.ctx, lease, pair("77", "5")))
		f.wantPairs("77=5")
	}},
	{"another's claim cannot be filled", func(f *fixture) {
		one, two := f.lease("one"), f.lease("two")
		_, err := f.ClaimLinks(f.ctx, one, remote("5"))
		f.must(err)
		f.wantErr(f.SaveLinks(f.ctx, two, pair("77", "5")), store.ErrClaimed)
		_, err = f.ClaimLinks(f.ctx, one, local("78"))
		f.must(err)
		f.wantErr(f.SaveLinks(f.ctx, two, pair("78", "6")), store.ErrClaimed)
	}},
	{"a side has one partner", func(f *fixture) {
		lease := f.lease("k")
		f.must(f.SaveLinks(f.ctx, lease, pair("77", "5"), pair("78", "6")))
		f.wantErr(f.SaveLinks(f.ctx, lease, pair("77", "9")), store.ErrLinkTaken)
		f.wantErr(f.SaveLinks(f.ctx, lease, pair("99", "5")), store.ErrLinkTaken)
		f.wantErr(f.SaveLinks(f.ctx, lease, pair("77", "6")), store.ErrLinkTaken)
		f.wantErr(f.SaveLinks(f.ctx, lease, pair("80", "8"), pair("77", "9")), store.ErrLinkTaken)
		f.wantPairs("77=5", "78=6")
		// Other tables and instances are other worlds.
		other := pair("77", "9")
		other.Table = "variant"
		f.must(f.SaveLinks(f.ctx, lease, other))
	}},
	{"replace takes over", func(f *fixture) {
		lease := f.lease("k")
		replace := func(l, r string) store.LinkWrite { w := pair(l, r); w.Replace = true; return w }
		f.must(f.SaveLinks(f.ctx, lease, pair("77", "5"), pair("78", "6")))
		f.must(f.SaveLinks(f.ctx, lease, replace("77", "7")))
		f.wantPairs("77=7", "78=6")
		f.must(f.SaveLinks(f.ctx, lease, replace("79", "6")))
		f.wantPairs("77=7", "79=6")
		f.must(f.SaveLinks(f.ctx, lease, replace("77", "6"), replace("79", "7")))
		f.wantPairs("77=6", "79=7") // they changed places
	}},
	{"fingerprints stay with a pair and go with another", func(f *fixture) {
		lease := f.lease("k")
		w := pair("77", "5")
		w.Fingerprints = []byte(`{"a":1}`)
		f.must(f.SaveLinks(f.ctx, lease, w))
		f.must(f.SaveLinks(f.ctx, lease, pair("77", "5")))
		if l, err := f.FindLink(f.ctx, instance, local("77")); err != nil || string(l.Fingerprints) != `{"a":1}` {
			f.Fatalf("got %+v, %v", l, err)
		}
		moved := pair("77", "6")
		moved.Replace = true
		f.must(f.SaveLinks(f.ctx, lease, moved))
		if l, err := f.FindLink(f.ctx, instance, local("77")); err != nil || l.Fingerprints != nil {
			f.Fatalf("got %+v, %v", l, err)
		}
	}},
	{"sides are compared exactly", func(f *fixture) {
		lease := f.lease("k")
		f.must(f.SaveLinks(f.ctx, lease, pair("1", "SKU"), pair("2", "sku"), pair("3", "sku "), pair("4", "Ä"), pair("5", "A\u0308")))
		f.wantPairs("1=SKU", "2=sku", "3=sku ", "4=Ä", "5=A\u0308")
	}},
	{"halves of links are refused", func(f *fixture) {
		lease := f.lease("k")
		f.wantErr(f.SaveLinks(f.ctx, lease, pair("77", "")), store.ErrInvalid)
		f.wantErr(f.SaveLinks(f.ctx, lease, pair("", "5")), store.ErrInvalid)
		_, err := f.ClaimLinks(f.ctx, lease, remote("5"), remote(""))
		f.wantErr(err, store.ErrInvalid)
		_, err = f.ClaimLinks(f.ctx, lease, store.LinkKey{Table: "partner", Side: "both", Value: "5"})
		f.wantErr(err, store.ErrInvalid)
		f.wantPairs()
	}},
	{"links are paged and deleted by id", func(f *fixture) {
		lease := f.lease("k")
		var writes []store.LinkWrite
		for i := range 25 {
			writes = append(writes, pair("l"+strconv.Itoa(i), "r"+strconv.Itoa(i)))
		}
		f.must(f.SaveLinks(f.ctx, lease, writes...))
		var all []store.Link
		for after := int64(0); ; after = all[len(all)-1].ID {
			page, err := f.Links(f.ctx, store.LinkFilter{Instance: instance, After: after, Limit: 10})
			f.must(err)
			if len(page) == 0 {
				break
			}
			all = append(all, page...)
		}
		if len(all) != 25 {
			f.Fatalf("got %d links", len(all))
		}
		found, err := f.Links(f.ctx, store.LinkFilter{Instance: instance, Remote: "r7"})
		f.must(err)
		if len(found) != 1 || found[0].Local != "l7" {
			f.Fatalf("got %+v", found)
		}
		f.wantErr(f.DeleteLink(f.ctx, "other", all[0].ID), store.ErrNotFound)
		f.must(f.DeleteLink(f.ctx, instance, all[0].ID))
		f.wantErr(f.DeleteLink(f.ctx, instance, all[0].ID), store.ErrNotFound)
	}},
}
