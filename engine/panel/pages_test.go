package panel

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/store"
)

// The first account is made by the link, once.
func TestSetupLink(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	path, err := b.panel.SetupPath(t.Context())
	if err != nil || !strings.HasPrefix(path, "/setup?token=") {
		t.Fatalf("got %q, %v", path, err)
	}
	c := b.browser()
	if got := b.get(c, "/setup?token=guessed"); got.status != http.StatusForbidden {
		t.Errorf("a guessed token gave %d", got.status)
	}
	if got := b.get(c, "/setup"); got.status != http.StatusForbidden {
		t.Errorf("no token gave %d", got.status)
	}
	if got := b.get(c, path); got.status != http.StatusOK || !strings.Contains(got.body, "Welcome") {
		t.Errorf("the link gave %d", got.status)
	}
	token := strings.TrimPrefix(path, "/setup?token=")
	form := url.Values{"token": {token}, "name": {"anna"}, "password": {password}, "again": {password + "x"}}
	if got := b.post(c, "/setup", form); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "differ") {
		t.Errorf("two passwords gave %d", got.status)
	}
	form.Set("again", password)
	if got := b.post(c, "/setup", form); got.status != http.StatusSeeOther {
		t.Fatalf("it gave %d: %s", got.status, got.body)
	}
	if got := b.get(c, "/i/main/"); got.status != http.StatusOK {
		t.Errorf("the new owner gets %d", got.status)
	}
	if got := b.post(b.browser(), "/setup", form); got.status != http.StatusForbidden {
		t.Errorf("a second time it gave %d", got.status)
	}
	if path, err := b.panel.SetupPath(t.Context()); path != "" || err != nil {
		t.Errorf("there is still a link: %q, %v", path, err)
	}
}

// A password that changes, an account that goes and a logout end sessions.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	one := b.as(RoleOwner)
	two := b.browser()
	b.post(two, "/login", url.Values{"name": {RoleOwner}, "password": {password}})
	if got := b.post(two, "/account", url.Values{"password": {"wrong"}, "new": {"another password"}, "again": {"another password"}}); got.status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong present password gave %d", got.status)
	}
	if got := b.post(two, "/account", url.Values{"password": {password}, "new": {"another password"}, "again": {"another password"}}); got.status != http.StatusSeeOther {
		t.Fatalf("changing it gave %d: %s", got.status, got.body)
	}
	if got := b.get(two, "/account"); got.status != http.StatusOK || !strings.Contains(got.body, "is changed") {
		t.Errorf("whoever changed it gets %d", got.status)
	}
	if got := b.get(one, "/i/main/"); got.status != http.StatusSeeOther {
		t.Errorf("the other browser gets %d", got.status)
	}
	if got := b.post(two, "/logout", nil); got.status != http.StatusSeeOther {
		t.Errorf("the logout gave %d", got.status)
	}
	if got := b.get(two, "/i/main/"); got.status != http.StatusSeeOther {
		t.Errorf("after the logout: %d", got.status)
	}
	viewer := b.as(RoleViewer)
	b.must(b.engine.Store().DeleteAccount(t.Context(), RoleViewer))
	if got := b.get(viewer, "/i/main/"); got.status != http.StatusSeeOther {
		t.Errorf("an account that is gone gets %d", got.status)
	}
}

