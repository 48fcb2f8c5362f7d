package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// chromium is one browser for all tests, started with the first that needs it.
var chromium struct {
	once sync.Once
	ctx  context.Context
	stop func()
	skip string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if chromium.stop != nil {
		chromium.stop()
	}
	os.Exit(code)
}

func startChromium() {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		chromium.skip = "**** NO BROWSER: run .ci/install for the Debian package chromium. The panel was not tried in a browser"
		return
	}
	ctx, stopAllocator := chromedp.NewExecAllocator(context.Background(), chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-dev-shm-usage", true))
	ctx, stopBrowser := chromedp.NewContext(ctx)
	chromium.stop = func() { stopBrowser(); stopAllocator() }
	chromium.ctx, chromium.err = ctx, chromedp.Do(ctx, chromedp.Navigate("about:blank"))
}

// tab is a tab of a browser of its own: it shares no cookies with others.
type tab struct {
	*testing.T
	ctx  context.Context
	base string

	mu   sync.Mutex
	said []string // by the browser's console
}

const (
	wide, high           = 1280, 900
	phoneWide, phoneHigh = 390, 844
	patience             = 60 * time.Second
)

// open opens a tab on a panel.
func open(t *testing.T, base string) *tab {
	t.Helper()
	chromium.once.Do(startChromium)
	if chromium.skip != "" {
		t.Skip(chromium.skip)
	}
	if chromium.err != nil {
		t.Fatal("starting the browser: ", chromium.err)
	}
	ctx, cancel := chromedp.NewContext(chromium.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b := &tab{T: t, ctx: ctx, base: base}
	// With the tab's own context: the one that a tab is made with ends it.
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(wide, high)); err != nil {
		t.Fatal("opening a tab: ", err)
	}
	go b.listen(chromedp.Console(ctx))
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, said := range b.said {
			t.Errorf("the browser's console says: %s", said)
		}
	})
	return b
}

// listen keeps what the browser finds wrong: errors of scripts, and all that the
// policy refused.
func (b *tab) listen(messages iter.Seq2[chromedp.ConsoleMessage, error]) {
	for message, err := range messages {
		if err != nil {
			return // the tab is closed
		}
		text := strings.TrimSpace(message.Text)
		// A page that is not there, or a form that does not fit, is meant to be.
		if message.Type != "error" && message.Type != chromedp.ConsoleException || strings.HasPrefix(text, "Failed to load resource") {
			continue
		}
		b.mu.Lock()
		b.said = append(b.said, text)
		b.mu.Unlock()
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.Fatalf("%v\non %s:\n%.3000s", err, b.text("location.href"), b.text("document.body.innerText"))
	}
}

// text evaluates an expression whose value is a text; what fails is the text.
func (b *tab) text(expression string) string {
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	s, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		return err.Error()
	}
	return s
}

func (b *tab) size(width, height int64) {
	b.Helper()
	b.do(chromedp.EmulateViewport(width, height))
}

// visit opens a path of the panel.
func (b *tab) visit(path string) {
	b.Helper()
	b.do(chromedp.Navigate(b.base + path))
}

