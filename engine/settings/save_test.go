package settings_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/settings"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/value"
)

const savedApp = `
app: paper
title: Paper
connections: {paper: {connector: paper, settings: {url: "${settings.host}", page: 1}}}
settings:
  - tab: all
    title: All
    fields:
      - {name: host, title: Host, type: text, format: url}
      - {name: mail, title: Mail, type: text, format: email}
      - {name: key, title: Key, type: secret}
      - {name: port, title: Port, type: integer, min: 1, max: 65535, default: 80}
      - {name: share, title: Share, type: decimal, min: 0, max: 1}
      - {name: side, title: Side, type: choice, choices: [left, right]}
      - {name: lists, title: Lists, type: list, default: [a]}
      - {name: actions, title: Actions, type: table, columns: {key: {title: When}, value: {title: What, choices: [go, stay]}}}
      - {name: ids, title: Ids, type: table, columns: {key: {title: Kind}, value: {title: Record, record: box}}}
      - {name: free, title: Free, type: table}
      - {name: box, title: Box, type: integer, record: box}
flows: [reads]
`

func newSettings(t *testing.T, key string, st store.Store) *settings.Settings {
	t.Helper()
	app, found, err := flow.Load(fstest.MapFS{"app.yaml": {Data: []byte(savedApp)}, "reads.yaml": {Data: []byte(paperFlow)}}, "flows")
	if err != nil || found.Failed() {
		t.Fatal(err, found)
	}
	sealer, err := settings.NewSealer(key)
	if err != nil {
		t.Fatal(err)
	}
	return &settings.Settings{App: func() *flow.App { return app }, Store: st, Sealer: sealer}
}

func newStore(t *testing.T) store.Store {
	t.Helper()
	st, err := store.Open(context.Background(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return st
}

func TestValuesAreChecked(t *testing.T) {
	t.Parallel()
	s := newSettings(t, "a key of these tests", newStore(t))
	for _, c := range []struct {
		name, text string
		want       string // the value as JSON, or what is wrong with it
	}{
		{"host", "https://shop.test/path", `"https://shop.test/path"`},
		{"host", " http://127.0.0.1:8080 ", `"http://127.0.0.1:8080"`},
		{"host", "shop.test", "lacks https://"},
		{"host", "localhost:8080", "lacks https://"},
		{"host", "ftp://shop.test", "begins with ftp://"},
		{"host", "https://", "names no host"},
		{"host", "https://a b.test", "is no web address"},
		{"host", "https://user:hush@shop.test", "login"},
		{"mail", "anna@example.com", `"anna@example.com"`},
		{"mail", "Anna <anna@example.com>", "no e-mail address"},
		{"mail", "anna", "no e-mail address"},
		{"port", "25", "25"},
		{"port", "0", "less than 1"},
		{"port", "65536", "more than 65535"},
		{"port", "many", "no whole number"},
		{"port", "2.5", "no whole number"},
		{"share", "0.125", `"0.125"`},
		{"share", "1.01", "more than 1"},
		{"share", "-0.01", "less than 0"},
		{"side", "left", `"left"`},
		{"side", "up", "none of left, right"},
		{"box", "7", "7"},
		{"box", "0", "cannot be the id"},
		{"lists", "a, b ,a,,c", `["a","b","c"]`},
		{"lists", `["a,b", "c"]`, `["a,b","c"]`},
		{"actions", "paid=go, lost = stay", `{"lost":"stay","paid":"go"}`},
		{"actions", `{"paid": "go", "gone": ""}`, `{"paid":"go"}`},
		{"actions", "paid=fly", `row "paid": "fly" is none of go, stay`},
		{"actions", "paid", "one looks like key=value"},
		{"actions", "paid=go,paid=stay", "two rows"},
		{"actions", `{"paid ": "go", "paid": "stay"}`, "two rows"},
		{"actions", "=go", "no key"},
		{"actions", `{"paid"`, "no JSON"},
		{"ids", "stripe=7", `{"stripe":7}`},
		{"ids", `{"stripe": 7.0}`, `{"stripe":7}`},
		{"ids", "stripe=seven", `row "stripe"`},
		{"ids", "stripe=-1", "cannot be the id"},
		{"free", `{"a": 1, "b": true}`, `{"a":"1","b":"true"}`},
		{"free", `{"a": {"b": 1}}`, "is no text"},
	} {
		declared, ok := s.App().Setting(c.name)
		if !ok {
			t.Fatal(c.name)
		}
		typed, err := settings.Parse(declared, c.text)
		got := ""
		if err != nil {
			got = err.Error()
			var invalid *settings.InvalidError
			if !errors.As(err, &invalid) || invalid.Name != c.name || invalid.Title != declared.Title {
				t.Errorf("%s %q: the error is %#v", c.name, c.text, err)
			}
		} else if data, err := value.Encode(value.Plain(typed)); err == nil {
			got = string(data)
		}
		if err == nil && got != c.want || err != nil && !strings.Contains(got, c.want) {
			t.Errorf("%s %q is %s; want %s", c.name, c.text, got, c.want)
		}
		if strings.Contains(got, "hush") {
			t.Errorf("%s tells a password: %s", c.name, got)
		}
		if err != nil {
			continue
		}
		// What was read is saved as it is.
		if err := s.Save(context.Background(), "main", map[string]any{c.name: typed}); err != nil {
			t.Errorf("%s %q: %v", c.name, c.text, err)
		}
		if values, err := s.Values(context.Background(), "main"); err != nil || !value.Equal(values[c.name], typed) {
			t.Errorf("%s %q was saved as %v, %v", c.name, c.text, values[c.name], err)
		}
	}
}

func TestAllThatIsWrongIsToldAndNothingSaved(t *testing.T) {
	t.Parallel()
	s := newSettings(t, "a key of these tests", newStore(t))
	ctx := context.Background()
	err := s.Save(ctx, "main", map[string]any{"host": "x", "port": int64(0), "nothing": 1, "mail": "anna@example.com"})
	for _, says := range []string{"lacks https://", "less than 1", `no setting "nothing"`} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q is not told: %v", says, err)
		}
	}
	if values, err := s.Values(ctx, "main"); err != nil || values["mail"] != nil {
		t.Errorf("saved %v, %v", values["mail"], err)
	}
}

