package panel

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/store"
)

// Password guessing is slowed down, from one address and from many.
func TestLoginBruteForce(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.account("anna", RoleOwner)
	c := b.browser()
	wrong := url.Values{"name": {"anna"}, "password": {"wrong password"}}
	for i := range triesTogether {
		if got := b.post(c, "/login", wrong); got.status != http.StatusUnauthorized {
			t.Fatalf("try %d gave %d", i+1, got.status)
		}
	}
	got := b.post(c, "/login", url.Values{"name": {"anna"}, "password": {password}})
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
		t.Errorf("the right password after too many tries gave %d", got.status)
	}
	if got := b.post(c, "/login", url.Values{"name": {"ben"}, "password": {"x"}}); got.status != http.StatusUnauthorized {
		t.Errorf("another name gave %d", got.status)
	}
}

func TestLoginLimitsByAddressAndAccount(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := newLoginLimits(func() time.Time { return now })
	tries := func(n int, name func(int) string, address func(int) string) (allowed int) {
		for i := range n {
			if l.allow(name(i), address(i)) {
				allowed++
			}
		}
		return allowed
	}
	anna := func(int) string { return "anna" }
	far := func(i int) string { return fmt.Sprintf("192.0.%d.%d:1", i/250, i%250) }
	if n := tries(1000, anna, far); n != triesAccount {
		t.Errorf("%d of 1000 addresses could try one account", n)
	}
	if n := tries(1000, func(i int) string { return fmt.Sprint("name", i) }, func(int) string { return "198.51.100.7:1" }); n != triesAddress {
		t.Errorf("one address could try %d accounts", n)
	}
	if n := tries(100, func(i int) string { return fmt.Sprint("v6-", i) }, func(i int) string { return fmt.Sprintf("[2001:db8::%x]:1", i+1) }); n != triesAddress {
		t.Errorf("one network could try %d accounts", n)
	}
	now = now.Add(time.Hour)
	if !l.allow("anna", "192.0.2.1:1") {
		t.Error("an hour later it is still refused")
	}
	l.succeeded("anna", "192.0.2.1:1")
	if n := tries(triesTogether, anna, func(int) string { return "192.0.2.1:1" }); n != triesTogether {
		t.Errorf("after a good login %d tries are left", n)
	}
	for i := range 3 * maxTracked {
		l.allow(fmt.Sprint(i), far(i%60000))
	}
	if len(l.tries) > maxTracked+3 {
		t.Errorf("%d are remembered", len(l.tries))
	}
}

// A session that was there before the login is worth nothing after it.
func TestSessionFixation(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.account("anna", RoleOwner)
	c := b.browser()
	root, _ := url.Parse(b.server.URL)
	c.Jar.SetCookies(root, []*http.Cookie{{Name: "flowctl", Value: "chosen-by-a-stranger", Path: "/"}})
	if got := b.post(c, "/login", url.Values{"name": {"anna"}, "password": {password}}); got.status != http.StatusSeeOther {
		t.Fatalf("logging in gave %d", got.status)
	}
	cookies := c.Jar.Cookies(root)
	if len(cookies) != 1 || cookies[0].Value == "chosen-by-a-stranger" || len(cookies[0].Value) < 32 {
		t.Fatalf("the session is %v", cookies)
	}
	stranger := b.browser()
	stranger.Jar.SetCookies(root, []*http.Cookie{{Name: "flowctl", Value: "chosen-by-a-stranger", Path: "/"}})
	if got := b.get(stranger, "/i/main/"); got.status != http.StatusSeeOther {
		t.Errorf("the old session opens the panel: %d", got.status)
	}
	// The store keeps the token's hash only.
	if _, found, err := b.engine.Store().Session(t.Context(), cookies[0].Value); err != nil || found {
		t.Errorf("the session's token lies in the store: %v", err)
	}
	first := cookies[0].Value
	b.post(c, "/login", url.Values{"name": {"anna"}, "password": {password}})
	if again := c.Jar.Cookies(root); again[0].Value == first {
		t.Error("a second login keeps the session's token")
	}
}

