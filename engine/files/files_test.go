package files_test

import (
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/files"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/settings"
)

// album is a connection with one picture and one text.
type album struct{ fails error }

func (a album) Close() error { return nil }

func (a album) Call(_ context.Context, c connectors.Call) (any, error) {
	if a.fails != nil {
		return nil, a.fails
	}
	return map[string]any{
		"picture": base64.StdEncoding.EncodeToString([]byte("\x89PNG\r\n\x1a\nrest")),
		"text":    base64.StdEncoding.EncodeToString([]byte("<script>")),
		"asked":   c.Params["id"],
	}, nil
}

func (a album) Connection(context.Context, string, string) (connectors.Connection, error) {
	return a, nil
}

type bench struct {
	*files.Desk
	now time.Time
	mux *http.ServeMux
}

func setup(t *testing.T, connections files.Connections) *bench {
	t.Helper()
	sealer, err := settings.NewSealer("a key of the test's own")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{now: time.Now(), mux: http.NewServeMux()}
	app := &flow.App{Connections: []*flow.Connection{{Name: "album", Spec: connectors.Spec{Operations: []connectors.Operation{
		{Name: "get", Effect: connectors.Read}, {Name: "burn", Effect: connectors.Delete},
	}}}}}
	b.Desk = &files.Desk{App: func() *flow.App { return app }, Connections: connections, Sealer: sealer,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: func() time.Time { return b.now }}
	b.mux.Handle("GET /files/{instance}/{token}/{name}", b.Desk)
	return b
}

func (b *bench) get(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func (b *bench) path(t *testing.T, field string) string {
	t.Helper()
	path, err := b.Path("main", files.Request{Connection: "album", Operation: "get", With: map[string]any{"id": int64(7)}, Field: field}, "lamp.png")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAPictureIsHandedOutForAWhile(t *testing.T) {
	t.Parallel()
	b := setup(t, album{})
	path := b.path(t, "picture")
	got := b.get(path)
	if got.Code != http.StatusOK || got.Header().Get("Content-Type") != "image/png" || !strings.HasPrefix(got.Body.String(), "\x89PNG") {
		t.Errorf("%d %s", got.Code, got.Header())
	}
	if !strings.HasSuffix(path, "/lamp.png") {
		t.Errorf("the address is %s", path)
	}
	b.now = b.now.Add(files.Lifetime)
	if got := b.get(path); got.Code != http.StatusNotFound {
		t.Errorf("after its time: %d", got.Code)
	}
}

func TestNothingElseIsHandedOut(t *testing.T) {
	t.Parallel()
	b := setup(t, album{})
	path := b.path(t, "picture")
	parts := strings.Split(path, "/")
	changed := []byte(parts[3])
	changed[len(changed)/2] ^= 1
	for name, path := range map[string]string{
		"another instance": strings.Replace(path, "/main/", "/other/", 1),
		"a changed token":  strings.Replace(path, parts[3], string(changed), 1),
		"a made up token":  "/files/main/AAAA/lamp.png",
		"a long token":     "/files/main/" + strings.Repeat("A", 5000) + "/lamp.png",
		"no picture":       b.path(t, "text"),
		"no such field":    b.path(t, "nothing"),
	} {
		if got := b.get(path); got.Code != http.StatusNotFound || strings.Contains(got.Body.String(), "script") {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
	for _, request := range []files.Request{{Connection: "album", Operation: "burn"}, {Connection: "nobody", Operation: "get"}} {
		if _, err := b.Path("main", request, "x"); err == nil {
			t.Errorf("%v got an address", request)
		}
	}
}

func TestASystemThatIsAwayIsNotNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, album{fails: connectors.Errorf(connectors.Transient, "away", "nobody there")})
	if got := b.get(b.path(t, "picture")); got.Code != http.StatusServiceUnavailable {
		t.Errorf("%d", got.Code)
	}
}
