//go:build linux

package chaos

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	odoosandbox "github.com/flowctl/flowctl/connectors/odoo/sandbox"
	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine/store"
	"github.com/flowctl/flowctl/engine/store/storetest"
)

const (
	instance      = "main"
	webhookSecret = "a secret of the chaos shop"
	// lease is short, so that a test need not wait long for what a dead worker
	// left; requestTimeout likewise for answers that never come.
	lease          = 2 * time.Second
	requestTimeout = 800 * time.Millisecond
)

// database is where all processes of a test keep their state.
type database struct {
	name string
	url  string
	// crash ends the database server and starts it again; nil where there is none.
	crash func()
}

// databases are those that a test runs on: start brings up what the databases of
// a test share, and gives what makes one. PostgreSQL's test is skipped where it is
// not installed.
var databases = []struct {
	name  string
	start func(t *testing.T) (make func(t *testing.T) database)
}{
	{"SQLite", func(*testing.T) func(*testing.T) database {
		return func(t *testing.T) database {
			return database{name: "SQLite", url: "sqlite:" + filepath.Join(t.TempDir(), "flowctl.db")}
		}
	}},
	{"PostgreSQL", func(t *testing.T) func(*testing.T) database {
		server := storetest.StartPostgres(t)
		return func(t *testing.T) database {
			d := database{name: "PostgreSQL", url: server.Schema(t)}
			if server.Private() {
				d.crash = func() {
					server.Kill()
					server.Start(t)
				}
			}
			return d
		}
	}},
}

// onEach runs a test on each database.
func onEach(t *testing.T, test func(t *testing.T, make func(t *testing.T) database)) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			test(t, d.start(t))
		})
	}
}

// world is a simulated shop and Odoo, and the processes between them.
type world struct {
	t         *testing.T
	chance    chance
	shop      *shopsandbox.Shop
	erp       *odoosandbox.ERP
	shopURL   string
	odooURL   string
	redis     *redisServer
	database  database
	processes []*process
	articles  []article
	// environment of the processes.
	environment []string
	store       store.Store // the test's own look into the database
}

// setup makes a world with so many processes, all of them up.
func setup(t *testing.T, d database, chance chance, processes int, environment ...string) *world {
	t.Helper()
	w := &world{t: t, chance: chance, database: d, redis: startRedis(t)}
	settings := shopsandbox.DefaultSettings()
	settings.Country, settings.Timezone, settings.PricesIncludeTax = "DE", "Europe/Berlin", true
	settings.TaxClasses = []string{"reduced-rate"}
	w.shop = shopsandbox.New(shopsandbox.Options{Settings: &settings})
	var err error
	if w.shopURL, err = w.shop.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, w.shop.Close()) })
	w.erp = odoosandbox.New(odoosandbox.Options{Currency: "EUR"})
	if w.odooURL, err = w.erp.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, w.erp.Close()) })
	w.stock()
	w.environment = append(w.variables(t), environment...)
	for range processes {
		w.join()
	}
	if w.store, err = store.Open(context.Background(), d.url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, w.store.Close()) })
	return w
}

// variables configure a process for the world.
func (w *world) variables(t *testing.T) []string {
	given := w.erp.Options()
	return []string{
		"FLOWCTL_SHOP_URL=" + w.shopURL, "FLOWCTL_CONSUMER_KEY=ck_sandbox", "FLOWCTL_CONSUMER_SECRET=cs_sandbox",
		"FLOWCTL_WEBHOOK_SECRET=" + webhookSecret,
		"FLOWCTL_ODOO_URL=" + w.odooURL, "FLOWCTL_ODOO_DB=" + given.Database, "FLOWCTL_ODOO_LOGIN=" + given.Login,
		"FLOWCTL_ODOO_API_KEY=" + given.APIKey,
		"FLOWCTL_DATABASE_URL=" + w.database.url, "FLOWCTL_REDIS_URL=" + w.redis.url(), "FLOWCTL_DATA=" + t.TempDir(),
		"FLOWCTL_LEASE=" + lease.String(), "FLOWCTL_REQUEST_TIMEOUT=" + requestTimeout.String(),
		"FLOWCTL_UNCLEAR_WAIT=300ms", "FLOWCTL_LATE_WAIT=1s", "FLOWCTL_PAYMENT_JOURNAL=" + w.bank(),
		// With every fifth request failing, an import of ten requests fails nine
		// times out of ten: many short attempts stand for the day that the default gives.
		"FLOWCTL_RETRY_BACKOFF=" + strings.TrimSuffix(strings.Repeat("100ms,200ms,400ms,", 100), ","),
	}
}

// join starts one more process.
func (w *world) join() *process {
	w.t.Helper()
	p := startProcess(w.t, "process "+string(rune('A'+len(w.processes))), w.environment)
	w.processes = append(w.processes, p)
	return p
}

func closed(t *testing.T, err error) {
	if err != nil {
		t.Error("cleaning up:", err)
	}
}

// counts are the runs by state. The database may be away for a moment.
func (w *world) counts() map[store.State]int {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		counts, err := w.store.Counts(ctx, instance)
		if err == nil {
			return counts
		}
		select {
		case <-ctx.Done():
			w.t.Fatal(err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func open(counts map[store.State]int) int {
	return counts[store.Waiting] + counts[store.Running] + counts[store.Retrying]
}

// runs lists all runs, newest first.
func (w *world) runs(filter store.RunFilter) []store.Run {
	w.t.Helper()
	filter.Instance, filter.Limit = instance, store.MaxPage
	var all []store.Run
	for {
		page, err := w.store.Runs(context.Background(), filter)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, page...)
		if len(page) < store.MaxPage {
			return all
		}
		filter.Before = page[len(page)-1].ID
	}
}