// Settings are shown, checked and saved; what the machine decides stays.
func TestSettingsRoundTrip(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.connect("main")
	owner := b.as(RoleOwner)
	page := b.get(owner, "/i/main/settings/more").body
	for _, want := range []string{"Red box", "Decided by FLOWCTL_OURS", `value="a"`, "Switches", "Add a row"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if first := b.get(owner, "/i/main/settings/connection").body; !strings.Contains(first, ">Ask<") || strings.Contains(first, "Not there") {
		t.Error("buttons are shown wrongly")
	}
	bad := url.Values{"f.pages": {"12"}, "f.listens.here": {"true"}}
	if got := b.post(owner, "/i/main/settings/more", bad); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "more than 9") || !strings.Contains(got.body, `value="12"`) {
		t.Errorf("a number that is too large gave %d", got.status)
	}
	values := func() map[string]any {
		v, err := b.engine.Settings().Values(t.Context(), "main")
		b.must(err)
		return v
	}
	if v := values(); v["listens"] != true || v["pages"] != int64(3) {
		t.Errorf("a form that does not fit changed %v", v)
	}
	good := url.Values{
		"f.listens.here": {"true"}, "f.box": {"1"}, "f.pages": {" 5 "}, "f.size": {"large"}, "f.names.here": {"true"}, "f.names": {"a, b\nc"},
		"f.kinds.here": {"true"}, "f.kinds": {"x", "y"}, "f.boxes.here": {"true"}, "f.boxes.key": {"red", ""}, "f.boxes.value": {"1", ""}, "f.ours": {"changed"},
	}
	saved := b.post(owner, "/i/main/settings/more", good)
	if saved.status != http.StatusSeeOther {
		t.Fatalf("saving gave %d: %s", saved.status, saved.body)
	}
	want := map[string]any{"listens": false, "box": int64(1), "pages": int64(5), "size": "large", "names": []any{"a", "b", "c"}, "kinds": []any{"x", "y"},
		"boxes": map[string]any{"red": int64(1)}, "ours": "given by the machine"}
	got := values()
	for name, v := range want {
		if !reflect.DeepEqual(got[name], v) {
			t.Errorf("%s is %#v, not %#v", name, got[name], v)
		}
	}
	if to := saved.header.Get("Location"); !strings.HasPrefix(to, "/i/main/settings/more?run=") {
		t.Errorf("the flow after saving was not started: %q", to)
	}
	if page := b.get(owner, "/i/main/settings/more").body; !strings.Contains(page, "Saved.") || !strings.Contains(page, `value="a, b, c"`) {
		t.Error("what was saved is not read back")
	}
	if other, err := b.engine.Settings().Values(t.Context(), "second"); err != nil || other["pages"] != int64(3) {
		t.Errorf("the other shop has %v, %v", other["pages"], err)
	}
	// A secret stays while its field is empty, and goes when it is told to.
	b.post(owner, "/i/main/settings/connection", url.Values{"f.paper_key": {""}, "f.paper_url": {"https://new.example"}})
	if v := values(); v["paper_key"] != canary || v["paper_url"] != "https://new.example" {
		t.Errorf("got %v", v)
	}
	b.post(owner, "/i/main/settings/connection", url.Values{"f.paper_key": {""}, "f.paper_key.drop": {"true"}, "f.paper_url": {"https://new.example"}})
	if v := values(); v["paper_key"] != nil {
		t.Errorf("the key is still %v", v["paper_key"])
	}
	// An emptied field has its default again.
	b.post(owner, "/i/main/settings/more", url.Values{"f.pages": {""}})
	if v := values(); v["pages"] != int64(3) {
		t.Errorf("pages is %v", v["pages"])
	}
	if got := b.post(owner, "/i/main/settings/more/check", url.Values{"field": {"pages"}, "f.pages": {"99"}}); strings.TrimSpace(got.body) != "99 is more than 9" {
		t.Errorf("the field's problem is %q", got.body)
	}
}

func TestConnectionsAreChecked(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	owner := b.as(RoleOwner)
	for address, want := range map[string]string{"": "still empty: Address", "https://wrong.example": "Look at the address.", "https://right.example": "somebody answers"} {
		var v any
		if address != "" {
			v = address
		}
		b.must(b.engine.Settings().Save(t.Context(), "main", map[string]any{"paper_url": v}))
		if got := b.post(owner, "/i/main/connections/check", nil); !strings.Contains(got.body, want) {
			t.Errorf("%q gave %s", address, got.body)
		}
	}
}