func TestCookiesAreForTheBrowserAlone(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.account("anna", RoleOwner)
	form := url.Values{"name": {"anna"}, "password": {password}}.Encode()
	for name, test := range map[string]struct {
		header map[string]string
		want   []string
	}{
		"plain":     {nil, []string{"flowctl=", "HttpOnly", "SameSite=Lax", "Path=/"}},
		"encrypted": {map[string]string{"X-Forwarded-Proto": "https"}, []string{"__Host-flowctl=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"}},
	} {
		got := b.do(b.browser(), http.MethodPost, "/login", "application/x-www-form-urlencoded", form, test.header)
		cookie := got.header.Get("Set-Cookie")
		for _, part := range test.want {
			if !strings.Contains(cookie, part) {
				t.Errorf("%s: %q lacks %s", name, cookie, part)
			}
		}
	}
}

// A form of another site changes nothing.
func TestCrossSiteRequests(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	c := b.as(RoleOwner)
	b.connect("main")
	form := url.Values{"f.paper_url": {"https://evil.example"}}.Encode()
	for name, header := range map[string]map[string]string{
		"by fetch metadata": {"Sec-Fetch-Site": "cross-site"},
		"from a sibling":    {"Sec-Fetch-Site": "same-site"},
		"by origin":         {"Origin": "https://evil.example"},
		"from nowhere":      {"Origin": "null"},
	} {
		for _, path := range []string{"/i/main/settings/connection", "/i/main/runs/act", "/logout", "/api/v1/instances/main/settings", "/queues/api/queues/flowctl:pause"} {
			got := b.do(c, http.MethodPost, path, "application/x-www-form-urlencoded", form, header)
			if got.status != http.StatusForbidden {
				t.Errorf("%s: POST %s gave %d", name, path, got.status)
			}
		}
	}
	values, err := b.engine.Settings().Values(t.Context(), "main")
	b.must(err)
	if values["paper_url"] != "https://paper.example" {
		t.Errorf("the address is %v", values["paper_url"])
	}
	if got := b.do(c, http.MethodPost, "/i/main/settings/connection", "application/x-www-form-urlencoded", url.Values{"f.paper_url": {"https://mine.example"}}.Encode(), map[string]string{"Sec-Fetch-Site": "same-origin"}); got.status != http.StatusSeeOther {
		t.Errorf("the panel's own form gave %d", got.status)
	}
}

// addresses are the served patterns with their parts filled in.
func (b *bench) addresses(run, link int64) map[string]string {
	filled := map[string]string{}
	for _, pattern := range b.panel.served {
		method, path, ok := strings.Cut(pattern, " ")
		if !ok {
			method, path = http.MethodGet, pattern
		}
		path = strings.NewReplacer("{$}", "", "{instance}", "main", "{flow}", "changed", "{tab}", "more", "{file}", "panel.css", "{setting}", "box").Replace(path)
		id := run
		if strings.Contains(path, "/links/{id}") {
			id = link
		}
		filled[pattern] = method + " " + strings.ReplaceAll(path, "{id}", fmt.Sprint(id))
	}
	return filled
}

