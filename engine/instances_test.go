package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/instance"
	"github.com/flowctl/flowctl/engine/store"
)

// letterFlow makes a letter of each delivery, links it, and remembers the last.
const letterFlow = `
trigger: {event: post.arrived, key: "letter:${event.text}"}
steps:
  - name: letter
    link: letter
    remote: ${event.text}
    create: {call: post.letters.send, with: {text: "${event.text}"}}
  - {name: kept, call: app.remember, with: {name: last, value: "${event.text}"}}
`

// shopModel is what one shop should know.
type shopModel struct {
	account, secret string
	letters         map[string]bool
	paused          bool
}

// round tells the accounts of one try from those of the next.
var round atomic.Int64

// Many shops in one process: whatever is done to one, the others' settings,
// secrets, connections, links and memory stay their own.
func TestShopsNeverMix(t *testing.T) {
	t.Parallel()
	const shops = 10
	rapid.Check(t, func(r *rapid.T) {
		b := newBench(t, map[string]string{"first": letterFlow})
		handler := b.Handler()
		prefix, accounts := fmt.Sprintf("round-%d", round.Add(1)), 0
		models := map[string]*shopModel{}
		configure := func(name string) {
			m := models[name]
			accounts++
			m.account = fmt.Sprintf("%s-%d", prefix, accounts)
			m.secret = "secret of " + m.account
			b.must(b.Settings().Save(b.ctx, name, map[string]any{"account": m.account, "secret": m.secret}))
		}
		for i := range shops {
			name := fmt.Sprintf("shop-%d", i)
			models[name] = &shopModel{letters: map[string]bool{}}
			b.must(b.Instances().Add(b.ctx, name, ""))
			configure(name)
		}
		deliver := func(name, secret, text string) int {
			request := httptest.NewRequest(http.MethodPost, "/hooks/"+name+"/post", strings.NewReader(text))
			request.Header.Set("Secret", secret)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, request)
			return w.Code
		}
		// owners are the shops whose letters an account may have.
		owners, removed := map[string]string{}, map[string]bool{}
		some := func(r *rapid.T) string {
			return rapid.SampledFrom(slices.Sorted(maps.Keys(models))).Draw(r, "shop")
		}
		text := rapid.SampledFrom([]string{"a", "b", "c"})
		r.Repeat(map[string]func(*rapid.T){
			"deliver": func(r *rapid.T) {
				name := some(r)
				letter := text.Draw(r, "text")
				if code := deliver(name, models[name].secret, letter); code != http.StatusOK {
					r.Fatalf("%s answers %d", name, code)
				}
				models[name].letters[letter] = true
				owners[models[name].account] = name
			},
			"forge": func(r *rapid.T) {
				name, other := some(r), some(r)
				if name == other {
					return
				}
				if code := deliver(name, models[other].secret, "forged"); code != http.StatusUnauthorized {
					r.Fatalf("%s takes the secret of %s: %d", name, other, code)
				}
			},
			"work": func(*rapid.T) { b.settle() },
			"configure": func(r *rapid.T) {
				b.settle() // what was delivered goes out by the old account
				name := some(r)
				if !models[name].paused {
					configure(name)
					owners[models[name].account] = name
				}
			},
			"pause": func(r *rapid.T) {
				name := some(r)
				models[name].paused = true
				b.must(b.Instances().Pause(b.ctx, name))
			},
			"resume": func(r *rapid.T) {
				name := some(r)
				models[name].paused = false
				b.must(b.Instances().Resume(b.ctx, name))
			},
			"remove": func(r *rapid.T) {
				if len(models) < shops/2 {
					return
				}
				name := some(r)
				b.must(b.Instances().Pause(b.ctx, name))
				b.must(b.Instances().Remove(b.ctx, name))
				delete(models, name)
				removed[name] = true
				if code := deliver(name, "x", "late"); code != http.StatusNotFound {
					r.Fatalf("the removed %s answers %d", name, code)
				}
			},
			"": func(r *rapid.T) {
				for name, m := range models {
					values, err := b.Settings().Values(b.ctx, name)
					if err != nil || values["account"] != m.account || values["secret"] != m.secret {
						r.Fatalf("%s has %v, %v; want %+v", name, values, err, m)
					}
				}
			},
		})
		for name := range models {
			b.must(b.Instances().Resume(b.ctx, name))
		}
		b.settle()
		for name, m := range models {
			links, err := b.Store().Links(b.ctx, store.LinkFilter{Instance: name, Table: "letter"})
			b.must(err)
			linked := map[string]bool{}
			for _, l := range links {
				linked[l.Remote] = true
			}
			if !maps.Equal(linked, m.letters) {
				runs, err := b.Store().Runs(b.ctx, store.RunFilter{Instance: name})
				b.must(err)
				for _, run := range runs {
					r.Logf("run %d of %s is %s: %s", run.ID, run.Key, run.State, run.Reason)
				}
				r.Fatalf("%s has links of %v, and got %v", name, linked, m.letters)
			}
			last, err := b.Store().Cursor(b.ctx, name, "memory/last")
			b.must(err)
			if (last == "") != (len(m.letters) == 0) || last != "" && !m.letters[strings.Trim(last, `"`)] {
				r.Fatalf("%s remembers %s, and got %v", name, last, m.letters)
			}
		}
		for account, owner := range owners {
			seen := map[string]bool{}
			for _, letter := range lettersOf(account) {
				from, _, _ := strings.Cut(letter, ": ")
				if from != owner || seen[letter] && !removed[owner] {
					r.Fatalf("the account of %s sent %q", owner, letter)
				}
				seen[letter] = true
			}
		}
		for name := range removed {
			if counts, err := b.Store().Counts(b.ctx, name); err != nil || len(counts) > 0 {
				r.Fatalf("of %s there are %v, %v", name, counts, err)
			}
		}
	})
}

func TestOverridesAreOneShopsAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"first": letterFlow}, func(c *engine.Config) {
		c.Overrides, c.OverrideInstance = map[string]string{"account": "of the environment"}, "second"
		c.Instances = []string{"second"}
	})
	for name, want := range map[string]any{"main": nil, "second": "of the environment"} {
		if values, err := b.Settings().Values(b.ctx, name); err != nil || values["account"] != want {
			t.Errorf("%s has %v, %v", name, values["account"], err)
		}
	}
}

func TestInstancesAreNamedAndChanged(t *testing.T) {
	t.Parallel()
	b := newBench(t, map[string]string{"first": letterFlow})
	r := b.Instances()
	var (
		refused *instance.RefusedError
		unknown *instance.UnknownError
	)
	for _, name := range []string{"", "Acme", "a b", "-a", "a-", "a/b", "a.b", strings.Repeat("a", 64), "main"} {
		if err := r.Add(b.ctx, name, "x"); !errors.As(err, &refused) {
			t.Errorf("%q was added: %v", name, err)
		}
	}
	b.must(r.Add(b.ctx, "acme-2", " "))
	if got, err := r.Get(b.ctx, "acme-2"); err != nil || got.Title != "acme-2" || got.State != store.InstanceActive {
		t.Errorf("got %+v, %v", got, err)
	}
	b.must(r.Rename(b.ctx, "acme-2", "Acme"))
	b.must(r.Pause(b.ctx, "acme-2"))
	if got, err := r.Get(b.ctx, "acme-2"); err != nil || got.Title != "Acme" || got.State != store.InstancePaused {
		t.Errorf("got %+v, %v", got, err)
	}
	if active, err := r.Active(b.ctx); err != nil || !slices.Equal(active, []string{"main"}) {
		t.Errorf("active are %v, %v", active, err)
	}
	for what, change := range map[string]func(context.Context, string) error{"pause": r.Pause, "resume": r.Resume, "remove": r.Remove} {
		if err := change(b.ctx, "gone"); !errors.As(err, &unknown) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := r.Remove(b.ctx, "main"); !errors.As(err, &refused) {
		t.Errorf("main was removed: %v", err)
	}
	if _, err := b.StartFlow(b.ctx, "first", "gone", map[string]any{"id": int64(1), "text": "x"}); !errors.As(err, &unknown) {
		t.Errorf("a flow was started in no shop: %v", err)
	}
	// Two processes that make the same one at once both have it.
	b.must(r.Ensure(b.ctx, "acme-3"))
	b.must(r.Ensure(b.ctx, "acme-3"))
}