// Runs are listed, filtered, shown and acted on.
func TestRunsAreActedOn(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.connect("main")
	held := b.run("main", map[string]any{"id": int64(13), "note": "odd"})
	done := b.run("main", map[string]any{"id": int64(7), "note": "fine"})
	owner := b.as(RoleOwner)
	for path, want := range map[string][2]string{ // there, not there
		"/i/main/activity":                              {"thing 7", "nothing like this"},
		"/i/main/activity?state=held":                   {"thing 13", "thing 7"},
		"/i/main/activity?record=7":                     {"thing 7", "thing 13"},
		"/i/main/activity?record=thing:13":              {"thing 13", "thing 7"},
		"/i/main/activity?flow=ask":                     {"No such runs", "thing 7"},
		"/i/main/activity?since=1h":                     {"thing 7", "No such runs"},
		"/i/main/needs":                                 {"look at odd", "Thing 7"},
		"/i/main/flows":                                 {"Parts of other flows", "nothing like this"},
		"/i/main/flows/changed":                         {"settings.listens", "nothing like this"},
		"/i/main/":                                      {"1 thing needs you", "Set up your shop"},
		fmt.Sprintf("/i/main/runs/%d", held.ID):         {"https://paper.example/sheet", "nothing like this"},
		fmt.Sprintf("/i/main/runs/%d", done.ID):         {"<th scope=\"row\">note</th>", "nothing like this"},
		fmt.Sprintf("/i/main/runs/%d/outcome", done.ID): {"Changed: done", "spin"},
	} {
		if strings.Contains(want[0], "sheet") {
			b.must(b.engine.Store().PutLinks(t.Context(), "main", store.LinkWrite{Table: "thing", Local: "5", Remote: "13"}))
		}
		got := b.get(owner, path).body
		main := got[strings.Index(got, "<main"+"")+1:]
		if !strings.Contains(main, want[0]) || strings.Contains(main, want[1]) {
			t.Errorf("%s lacks %q or has %q", path, want[0], want[1])
		}
	}
	if got := b.get(owner, fmt.Sprintf("/runs/%d", held.ID)); got.header.Get("Location") != fmt.Sprintf("/i/main/runs/%d", held.ID) {
		t.Errorf("a run without its shop leads to %q", got.header.Get("Location"))
	}
	ids := url.Values{"run": {fmt.Sprint(held.ID), fmt.Sprint(done.ID)}, "back": {"/i/main/needs"}}
	ids.Set("act", "ignore")
	if got := b.post(owner, "/i/main/runs/act", ids); got.status != http.StatusUnprocessableEntity {
		t.Errorf("ignoring without a reason gave %d", got.status)
	}
	ids.Set("reason", "entered by hand")
	if got := b.post(owner, "/i/main/runs/act", ids); got.status != http.StatusSeeOther || got.header.Get("Location") != "/i/main/needs" {
		t.Errorf("ignoring gave %d to %s", got.status, got.header.Get("Location"))
	}
	if page := b.get(owner, "/i/main/needs").body; !strings.Contains(page, "1 run is ignored. 1 was left alone") || !strings.Contains(page, "Nothing needs you") {
		t.Error("it is not told what was done")
	}
	ignored, err := b.engine.Store().Run(t.Context(), held.ID)
	b.must(err)
	if ignored.State != store.Cancelled || !strings.Contains(ignored.Reason, "entered by hand (owner)") {
		t.Errorf("the run is %s: %s", ignored.State, ignored.Reason)
	}
	// Another payload starts another run.
	got := b.post(owner, fmt.Sprintf("/i/main/runs/%d/edit", held.ID), url.Values{"payload": {`{"id": 8, "note": "mended"}`}})
	if got.status != http.StatusSeeOther {
		t.Fatalf("editing gave %d: %s", got.status, got.body)
	}
	var id int64
	if _, err := fmt.Sscanf(got.header.Get("Location"), "/i/main/runs/%d", &id); err != nil {
		t.Fatal(err)
	}
	if again := b.ended(id); again.State != store.Succeeded || again.Key != "thing:8" {
		t.Errorf("it is %s of %s", again.State, again.Key)
	}
	if got := b.post(owner, fmt.Sprintf("/i/main/runs/%d/edit", held.ID), url.Values{"payload": {`{"id": "x`}}); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "x") {
		t.Errorf("a payload that cannot be read gave %d", got.status)
	}
	b.post(owner, "/i/main/runs/act", url.Values{"run": {fmt.Sprint(done.ID)}, "act": {"replay"}, "back": {"https://evil.example"}})
	if again := b.ended(done.ID); again.Attempt != 2 {
		t.Errorf("it was tried %d times", again.Attempt)
	}
}

