package browser

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/flows"
)

// world is a shop, an Odoo and a panel that is open to this machine.
type world struct {
	*demo.World
	articles []int64
}

func start(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	w, err := demo.Start(ctx, demo.Options{
		Flows: flows.Files, FlowsName: "flows", Panel: true, Currency: "EUR", Roles: []engine.Role{engine.RoleIngress, engine.RoleWorker, engine.RolePanel},
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	articles, err := w.Open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return &world{w, articles}
}

// buy places orders and waits until they are worked off.
func (w *world) buy(t *testing.T, n int, seed uint64) []int64 {
	t.Helper()
	ids, err := w.Shopping(t.Context(), n, w.articles, seed)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Settle(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return ids
}

// withoutJournal makes paid orders need a person.
func (w *world) withoutJournal(t *testing.T) {
	t.Helper()
	if err := w.Engine.Settings().Save(t.Context(), w.Instance, map[string]any{"payment_journal": nil, "payment_journals": nil}); err != nil {
		t.Fatal(err)
	}
}

// imported is a run that has made a sale order.
func (w *world) imported(t *testing.T) int64 {
	t.Helper()
	runs, err := w.Engine.Store().Runs(t.Context(), store.RunFilter{Instance: w.Instance, Flow: "webhook-order-created", States: []store.State{store.Succeeded}, Limit: 1})
	if err != nil || len(runs) == 0 {
		t.Fatal("no order was imported: ", err)
	}
	return runs[0].ID
}

// An order shows on an open page by itself, and the overview counts it.
func TestAnOrderArrivesLive(t *testing.T) {
	w := start(t)
	b := open(t, w.EngineURL)
	b.visit("/i/main/activity")
	b.see("All states")
	other := open(t, w.EngineURL)
	other.visit("/")
	other.see("Your shop is in step")
	ids := w.buy(t, 1, 7)
	b.see(fmt.Sprintf("order %d", ids[0]))
	b.see("Webhook Order Created")
	b.see("Done")
	other.see(fmt.Sprintf("order %d", ids[0]))
	b.click(fmt.Sprintf(`a.what[href="/i/main/runs/%d"]`, w.imported(t)))
	b.see("sale_order.create")
	b.see(fmt.Sprintf("Order %d", ids[0]))
	if href := b.text(`[...document.querySelectorAll("a")].find(a => a.innerText.trim().startsWith("Sale order")).href`); !strings.Contains(href, w.OdooURL) || !strings.Contains(href, "model=sale.order") {
		t.Errorf("the sale order is at %q", href)
	}
	b.press("From the start")
	b.see("done again from the start")
}

// What needs a person says what to do; done, everything is tried again at once.
func TestAHeldRunIsResolved(t *testing.T) {
	w := start(t)
	w.withoutJournal(t)
	w.buy(t, 3, 5)
	b := open(t, w.EngineURL)
	b.visit("/")
	b.see("need you")
	b.press("See what needs you")
	b.see("What to do:")
	b.see("Payment Journal")
	b.shoot("held")
	b.visit("/i/main/settings/configuration")
	option := b.text(`[...document.querySelectorAll("#f-payment_journal option")].find(o => o.innerText.includes("Bank"))?.value || ""`)
	if option == "" {
		t.Fatalf("no bank is offered: %s", b.text(`document.querySelector("#f-payment_journal").outerHTML`))
	}
	b.choose("#f-payment_journal", option)
	b.press("Save")
	b.see("Saved.")
	b.visit("/i/main/needs")
	if n := b.text(`String([...document.querySelectorAll("button")].filter(e => e.innerText.startsWith("Try all")).length)`); n == "1" {
		b.click(".cause .main-act")
	} else {
		b.press("Try again")
	}
	b.see("Nothing needs you")
	if err := w.Settle(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	counts, err := w.Engine.Store().Counts(t.Context(), w.Instance)
	if err != nil || counts[store.Held] != 0 || counts[store.Failed] != 0 {
		t.Errorf("the counts are %v, %v", counts, err)
	}
}

// A run that nobody wants is ignored with a reason.
func TestARunIsIgnored(t *testing.T) {
	w := start(t)
	w.withoutJournal(t)
	w.buy(t, 1, 5)
	b := open(t, w.EngineURL)
	b.visit("/i/main/needs")
	b.press("Ignore")
	b.fill("input[name=reason]", "paid in cash")
	b.press("Ignore for good")
	b.see("1 run is ignored")
	b.see("Nothing needs you")
	b.visit("/i/main/activity?state=cancelled")
	b.see("paid in cash (demo)")
}

func TestALinkIsUnlinked(t *testing.T) {
	w := start(t)
	ids := w.buy(t, 1, 3)
	b := open(t, w.EngineURL)
	b.visit("/i/main/links")
	b.fill("input[name=find]", fmt.Sprint(ids[0]))
	b.choose("select[name=table]", "sale_order")
	b.press("Look up")
	b.until("what was looked up", `location.search.includes("find=") && document.readyState === "complete"`)
	b.see(fmt.Sprintf("Order %d", ids[0]))
	b.sure()
	b.press("Unlink")
	b.see("Both records stay as they are")
	b.see("No link has this record")
	link, err := w.Engine.Store().FindLink(t.Context(), w.Instance, store.LinkKey{Table: "sale_order", Side: store.Remote, Value: fmt.Sprint(ids[0])})
	if err != nil || link != nil {
		t.Errorf("the link is %+v, %v", link, err)
	}
}

// A flow is tried without effect, then run, from its page.
func TestAFlowIsPlannedAndRun(t *testing.T) {
	w := start(t)
	ids := w.buy(t, 1, 3)
	b := open(t, w.EngineURL)
	b.visit("/i/main/flows/webhook-order-created")
	b.fill("#in-id", fmt.Sprint(ids[0]))
	b.press("What would it do?")
	b.see("Nothing was written")
	b.press("Run now")
	b.see("Webhook Order Created: nothing to do")
	b.visit("/i/main/flows")
	b.see("Turn off")
	b.click(`button[aria-label="Turn off Webhook Order Created"]`)
	b.see("Webhook Order Created is off.")
	b.click(`button[aria-label="Turn on Webhook Order Created"]`)
	b.see("Webhook Order Created is on.")
}

// Products go to the shop by a button, and its answer tells how far that is.
func TestProductsAreSynced(t *testing.T) {
	w := start(t)
	b := open(t, w.EngineURL)
	b.visit("/i/main/settings/connection")
	b.press("Sync products")
	b.see("Products is switched off.")
	b.visit("/i/main/settings/features")
	b.click("#f-sync_products")
	b.press("Save")
	b.see("Saved.")
	b.visit("/i/main/settings/connection")
	b.press("Sync products")
	b.see("found")
	b.until("the end", `document.querySelector("#answer .notice") && !document.querySelector("#answer .notice.busy")`)
	if said := b.text(`document.querySelector("#answer").innerText`); !strings.Contains(said, "done") || strings.Contains(said, " 0 of") || strings.Contains(said, "need") {
		t.Errorf("it says: %s", said)
	}
	b.shoot("products-synced")
	runs, err := w.Engine.Store().Runs(t.Context(), store.RunFilter{Instance: w.Instance, Flow: "products"})
	if err != nil || len(runs) == 0 {
		t.Errorf("%d runs, %v", len(runs), err)
	}
}

// Every page in its pictures: wide, dark, on a phone, with axe's word on each, and
// with nothing that the policy refused.
func TestEveryPage(t *testing.T) {
	w := start(t)
	w.buy(t, 4, 1)
	w.withoutJournal(t)
	w.buy(t, 2, 2)
	pages := map[string]string{
		"overview": "/i/main/", "needs": "/i/main/needs", "activity": "/i/main/activity", "run": fmt.Sprintf("/i/main/runs/%d", w.imported(t)), "flows": "/i/main/flows",
		"flow": "/i/main/flows/webhook-order-created", "links": "/i/main/links", "account": "/account", "missing": "/nothing",
		"connection": "/i/main/settings/connection", "configuration": "/i/main/settings/configuration", "features": "/i/main/settings/features", "monitor": "/i/main/settings/monitor",
	}
	b := open(t, w.EngineURL)
	for name, path := range pages {
		b.size(wide, high)
		b.light("light")
		b.visit(path)
		b.until("the scripts", `document.readyState === "complete"`)
		b.accessible(name)
		b.noScrolling(name, wide)
		b.shoot(name)
		b.light("dark")
		b.accessible(name + " in the dark")
		b.shoot(name + "-dark")
		b.light("light")
		b.size(phoneWide, phoneHigh)
		b.visit(path)
		b.until("the scripts", `document.readyState === "complete"`)
		b.noScrolling(name+" on a phone", phoneWide)
		b.shoot(name + "-phone")
	}
	b.size(wide, high)
	b.visit("/queues/")
	b.see("Queue Size")
	b.see("flowctl")
	b.shoot("queues")
}
