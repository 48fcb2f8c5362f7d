package behaviour

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/event"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/flows"

	_ "github.com/flowctl/flowctl/connectors/http"
	_ "github.com/flowctl/flowctl/connectors/mail"
	_ "github.com/flowctl/flowctl/connectors/odoo"
	odoosandbox "github.com/flowctl/flowctl/connectors/odoo/sandbox"
	_ "github.com/flowctl/flowctl/connectors/woocommerce"
)

// world is a shop, an Odoo and the engine with all shipped flows between them.
type world struct {
	*testing.T
	*demo.World
	ctx context.Context
}

// start makes a world that ends with the test. Settings are over the app's
// defaults, as text.
func start(t *testing.T, settings map[string]string) *world {
	t.Helper()
	return startWith(t, demo.Options{Settings: settings})
}

// startWith is start for a shop or an Odoo of another kind.
func startWith(t *testing.T, options demo.Options) *world {
	t.Helper()
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	if options.Flows == nil {
		options.Flows, options.FlowsName = flows.Files, "flows"
	}
	if options.Roles == nil {
		// Tests announce what feeds would find, so that nothing runs by itself.
		options.Roles = []engine.Role{engine.RoleIngress, engine.RoleWorker}
	}
	options.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	w, err := demo.Start(ctx, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return &world{T: t, World: w, ctx: ctx}
}

// settle waits until no webhook is on its way and no run is open.
func (w *world) settle() {
	w.Helper()
	if err := w.Settle(w.ctx, nil); err != nil {
		w.Fatal(err)
	}
}

// announce is an event as a webhook or a feed brings it, worked off.
func (w *world) announce(name string, payload map[string]any) {
	w.Helper()
	if _, err := w.Engine.Accept(w.ctx, event.Incoming{Instance: w.Instance, Source: "feed", Name: name, Payload: payload}); err != nil {
		w.Fatal(err)
	}
	w.settle()
}

// run starts a flow by hand and returns its run when it has ended.
func (w *world) run(flow string, input map[string]any) store.Run {
	w.Helper()
	id, err := w.Engine.StartFlow(w.ctx, flow, w.Instance, input)
	if err != nil {
		w.Fatal(err)
	}
	w.settle()
	r, err := w.Engine.Store().Run(w.ctx, id)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

// runs are a flow's runs, newest first.
func (w *world) runs(flow string) []store.Run {
	w.Helper()
	runs, err := w.Engine.Store().Runs(w.ctx, store.RunFilter{Instance: w.Instance, Flow: flow})
	if err != nil {
		w.Fatal(err)
	}
	// What arrived while a run was worked that is held now went to that run.
	return slices.DeleteFunc(runs, func(r store.Run) bool { return strings.HasPrefix(r.Reason, "its event went to run") })
}

// last is the newest run of a flow, which must have ended in this state.
func (w *world) last(flow string, state store.State) store.Run {
	w.Helper()
	runs := w.runs(flow)
	if len(runs) == 0 {
		w.Fatalf("%s never ran", flow)
	}
	if runs[0].State != state {
		w.Fatalf("%s is %s, not %s: %s", flow, runs[0].State, state, runs[0].Reason)
	}
	return runs[0]
}

// shop calls an operation of the shop as a shopkeeper would, and returns its
// answer.
func (w *world) shop(operation string, params map[string]any) map[string]any {
	w.Helper()
	return w.call("woocommerce", operation, params)
}

// odoo calls an operation of Odoo as a user of it would.
func (w *world) odoo(operation string, params map[string]any) map[string]any {
	w.Helper()
	return w.call("odoo", operation, params)
}

func (w *world) call(connection, operation string, params map[string]any) map[string]any {
	w.Helper()
	out, err := w.Call(w.ctx, connection, operation, params)
	if err != nil {
		w.Fatalf("%s.%s: %v", connection, operation, err)
	}
	return out
}

// quiet forgets the requests that both systems have seen so far.
func (w *world) quiet() {
	w.Shop.ForgetRequests()
	w.ERP.ForgetRequests()
}

// writes counts the writes that both systems have seen since quiet.
func (w *world) writes() (shop, odoo int) {
	return w.Shop.Writes(), odooWrites(w.ERP)
}

// odooReads are the methods of Odoo's that change nothing.
var odooReads = map[string]bool{
	"search": true, "search_read": true, "search_count": true, "read": true, "fields_get": true, "context_get": true,
	"read_group": true, "formatted_read_group": true, "name_search": true, "has_group": true, "check_access": true,
	"check_access_rights": true, "address_get": true,
}

func odooWrites(erp *odoosandbox.ERP) int {
	total := 0
	for call, n := range erp.Requests() {
		if call.Service == "object" && !odooReads[call.Method] && !strings.HasPrefix(call.Method, "get_") {
			total += n
		}
	}
	return total
}

// silent checks that neither system was written to since quiet.
func (w *world) silent(when string) {
	w.Helper()
	if shop, odoo := w.writes(); shop != 0 || odoo != 0 {
		w.Errorf("%s: %d writes in the shop, %d in Odoo", when, shop, odoo)
	}
}