func TestFlowsAreStartedAndPlanned(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	owner := b.as(RoleOwner)
	htmx := map[string]string{"HX-Request": "true"}
	start := func(path string, form url.Values) answer {
		return b.do(owner, http.MethodPost, path, "application/x-www-form-urlencoded", form.Encode(), htmx)
	}
	if got := start("/i/main/flows/changed/run", url.Values{"in.id": {"1"}}); !strings.Contains(got.body, "still empty: Address") {
		t.Errorf("without settings: %s", got.body)
	}
	b.connect("main")
	if got := start("/i/main/flows/ask/run", url.Values{}); !strings.Contains(got.body, "Question is needed") {
		t.Errorf("without a question: %s", got.body)
	}
	if got := start("/i/main/flows/ask/run", url.Values{"in.question": {"why"}, "in.times": {"x"}}); !strings.Contains(got.body, "Times") {
		t.Errorf("with a wrong number: %s", got.body)
	}
	if got := start("/i/main/flows/part/run", url.Values{"in.text": {"x"}}); !strings.Contains(got.body, "Only other flows") {
		t.Errorf("a part: %s", got.body)
	}
	got := start("/i/main/flows/ask/run", url.Values{"in.question": {"why not"}})
	if got.status != http.StatusOK || !strings.Contains(got.body, "Ask") {
		t.Fatalf("it gave %d: %s", got.status, got.body)
	}
	runs, err := b.engine.Store().Runs(t.Context(), store.RunFilter{Flow: "ask"})
	b.must(err)
	b.ended(runs[0].ID)
	if page := b.get(owner, fmt.Sprintf("/i/main/runs/%d/outcome", runs[0].ID)).body; !strings.Contains(page, "<strong>Question</strong>: why not") {
		t.Errorf("the outcome is %s", page)
	}
	plan := start("/i/main/flows/changed/plan", url.Values{"in.id": {"7"}, "in.note": {"planned"}})
	if !strings.Contains(plan.body, "Nothing was written") || !strings.Contains(plan.body, "planned") {
		t.Errorf("the plan is %s", plan.body)
	}
	if runs, err := b.engine.Store().Runs(t.Context(), store.RunFilter{Flow: "changed"}); err != nil || len(runs) != 0 {
		t.Errorf("the plan made %d runs, %v", len(runs), err)
	}
	// The switch of a flow is a setting.
	b.post(owner, "/i/main/flows/changed/switch", url.Values{"on": {"false"}})
	if page := b.get(owner, "/i/main/flows").body; !strings.Contains(page, "Changed is off") || !strings.Contains(page, "Turn on Changed") {
		t.Error("the flow was not switched off")
	}
}

