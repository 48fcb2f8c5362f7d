package storetest

import (
	"errors"
	"time"

	"github.com/flowctl/flowctl/engine/store"
)

var accountTests = []test{
	{"an account is kept, changed and removed", func(f *fixture) {
		anna := store.Account{Name: "anna", Role: "owner", PasswordHash: "hash", Stamp: "1", TokenHash: "token"}
		f.must(f.SaveAccount(f.ctx, anna))
		anna.Role, anna.Stamp = "viewer", "2"
		f.must(f.SaveAccount(f.ctx, anna))
		f.must(f.SaveAccount(f.ctx, store.Account{Name: "ben", Role: "viewer", PasswordHash: "other", Stamp: "3"}))
		found, err := f.Account(f.ctx, "anna")
		f.must(err)
		if found.Role != "viewer" || found.Stamp != "2" || found.PasswordHash != "hash" || found.CreatedAt.IsZero() {
			f.Fatalf("got %+v", found)
		}
		if found, err = f.AccountOfToken(f.ctx, "token"); err != nil || found.Name != "anna" {
			f.Fatalf("got %+v, %v", found, err)
		}
		for _, token := range []string{"", "another"} {
			if _, err := f.AccountOfToken(f.ctx, token); !errors.Is(err, store.ErrNotFound) {
				f.Fatalf("the token %q gave %v", token, err)
			}
		}
		all, err := f.Accounts(f.ctx)
		f.must(err)
		if len(all) != 2 || all[0].Name != "anna" || all[1].Name != "ben" {
			f.Fatalf("got %+v", all)
		}
		f.must(f.DeleteAccount(f.ctx, "anna"))
		if _, err := f.Account(f.ctx, "anna"); !errors.Is(err, store.ErrNotFound) {
			f.Fatalf("got %v", err)
		}
		if err := f.DeleteAccount(f.ctx, "anna"); !errors.Is(err, store.ErrNotFound) {
			f.Fatalf("got %v", err)
		}
	}},
	{"the first account is made once", func(f *fixture) {
		for i, want := range []bool{true, false} {
			name := []string{"anna", "ben"}[i]
			made, err := f.FirstAccount(f.ctx, store.Account{Name: name, Role: "owner", PasswordHash: "hash", Stamp: "1"})
			f.must(err)
			if made != want {
				f.Fatalf("making %s gave %v", name, made)
			}
		}
	}},
	{"an account that is not complete is refused", func(f *fixture) {
		for _, bad := range []store.Account{{}, {Name: "x"}, {Name: "x", Role: "owner", Stamp: "1"}, {Role: "owner", PasswordHash: "h", Stamp: "1"}} {
			if err := f.SaveAccount(f.ctx, bad); !errors.Is(err, store.ErrInvalid) {
				f.Fatalf("%+v gave %v", bad, err)
			}
		}
	}},
	{"a session ends by itself, or when it is told to", func(f *fixture) {
		f.must(f.SaveSession(f.ctx, "one", []byte("data"), time.Now().Add(time.Hour)))
		f.must(f.SaveSession(f.ctx, "old", []byte("data"), time.Now().Add(-time.Hour)))
		for token, want := range map[string]bool{"one": true, "old": false, "none": false} {
			data, found, err := f.Session(f.ctx, token)
			f.must(err)
			if found != want || found && string(data) != "data" {
				f.Fatalf("%s gave %q, %v", token, data, found)
			}
		}
		f.must(f.DeleteSession(f.ctx, "one"))
		f.must(f.DeleteSession(f.ctx, "one"))
		if _, found, err := f.Session(f.ctx, "one"); err != nil || found {
			f.Fatalf("it is still there: %v", err)
		}
	}},
}

var historyTests = []test{
	{"the pulse changes with everything that happens", func(f *fixture) {
		seen := map[store.Pulse]string{}
		look := func(what string) store.Pulse {
			p, err := f.Pulse(f.ctx, instance)
			f.must(err)
			if before, same := seen[p]; same {
				f.Fatalf("%s and %s have the same pulse %+v", before, what, p)
			}
			seen[p] = what
			return p
		}
		look("nothing")
		runs := f.accept("order:1", "flow-a", "flow-b")
		if p := look("accepted"); p.Waiting != 2 {
			f.Fatalf("got %+v", p)
		}
		f.work(runs[0], store.Held)
		if p := look("held"); p.Held != 1 || p.Waiting != 1 {
			f.Fatalf("got %+v", p)
		}
		f.work(runs[1], store.Succeeded)
		if p := look("succeeded"); p.LastEnded.IsZero() || p.Waiting != 0 {
			f.Fatalf("got %+v", p)
		}
		oldest, err := f.OldestOpen(f.ctx, instance)
		f.must(err)
		if !oldest.IsZero() {
			f.Fatalf("nothing is open, and the oldest is of %s", oldest)
		}
	}},
	{"runs are counted by slots", func(f *fixture) {
		runs := f.accept("order:1", "flow-a", "flow-b", "flow-c")
		f.work(runs[0], store.Held)
		f.work(runs[1], store.Succeeded)
		oldest, err := f.OldestOpen(f.ctx, instance)
		f.must(err)
		if oldest.IsZero() {
			f.Fatal("a run is open, and there is no oldest")
		}
		f.work(runs[2], store.Failed)
		since := time.Now().Add(-time.Hour)
		slots, err := f.History(f.ctx, instance, since, 24*time.Hour)
		f.must(err)
		var sum store.Slot
		for _, s := range slots {
			sum.Succeeded, sum.Held, sum.Failed = sum.Succeeded+s.Succeeded, sum.Held+s.Held, sum.Failed+s.Failed
			if s.At.After(time.Now()) || s.Succeeded > 0 && s.Lag <= 0 {
				f.Fatalf("got %+v", s)
			}
		}
		if sum.Succeeded != 1 || sum.Held != 1 || sum.Failed != 1 {
			f.Fatalf("got %+v", slots)
		}
		for what, ask := range map[string]struct {
			instance string
			since    time.Time
		}{"another instance": {"other", since}, "the future": {instance, time.Now().Add(time.Hour)}} {
			slots, err := f.History(f.ctx, ask.instance, ask.since, time.Hour)
			f.must(err)
			if len(slots) != 0 {
				f.Fatalf("%s has %+v", what, slots)
			}
		}
	}},
}