// A secret that was sealed with a key that is lost can be entered again.
func TestALostKeyDoesNotLockTheSettings(t *testing.T) {
	t.Parallel()
	st, ctx := newStore(t), context.Background()
	before := newSettings(t, "the key that is lost", st)
	if err := before.Save(ctx, "main", map[string]any{"key": "old secret", "port": int64(25)}); err != nil {
		t.Fatal(err)
	}
	s := newSettings(t, "another key of sixteen", st)
	if _, err := s.Values(ctx, "main"); err == nil || !strings.Contains(err.Error(), "another key") {
		t.Fatal("the secret was read with another key: ", err)
	}
	changed, err := s.Change(ctx, "main", map[string]any{"key": "old secret", "port": int64(25)})
	if err != nil || !slices.Equal(changed, []string{"key"}) {
		t.Fatal(changed, err)
	}
	if values, err := s.Values(ctx, "main"); err != nil || values["key"] != "old secret" || values["port"] != int64(25) {
		t.Error(values, err)
	}
}

// Whatever is saved in whatever order: what changed is told, no more and no less,
// and the values are those saved last.
func TestChangesAreTold(t *testing.T) {
	t.Parallel()
	s := newSettings(t, "a key of these tests", newStore(t))
	ctx, tries := context.Background(), 0
	rapid.Check(t, func(r *rapid.T) {
		tries++
		instance, want := fmt.Sprintf("try-%d", tries), map[string]any{}
		for range rapid.IntRange(1, 8).Draw(r, "saves") {
			given, differ := map[string]any{}, []string{}
			for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"key", "port", "lists", "ids", "side"}), rapid.ID).Draw(r, "names") {
				given[name] = map[string]*rapid.Generator[any]{
					"key":   rapid.SampledFrom([]any{nil, "one secret", "two secrets"}),
					"port":  rapid.SampledFrom([]any{nil, int64(80), int64(25)}),
					"lists": rapid.SampledFrom([]any{nil, []any{"a"}, []any{"b", "a"}, []any{}}),
					"ids":   rapid.SampledFrom([]any{nil, map[string]any{"a": int64(1)}, map[string]any{"a": int64(2)}}),
					"side":  rapid.SampledFrom([]any{nil, "left", "right"}),
				}[name].Draw(r, name)
				if !value.Equal(want[name], given[name]) {
					differ = append(differ, name)
				}
				want[name] = given[name]
			}
			slices.Sort(differ)
			changed, err := s.Change(ctx, instance, given)
			if err != nil || !slices.Equal(changed, differ) {
				r.Fatalf("%v changed %v, %v; want %v", given, changed, err, differ)
			}
		}
		values, err := s.Values(ctx, instance)
		if err != nil {
			r.Fatal(err)
		}
		for _, declared := range s.App().Settings() {
			if want[declared.Name] == nil {
				want[declared.Name] = declared.Default
			}
			if !value.Equal(values[declared.Name], want[declared.Name]) {
				r.Fatalf("%s is %v, want %v", declared.Name, values[declared.Name], want[declared.Name])
			}
		}
	})
}