// A flow is run for everything that a feed tells of, and its page says how far it is.
func TestFlowsAreSwept(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.must(b.engine.Settings().Save(t.Context(), "main", map[string]any{"paper_url": "https://wrong.example", "paper_key": "a key of theirs"}))
	owner := b.as(RoleOwner)
	ask := func(method, path string, form url.Values) string {
		return b.do(owner, method, path, "application/x-www-form-urlencoded", form.Encode(), map[string]string{"HX-Request": "true"}).body
	}
	const path = "/i/main/flows/changed/sweep"
	until := func(want string) {
		t.Helper()
		said := ""
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			if said = ask(http.MethodGet, path, nil); strings.Contains(said, want) {
				return
			}
		}
		t.Fatalf("%q did not come; it says %s", want, said)
	}
	if got := b.get(owner, path); got.status != http.StatusNotFound {
		t.Errorf("before it began: %d", got.status)
	}
	ask(http.MethodPost, path, nil)
	until("Look at the address.")
	b.must(b.engine.Settings().Save(t.Context(), "main", map[string]any{"paper_url": "https://right.example"}))
	if said := ask(http.MethodPost, path, url.Values{"since": {"yesterday"}}); !strings.Contains(said, "is no day") {
		t.Errorf("a day that is none: %s", said)
	}
	ask(http.MethodPost, path, url.Values{"since": {"2026-01-31"}})
	until("5 records found, 5 of 5 done")
	b.must(b.engine.Settings().Save(t.Context(), "main", map[string]any{"listens": false}))
	if said := ask(http.MethodPost, path, nil); !strings.Contains(said, "is switched off") {
		t.Errorf("a flow that is switched off: %s", said)
	}
	if got := b.do(owner, http.MethodPost, "/i/main/flows/ask/sweep", "", "", nil); got.status != http.StatusBadRequest {
		t.Errorf("a flow without a feed: %d", got.status)
	}
}

func TestLinksAreFoundAndForgotten(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.connect("main")
	b.must(b.engine.Store().PutLinks(t.Context(), "main", store.LinkWrite{Table: "thing", Local: "5", Remote: "A-1"}, store.LinkWrite{Table: "thing", Local: "6", Remote: "A-2"}))
	owner := b.as(RoleOwner)
	for path, want := range map[string][2]string{
		"/i/main/links":            {"A-1", "No link has"},
		"/i/main/links?find=A-2":   {"Sheet 6", "A-1"},
		"/i/main/links?find=5":     {"A-1", "A-2"},
		"/i/main/links?find=%235":  {"A-1", "A-2"},
		"/i/main/links?find=other": {"No link has this record", "A-1"},
		"/i/second/links":          {"No links yet", "A-1"},
	} {
		if got := b.get(owner, path).body; !strings.Contains(got, want[0]) || strings.Contains(got, want[1]) {
			t.Errorf("%s lacks %q or has %q", path, want[0], want[1])
		}
	}
	if page := b.get(owner, "/i/main/links").body; !strings.Contains(page, `href="https://paper.example/sheet/5"`) {
		t.Error("the record's address is not there")
	}
	links, err := b.engine.Store().Links(t.Context(), store.LinkFilter{Instance: "main"})
	b.must(err)
	path := fmt.Sprintf("/i/main/links/%d/unlink", links[0].ID)
	if got := b.post(owner, path, nil); got.status != http.StatusSeeOther {
		t.Errorf("unlinking gave %d", got.status)
	}
	if got := b.post(owner, path, nil); got.status != http.StatusNotFound {
		t.Errorf("a second time gave %d", got.status)
	}
	if left, err := b.engine.Store().Links(t.Context(), store.LinkFilter{Instance: "main"}); err != nil || len(left) != 1 {
		t.Errorf("%d links are left, %v", len(left), err)
	}
}

// A table is found again, and its page says what was found.
func TestTablesAreRebuilt(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.connect("main")
	b.must(b.engine.Store().PutLinks(t.Context(), "main", store.LinkWrite{Table: "thing", Local: "20", Remote: "20"}, store.LinkWrite{Table: "thing", Local: "21", Remote: "other"}))
	owner := b.as(RoleOwner)
	const path = "/i/main/links/tables/thing/rebuild"
	if page := b.get(owner, "/i/main/links?table=thing").body; !strings.Contains(page, "Rebuild this table") {
		t.Error("the button is not there")
	}
	if got := b.get(owner, path); got.status != http.StatusNotFound {
		t.Errorf("before it began: %d", got.status)
	}
	htmx := map[string]string{"HX-Request": "true"}
	b.do(owner, http.MethodPost, path, "", "", htmx)
	said := ""
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline) && !strings.Contains(said, "written"); time.Sleep(10 * time.Millisecond) {
		said = b.do(owner, http.MethodGet, path, "", "", htmx).body
	}
	for _, want := range []string{"5 links found, 3 written, 1 as before", "here stands 21 = other (kept)"} {
		if !strings.Contains(said, want) {
			t.Errorf("it lacks %q: %s", want, said)
		}
	}
}