// Every address is closed to strangers, and whatever changes something is closed
// to viewers, in the pages and in the API. New addresses are tried by themselves.
func TestRolesHoldForEveryAddress(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.connect("main")
	run := b.run("main", map[string]any{"id": int64(13), "note": "odd"})
	b.must(b.engine.Store().PutLinks(t.Context(), "main", store.LinkWrite{Table: "thing", Local: "1", Remote: "13"}))
	links, err := b.engine.Store().Links(t.Context(), store.LinkFilter{Instance: "main"})
	b.must(err)
	viewer := b.as(RoleViewer)
	anyone := b.browser()
	openTo := map[string]bool{"GET /assets/{file}": true, "GET /favicon.ico": true, "GET /login": true, "POST /login": true, "GET /setup": true, "POST /setup": true}
	changes := 0
	for pattern, filled := range b.addresses(run.ID, links[0].ID) {
		method, path, _ := strings.Cut(filled, " ")
		if strings.HasSuffix(path, "/live") {
			continue // a stream: tried below
		}
		got := b.do(anyone, method, path, "", "", nil)
		api := strings.HasPrefix(path, "/api/")
		closed := got.status == http.StatusSeeOther && strings.HasPrefix(got.header.Get("Location"), "/login") || api && got.status == http.StatusUnauthorized
		if !openTo[pattern] && !closed {
			t.Errorf("a stranger gets %d from %s", got.status, filled)
		}
		if method == http.MethodGet || openTo[pattern] || own[path] {
			continue
		}
		changes++
		if got := b.do(viewer, method, path, "", "", nil); got.status != http.StatusForbidden {
			t.Errorf("a viewer gets %d from %s", got.status, filled)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodDelete, http.MethodPut} {
		if got := b.do(viewer, method, "/queues/api/queues/flowctl:pause", "", "", nil); got.status != http.StatusForbidden {
			t.Errorf("a viewer may %s queues: %d", method, got.status)
		}
	}
	if got := b.get(anyone, "/i/main/live"); got.status != http.StatusSeeOther {
		t.Errorf("a stranger gets %d from the stream", got.status)
	}
	if changes < 10 {
		t.Errorf("only %d addresses that change something were tried", changes)
	}
	// An odd method is no way around the rule, nor is a header that names another.
	for _, method := range []string{"PATCH", "FOO"} {
		if got := b.do(viewer, method, "/i/main/settings/more", "", "", nil); got.status < 400 {
			t.Errorf("%s gave %d", method, got.status)
		}
	}
	if got := b.do(viewer, http.MethodGet, "/i/main/runs/act", "", "", map[string]string{"X-HTTP-Method-Override": "POST"}); got.status < 400 {
		t.Errorf("a method in a header gave %d", got.status)
	}
}

// No text of any record acts on any page.
func TestNoTextActs(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.must(b.engine.Settings().Save(t.Context(), "main", map[string]any{"paper_url": "https://paper.example", "bad_url": "javascript:alert(1)//" + evil, "names": []any{evil},
		"boxes": map[string]any{evil: int64(2)}}))
	held := b.run("main", map[string]any{"id": int64(13), "note": evil})
	if held.State != store.Held {
		t.Fatalf("the run is %s", held.State)
	}
	b.run("main", map[string]any{"id": int64(14), "note": evil})
	b.must(b.engine.Store().PutLinks(t.Context(), "main", store.LinkWrite{Table: "thing", Local: evil, Remote: evil}, store.LinkWrite{Table: "thing", Local: "13", Remote: "javascript:alert(1)"}))
	b.must(b.engine.Instances().Rename(t.Context(), "main", evil))
	links, err := b.engine.Store().Links(t.Context(), store.LinkFilter{Instance: "main"})
	b.must(err)
	if _, err := b.engine.Store().Cancel(t.Context(), evil, b.run("main", map[string]any{"id": int64(13), "note": "x"}).ID); err != nil {
		t.Fatal(err)
	}
	owner := b.as(RoleOwner)
	var bodies []answer
	names := []string{}
	for _, filled := range b.addresses(held.ID, links[0].ID) {
		method, path, _ := strings.Cut(filled, " ")
		if method == http.MethodGet && !strings.HasSuffix(path, "/live") && !strings.HasPrefix(path, "/assets") && path != "/queues/" {
			bodies, names = append(bodies, b.get(owner, path)), append(names, path)
		}
	}
	q := url.QueryEscape(evil)
	for _, path := range []string{"/i/main/settings/connection", "/i/main/activity?record=" + q + "&flow=" + q, "/i/main/links?find=" + q, "/i/main/activity?state=" + q, "/i/main/activity?since=" + q,
		"/i/main/links?table=" + q, "/i/" + url.PathEscape(evil) + "/", "/i/main/flows/" + url.PathEscape(evil), "/i/main/?span=" + q, "/i/main/needs?before=" + q} {
		bodies, names = append(bodies, b.get(owner, path)), append(names, path)
	}
	bodies, names = append(bodies, b.post(b.browser(), "/login", url.Values{"name": {evil}, "password": {evil}, "next": {evil}})), append(names, "the login")
	bodies, names = append(bodies, b.post(owner, "/i/main/settings/more", url.Values{"f.pages": {evil}, "f.names": {evil}, "f.names.here": {"true"}, "f.boxes.here": {"true"}, "f.boxes.key": {evil}, "f.boxes.value": {evil}})), append(names, "settings that do not fit")
	bodies, names = append(bodies, b.post(owner, fmt.Sprintf("/i/main/runs/%d/edit", held.ID), url.Values{"payload": {evil}})), append(names, "a payload that does not fit")
	bodies, names = append(bodies, b.do(owner, http.MethodPost, "/i/main/flows/changed/plan", "application/x-www-form-urlencoded", url.Values{"in.id": {"14"}, "in.note": {evil}}.Encode(), map[string]string{"HX-Request": "true"})), append(names, "a plan")
	seen := 0
	for i, got := range bodies {
		if strings.Contains(got.header.Get("Content-Type"), "json") {
			if strings.Contains(got.body, "<script") {
				t.Errorf("%s answers JSON with a tag in it", names[i])
			}
			continue
		}
		text := got.body
		if strings.Contains(text, "alert(1)") {
			seen++
		}
		for _, acts := range []string{"<script>alert", "<img src=x", `href="javascript:`, `href="&#34;`, " onerror=alert(2)>"} {
			if strings.Contains(text, acts) {
				t.Errorf("%s has %s", names[i], acts)
			}
		}
		if strings.Contains(text, "<b>bold</b>") {
			t.Errorf("%s takes a help text for HTML", names[i])
		}
	}
	if seen < 8 {
		t.Errorf("the text was seen on %d pages only: the test looks at nothing", seen)
	}
}

// Every answer carries the headers, whatever it is.
func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	owner := b.as(RoleOwner)
	for _, got := range []answer{b.get(owner, "/i/main/"), b.get(owner, "/assets/panel.css"), b.get(owner, "/nothing"), b.get(owner, "/i/none/"), b.get(b.browser(), "/login"),
		b.get(owner, "/api/openapi.json"), b.get(owner, "/queues/"), b.post(owner, "/i/main/runs/act", nil)} {
		csp := got.header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "frame-ancestors 'none'") || got.header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("it may be framed: %q", csp)
		}
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe-eval") || strings.Contains(strings.Split(csp, "style-src")[0], "unsafe-inline") {
			t.Errorf("the policy is %q", csp)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"} {
			if got.header.Get(name) != want {
				t.Errorf("%s is %q", name, got.header.Get(name))
			}
		}
		if cache := got.header.Get("Cache-Control"); !strings.Contains(cache, "no-store") && !strings.HasPrefix(got.header.Get("Content-Type"), "text/css") {
			t.Errorf("it may be kept: %q", cache)
		}
	}
	page := b.get(owner, "/i/main/settings/more").body
	for _, inline := range []string{" style=", "<style", "<script>", " onclick=", " onload=", "hx-on"} {
		if strings.Contains(page, inline) {
			t.Errorf("the page has %s, which the policy forbids", inline)
		}
	}
	if got := b.do(owner, http.MethodGet, "/login", "", "", map[string]string{"X-Forwarded-Proto": "https"}); got.header.Get("Strict-Transport-Security") == "" {
		t.Error("an encrypted answer does not ask for encryption the next time")
	}
}