// click clicks what a selector finds, once it can be seen.
func (b *tab) click(selector string) {
	b.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// press clicks the button or link with this text. A page that replaced it in this
// very moment has another one.
func (b *tab) press(words string) {
	b.Helper()
	found := fmt.Sprintf(`[...document.querySelectorAll("button, a, summary")].find(e => e.innerText.trim() === %s && !e.disabled && e.offsetParent)`, quoted(words))
	for try := 1; ; try++ {
		b.until("a button "+words, found)
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		err := chromedp.Do(ctx, chromedp.Click(chromedp.JSPath(found)))
		cancel()
		if err == nil {
			return
		}
		if try == 5 || !strings.Contains(err.Error(), "node") {
			b.Fatalf("pressing %s: %v", words, err)
		}
	}
}

// fill types a text into a field, in place of what is there.
func (b *tab) fill(selector, text string) {
	b.Helper()
	b.until("the field "+selector, fmt.Sprintf(`document.querySelector(%s)?.offsetParent`, quoted(selector)))
	b.until("the field "+selector, fmt.Sprintf(`(e => { e.focus(); e.select(); return document.activeElement === e })(document.querySelector(%s))`, quoted(selector)))
	b.do(chromedp.SendKeys(chromedp.CSS(selector), text))
	b.until("the text "+text, fmt.Sprintf(`document.querySelector(%s).value === %s`, quoted(selector), quoted(text)))
}

// choose picks an option by its value.
func (b *tab) choose(selector, value string) {
	b.Helper()
	b.until("the option "+value, fmt.Sprintf(`(e => { e.value = %s; e.dispatchEvent(new Event("input", {bubbles: true})); e.dispatchEvent(new Event("change", {bubbles: true})); return e.value === %[1]s })(document.querySelector(%s))`, quoted(value), quoted(selector)))
}

// see waits until the page has a text.
func (b *tab) see(words string) {
	b.Helper()
	b.until(words, fmt.Sprintf(`document.body && document.body.innerText.includes(%s)`, quoted(words)))
}

// until waits for a condition.
func (b *tab) until(what, condition string) {
	b.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+condition+")"))
		cancel()
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) {
			b.Fatalf("%s did not come (%v)\non %s:\n%.3000s", what, err, b.text("location.href"), b.text("document.body.innerText"))
		}
	}
}

// sure answers every question of the page with yes.
func (b *tab) sure() {
	b.Helper()
	b.do(chromedp.Steps(), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("window.confirm = () => true, true"))
		return err
	}))
}

// noScrolling tells when the page is wider than its window.
func (b *tab) noScrolling(what string, width int) {
	b.Helper()
	if got := b.text(fmt.Sprintf(`document.documentElement.scrollWidth > %[1]d ? [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > %[1]d + 1).slice(0, 5).map(e => e.outerHTML.slice(0, 120)).join("\n") || "the page" : ""`, width)); got != "" {
		b.Errorf("%s is wider than its window: %s", what, got)
	}
}

// light sets light or dark.
func (b *tab) light(scheme string) {
	b.Helper()
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}))
}

// screens is where pictures of the pages go.
func screens(t *testing.T) string {
	t.Helper()
	folder, err := filepath.Abs(filepath.Join("..", "..", "..", "build", "screens"))
	if err == nil {
		err = os.MkdirAll(folder, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// shoot keeps a picture of the whole page.
func (b *tab) shoot(name string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.Fatal("the picture: ", err)
	}
	if err := os.WriteFile(filepath.Join(screens(b.T), name+".png"), png, 0o644); err != nil {
		b.Fatal(err)
	}
}

// axe is the source of axe-core, "" where it is not installed.
var axe = sync.OnceValue(func() string {
	folder := os.Getenv("FLOWCTL_NODE")
	if folder == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return ""
		}
		folder = filepath.Join(cache, "flowctl", "node")
	}
	source, err := os.ReadFile(filepath.Join(folder, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		return ""
	}
	return string(source)
})

// accessible asks axe about the page; serious and critical findings fail.
func (b *tab) accessible(what string) {
	b.Helper()
	if axe() == "" {
		b.Log("**** NO AXE: run .ci/install for the npm package axe-core. Accessibility was not checked")
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](axe()+"; true")); err != nil {
		b.Fatal("axe: ", err)
	}
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations.map(v => ({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 4).map(n => n.html.slice(0, 200) + " " + n.failureSummary)}))))`, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatal("axe: ", err)
	}
	var found []struct {
		ID, Impact, Help string
		Nodes            []string
	}
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		b.Fatal("axe said ", text)
	}
	for _, v := range found {
		report := b.Logf
		if v.Impact == "serious" || v.Impact == "critical" {
			report = b.Errorf
		}
		report("%s: %s (%s): %s\n  %s", what, v.ID, v.Impact, v.Help, strings.Join(v.Nodes, "\n  "))
	}
}

func quoted(s string) string {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err) // a text always encodes
	}
	return string(data)
}
