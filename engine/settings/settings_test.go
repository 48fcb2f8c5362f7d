package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/engine/flow"
)

func TestSecretsAreSealedAndBoundToTheirPlace(t *testing.T) {
	t.Parallel()
	a, err := NewSealer("a key of sixteen characters")
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewSealer("another key of sixteen characters")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := a.Seal([]byte("cs_canary"), place("main", "consumer_secret"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(sealed), "canary") {
		t.Error("the secret is readable at rest")
	}
	if plain, err := a.Open(sealed, place("main", "consumer_secret")); err != nil || string(plain) != "cs_canary" {
		t.Errorf("opened %q, %v", plain, err)
	}
	if _, err := a.Open(sealed, place("other", "consumer_secret")); err == nil {
		t.Error("a secret was moved to another instance")
	}
	if _, err := b.Open(sealed, place("main", "consumer_secret")); err == nil {
		t.Error("another key opened the secret")
	}
}

func TestTheKeyFileIsMadeOnceAndMustBePrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "secret.key")
	first, err := SealerFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := first.Seal([]byte("x"), nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := SealerFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Open(sealed, nil); err != nil {
		t.Error("the key file gave another key:", err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := SealerFromFile(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Error("a key that others may read was taken:", err)
	}
}

func TestSettingsFromText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind, text string
		want       any
		fails      bool
	}{
		{kind: "text", text: " https://shop.test ", want: "https://shop.test"},
		{kind: "text", text: "", want: nil},
		{kind: "switch", text: "Yes", want: true},
		{kind: "switch", text: "maybe", fails: true},
		{kind: "integer", text: "12", want: int64(12)},
		{kind: "integer", text: "twelve", fails: true},
	} {
		got, err := Parse(flow.Setting{Name: "x", Type: c.kind}, c.text)
		if c.fails != (err != nil) || got != c.want {
			t.Errorf("%s %q: %#v, %v", c.kind, c.text, got, err)
		}
	}
	list, err := Parse(flow.Setting{Name: "x", Type: "list"}, "processing, completed")
	if l, ok := list.([]any); err != nil || !ok || len(l) != 2 || l[1] != "completed" {
		t.Errorf("list: %#v, %v", list, err)
	}
}