// Nobody is led to another site.
func TestOpenRedirect(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.account("anna", RoleOwner)
	for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`, `\\evil.example`, "/\t/evil.example", "javascript:alert(1)", "/%0d%0aSet-Cookie:x=y", "http:evil.example", "///evil.example", "/i/main/\r\nX: y"} {
		got := b.post(b.browser(), "/login", url.Values{"name": {"anna"}, "password": {password}, "next": {next}})
		to, err := url.Parse(got.header.Get("Location"))
		if err != nil || to.Host != "" || to.Scheme != "" || strings.HasPrefix(to.Path, "//") || got.header.Get("X") != "" {
			t.Errorf("%q leads to %q", next, got.header.Get("Location"))
		}
	}
	if got := b.post(b.browser(), "/login", url.Values{"name": {"anna"}, "password": {password}, "next": {"/i/main/activity?state=held"}}); got.header.Get("Location") != "/i/main/activity?state=held" {
		t.Errorf("a page of the panel leads to %q", got.header.Get("Location"))
	}
}

// A foreign name that leads here gets nothing; the demo is for this machine alone.
func TestForeignHosts(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ *engine.Config, c *Config) { c.PublicURL = "https://Sync.Example:443/" })
	for host, want := range map[string]int{"sync.example": http.StatusOK, "SYNC.example:443": http.StatusOK, "127.0.0.1:8080": http.StatusOK, "localhost": http.StatusOK, "[::1]:8080": http.StatusOK,
		"192.0.2.7": http.StatusOK, "evil.example": http.StatusMisdirectedRequest, "sync.example.evil.example": http.StatusMisdirectedRequest, "127.0.0.1.evil.example": http.StatusMisdirectedRequest} {
		if got := b.do(b.browser(), http.MethodGet, "/login", "", "", map[string]string{"Host": host}); got.status != want {
			t.Errorf("%s gets %d", host, got.status)
		}
	}
	demo := setup(t, func(_ *engine.Config, c *Config) { c.Demo = true })
	for host, want := range map[string]int{"localhost:1": http.StatusOK, "127.0.0.1": http.StatusOK, "evil.example": http.StatusMisdirectedRequest, "192.0.2.7": http.StatusMisdirectedRequest} {
		if got := demo.do(demo.browser(), http.MethodGet, "/i/main/", "", "", map[string]string{"Host": host}); got.status != want {
			t.Errorf("the demo gives %s %d", host, got.status)
		}
	}
	if local("192.0.2.7:1") || !local("127.0.0.1:1") || !local("[::1]:1") || local("nonsense") {
		t.Error("who is on this machine is not told apart")
	}
}

// No page, answer or log has a secret in it.
func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.connect("main")
	run := b.run("main", map[string]any{"id": int64(13), "note": "the key is " + canary})
	owner := b.as(RoleOwner)
	for _, filled := range b.addresses(run.ID, 1) {
		method, path, _ := strings.Cut(filled, " ")
		if method != http.MethodGet || strings.HasSuffix(path, "/live") {
			continue
		}
		if path == fmt.Sprintf("/i/main/runs/%d", run.ID) || path == fmt.Sprintf("/api/v1/instances/main/runs/%d", run.ID) {
			continue // the event itself came with the text
		}
		if got := b.get(owner, path); strings.Contains(got.body, canary) {
			t.Errorf("%s shows the secret", path)
		}
	}
	if got := b.get(owner, "/i/main/settings/connection"); strings.Contains(got.body, canary) || !strings.Contains(got.body, "saved") {
		t.Error("the settings show the secret, or do not tell that there is one")
	}
	// Sent and refused, it is not sent back.
	got := b.post(owner, "/i/main/settings/connection", url.Values{"f.paper_key": {canary + "-new"}, "f.paper_url": {"no address"}})
	if got.status != http.StatusUnprocessableEntity || strings.Contains(got.body, canary) {
		t.Errorf("a form that does not fit gave %d", got.status)
	}
	if strings.Contains(b.logs.String(), canary) {
		t.Error("the log has the secret")
	}
}

func TestLargeBodiesAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	owner := b.as(RoleOwner)
	got := b.post(owner, "/i/main/settings/more", url.Values{"f.ours": {strings.Repeat("x", maxForm+1)}})
	if got.status != http.StatusBadRequest && got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("it gave %d", got.status)
	}
	got = b.do(owner, http.MethodPatch, "/api/v1/instances/main/settings", "application/json", `{"values": {"names": ["`+strings.Repeat("x", maxForm)+`"]}}`, nil)
	if got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("the API gave %d", got.status)
	}
}

// What belongs to one shop is not reached through another.
func TestShopsDoNotMix(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.connect("main")
	run := b.run("main", map[string]any{"id": int64(13), "note": "odd"})
	b.must(b.engine.Store().PutLinks(t.Context(), "main", store.LinkWrite{Table: "thing", Local: "1", Remote: "13"}))
	links, err := b.engine.Store().Links(t.Context(), store.LinkFilter{Instance: "main"})
	b.must(err)
	owner := b.as(RoleOwner)
	id := fmt.Sprint(run.ID)
	for _, got := range []answer{
		b.get(owner, "/i/second/runs/"+id), b.get(owner, "/api/v1/instances/second/runs/"+id),
		b.post(owner, "/i/second/runs/act", url.Values{"run": {id}, "act": {"ignore"}, "reason": {"x"}}),
		b.do(owner, http.MethodPost, "/api/v1/instances/second/runs/act", "application/json", `{"act":"ignore","reason":"x","runs":[`+id+`]}`, nil),
		b.post(owner, "/i/second/runs/"+id+"/edit", url.Values{"payload": {"{}"}}),
		b.post(owner, fmt.Sprintf("/i/second/links/%d/unlink", links[0].ID), nil),
		b.do(owner, http.MethodDelete, fmt.Sprintf("/api/v1/instances/second/links/%d", links[0].ID), "", "", nil),
	} {
		if got.status != http.StatusNotFound {
			t.Errorf("got %d: %.200s", got.status, got.body)
		}
	}
	if again, err := b.engine.Store().Run(t.Context(), run.ID); err != nil || again.State != store.Held {
		t.Errorf("the run is %s, %v", again.State, err)
	}
	if list := b.get(owner, "/i/second/activity").body; strings.Contains(list, "thing 13") {
		t.Error("the other shop lists the run")
	}
}