// A page is told when something happens in its shop, and only then.
func TestPagesAreLive(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.connect("main")
	owner := b.as(RoleOwner)
	owner.Timeout = 0
	lines := make(chan string, 100)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.server.URL+"/i/main/live", nil)
	b.must(err)
	resp, err := owner.Do(r)
	b.must(err)
	defer resp.Body.Close()
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(resp.Body); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	wait := func(want string) {
		t.Helper()
		for {
			select {
			case line, ok := <-lines:
				if !ok {
					t.Fatalf("the stream ended before %q", want)
				}
				if line == want {
					return
				}
			case <-time.After(time.Minute):
				t.Fatalf("%q did not come", want)
			}
		}
	}
	wait("event: open")
	b.run("main", map[string]any{"id": int64(1)})
	wait("event: changed")
	b.panel.EndStreams()
	for range lines {
	}
	if got := b.get(b.as(RoleViewer), "/i/main/live"); got.status != http.StatusServiceUnavailable {
		t.Errorf("after its end it gave %d", got.status)
	}
}

// The first page of an owner, all its files together, is small.
func TestFirstPageIsSmall(t *testing.T) {
	t.Parallel()
	b := setup(t, nil)
	b.connect("main")
	for i := range 10 {
		b.run("main", map[string]any{"id": int64(i + 1), "note": "fine"})
	}
	owner := b.as(RoleOwner)
	page := b.get(owner, "/i/main/")
	total, packed := len(page.body), len(page.body)
	for _, file := range []string{"panel.css", "panel.js", "htmx.min.js", "icon.svg"} {
		if !strings.Contains(page.body, file) {
			t.Errorf("the page does not load %s", file)
		}
		total += len(b.get(owner, "/assets/"+file).body)
		got := b.do(owner, http.MethodGet, "/assets/"+file, "", "", map[string]string{"Accept-Encoding": "gzip"})
		if r, err := gzip.NewReader(strings.NewReader(got.body)); err != nil || r.Close() != nil {
			t.Errorf("%s is not packed: %v", file, err)
		}
		packed += len(got.body)
	}
	t.Logf("the first page has %d bytes, %d of them on the wire", total, packed)
	if total > 100_000 {
		t.Errorf("the first page has %d bytes", total)
	}
}

// A panel whose engine does no other work still shows everything but the queue.
func TestDemoNeedsNoLogin(t *testing.T) {
	t.Parallel()
	b := setup(t, func(_ *engine.Config, c *Config) { c.Demo = true })
	c := b.browser()
	if got := b.get(c, "/"); got.header.Get("Location") != "/i/main/" {
		t.Errorf("it leads to %q", got.header.Get("Location"))
	}
	if got := b.get(c, "/i/main/"); got.status != http.StatusOK || !strings.Contains(got.body, "This is a demo") || !strings.Contains(got.body, "Set up your shop") {
		t.Errorf("it gave %d", got.status)
	}
	if path, err := b.panel.SetupPath(t.Context()); path != "" || err != nil {
		t.Errorf("the demo has a setup link %q, %v", path, err)
	}
	if got := b.get(c, "/queues/"); got.status != http.StatusOK || strings.Contains(got.body, "googleapis") || !strings.Contains(got.header.Get("Content-Security-Policy"), "'sha256-") {
		t.Errorf("the queues gave %d with %q", got.status, got.header.Get("Content-Security-Policy"))
	}
	if got := b.get(c, "/queues/api/queues"); got.status != http.StatusOK || !strings.Contains(got.body, "flowctl") {
		t.Errorf("the queues' own API gave %d: %s", got.status, got.body)
	}
}
