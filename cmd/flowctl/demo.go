package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/cmd/flowctl/demo"
	"github.com/flowctl/flowctl/engine/store"
)

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "a simulated shop and Odoo with the whole app between them; no service needed",
		Description: "Shoppers buy, webhooks arrive, sale orders appear in Odoo. Nothing outside this process is touched,\n" +
			"unless --real puts your own Odoo (FLOWCTL_ODOO_URL, _DB, _LOGIN, _API_KEY) in the simulated one's place:\n" +
			"then products, taxes, pricelists, contacts and sale orders are made there.\n\n" +
			"Example: flowctl demo --orders 25",
		Flags: []cli.Flag{
			flowsFlag(),
			instanceFlag(),
			&cli.IntFlag{Name: "orders", Value: 25, Usage: "orders that shoppers place"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "the same seed makes the same carts"},
			&cli.PathFlag{Name: "cases", Usage: "instead of shopping, load every order file (*.json) of this folder"},
			&cli.IntFlag{Name: "odoo-version", Value: 18, Usage: "of the simulated Odoo: 18 or 19"},
			&cli.IntFlag{Name: "price-digits", Value: 2, Usage: "its Product Price precision"},
			&cli.BoolFlag{Name: "real", Usage: "write to the Odoo of FLOWCTL_ODOO_*"},
			&cli.StringFlag{Name: "redis-url", EnvVars: []string{"FLOWCTL_REDIS_URL"}, Usage: "redis://…; without it one within this process"},
			&cli.BoolFlag{Name: "keep", Usage: "keep shop, Odoo and engine running until Ctrl-C"},
			&cli.BoolFlag{Name: "json", Usage: "print the result as JSON"},
			&cli.DurationFlag{Name: "timeout", Value: 10 * time.Minute, Usage: "give up after this long"},
			&cli.StringFlag{Name: "log-level", EnvVars: []string{"FLOWCTL_LOG_LEVEL"}, Value: "off", Usage: "off, debug, info, warn or error"},
		},
		Action: runDemo,
	}
}

func runDemo(c *cli.Context) error {
	if c.Int("orders") < 1 {
		return failure(exitUsage, "--orders needs at least one order")
	}
	if v := c.Int("odoo-version"); v != 18 && v != 19 {
		return failure(exitUsage, "--odoo-version: the simulated Odoo is 18 or 19, not %d", v)
	}
	options := demo.Options{
		OdooVersion: c.Int("odoo-version"), PriceDigits: c.Int("price-digits"), RedisURL: c.String("redis-url"),
		Instance: c.String("instance"), Settings: map[string]string{}, Log: slog.New(slog.DiscardHandler), Panel: true,
	}
	if c.String("log-level") != "off" {
		log, err := newLog(c)
		if err != nil {
			return err
		}
		options.Log = log
	}
	options.Flows, options.FlowsName = flowsFolder(c)
	if c.Bool("real") {
		if err := useRealOdoo(c, &options); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(c.Context, c.Duration("timeout"))
	defer cancel()
	if folder := c.Path("cases"); folder != "" {
		return demoCases(ctx, c, options, folder)
	}
	options.Currency = "EUR" // the shop's: prices of products can be told without a pricelist
	return demoShopping(ctx, c, options)
}

// useRealOdoo puts the Odoo of the environment in the simulated one's place. The
// instance gets a name of its own unless the user gave one, so that a second demo
// does not meet the orders of the first.
func useRealOdoo(c *cli.Context, options *demo.Options) error {
	real := &demo.RealOdoo{
		URL: os.Getenv("FLOWCTL_ODOO_URL"), Database: os.Getenv("FLOWCTL_ODOO_DB"), Login: os.Getenv("FLOWCTL_ODOO_LOGIN"),
		APIKey: os.Getenv("FLOWCTL_ODOO_API_KEY"), Password: os.Getenv("FLOWCTL_ODOO_PASSWORD"),
	}
	if real.URL == "" || real.Database == "" || real.Login == "" || real.APIKey == "" && real.Password == "" {
		return failure(exitSetting, "--real needs FLOWCTL_ODOO_URL, FLOWCTL_ODOO_DB, FLOWCTL_ODOO_LOGIN and FLOWCTL_ODOO_API_KEY (or _PASSWORD)")
	}
	options.Real = real
	if !c.IsSet("instance") {
		options.Instance = "demo-" + time.Now().UTC().Format("20060102-150405.000")
	}
	return nil
}

// shoppingReport is what demo --json prints.
type shoppingReport struct {
	OrdersPlaced int     `json:"orders_placed"`
	OrdersInOdoo int     `json:"orders_in_odoo"`
	TotalsEqual  int     `json:"totals_equal"`
	Duplicates   int     `json:"duplicates"`
	Seconds      float64 `json:"seconds"`
}

func demoShopping(ctx context.Context, c *cli.Context, options demo.Options) error {
	say := progressWriter(c)
	fmt.Fprintln(say, "Starting a simulated shop, Odoo and the engine ...")
	world, err := demo.Start(ctx, options)
	if err != nil {
		return err
	}
	defer closeWorld(c, world)
	fmt.Fprintf(say, "The panel: %s\n", world.EngineURL)
	articles, err := world.Open(ctx)
	if err != nil {
		return err
	}
	started := time.Now()
	fmt.Fprintf(say, "%d shoppers' orders ...\n", c.Int("orders"))
	orders, err := world.Shopping(ctx, c.Int("orders"), articles, c.Uint64("seed"))
	if err != nil {
		return err
	}
	if err := world.Settle(ctx, settleProgress(c)); err != nil {
		return err
	}
	seconds := time.Since(started).Seconds()
	outcomes, err := world.Outcomes(ctx, orders)
	if err != nil {
		return err
	}
	report := shoppingReport{OrdersPlaced: len(orders), Seconds: float64(int(seconds*100)) / 100}
	for _, o := range outcomes {
		if o.Copies > 0 {
			report.OrdersInOdoo++
			report.Duplicates += o.Copies - 1
		}
		if o.Equal() {
			report.TotalsEqual++
		}
	}
	if c.Bool("json") {
		if err := printJSON(c.App.Writer, report); err != nil {
			return err
		}
	} else if err := printShopping(c.App.Writer, report, outcomes); err != nil {
		return err
	}
	if err := keep(c, world); err != nil {
		return err
	}
	if report.OrdersInOdoo != report.OrdersPlaced || report.TotalsEqual != report.OrdersPlaced || report.Duplicates > 0 {
		return &exitError{code: exitHeld}
	}
	return nil
}

func printShopping(w io.Writer, report shoppingReport, outcomes []demo.Outcome) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "Order\tShop total\tTax\tIn Odoo\tOdoo total\tTax\tState\t")
	for _, o := range outcomes {
		fmt.Fprintf(table, "#%s\t%s %s\t%s\t%s\t%s %s\t%s\t%s\t\n", o.Number,
			o.ShopTotal.StringFixed(2), o.Currency, o.ShopTax.StringFixed(2),
			orDash(o.Name), o.OdooTotal.StringFixed(2), o.Currency, o.OdooTax.StringFixed(2), verdictText(o))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d orders placed, %d in Odoo, %d with equal totals, %d duplicates, %.1f s.\n\n"+
		"Look further:\n"+
		"  flowctl demo --keep                 the same, and everything stays up, with the panel to look at\n"+
		"  flowctl demo --odoo-version 19      an Odoo that keeps tax to the cent as well\n"+
		"  flowctl validate flows              the flows that did this, checked\n"+
		"  flows/webhook-order-created.yaml    the flow itself: change it and run the demo again\n",
		report.OrdersPlaced, report.OrdersInOdoo, report.TotalsEqual, report.Duplicates, report.Seconds)
	return err
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func verdictText(o demo.Outcome) string {
	if o.Run == store.Succeeded {
		return o.State
	}
	return string(o.Run) + ": " + o.Reason
}

// caseReport is a row of demo --cases --json.
type caseReport struct {
	Case      string `json:"case"`
	ShopTotal string `json:"shop_total"`
	ShopTax   string `json:"shop_tax"`
	OdooTotal string `json:"odoo_total"`
	OdooTax   string `json:"odoo_tax"`
	Verdict   string `json:"verdict"` // equal, held or differs
	Reason    string `json:"reason,omitempty"`
}

func demoCases(ctx context.Context, c *cli.Context, options demo.Options, folder string) error {
	cases, err := demo.ReadCases(folder)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	// The cases are imported in whatever status they were recorded.
	if options.Settings["order_statuses"], err = demo.CaseStatuses(cases); err != nil {
		return &exitError{exitUsage, err}
	}
	world, err := demo.Start(ctx, options)
	if err != nil {
		return err
	}
	defer closeWorld(c, world)
	ids, err := world.Import(ctx, cases)
	if err != nil {
		return err
	}
	if err := world.Settle(ctx, settleProgress(c)); err != nil {
		return err
	}
	outcomes, err := world.Outcomes(ctx, ids)
	if err != nil {
		return err
	}
	rows := make([]caseReport, len(cases))
	allEqual := true
	for i, o := range outcomes {
		rows[i] = caseReport{
			Case: cases[i].Name, ShopTotal: o.ShopTotal.String(), ShopTax: o.ShopTax.String(),
			OdooTotal: o.OdooTotal.String(), OdooTax: o.OdooTax.String(), Verdict: verdict(o),
		}
		if rows[i].Verdict != "equal" {
			rows[i].Reason = o.Reason
			allEqual = false
		}
	}
	if c.Bool("json") {
		err = printJSON(c.App.Writer, rows)
	} else {
		err = printCases(c.App.Writer, rows)
	}
	if err != nil {
		return err
	}
	if err := keep(c, world); err != nil {
		return err
	}
	if !allEqual {
		return &exitError{code: exitHeld}
	}
	return nil
}

// verdict says whether the shop's total stands in Odoo. An order that was held is
// one that a person was asked about; anything else that is not equal differs.
func verdict(o demo.Outcome) string {
	switch {
	case o.Run == store.Held:
		return "held"
	case o.Equal() && o.Copies == 1:
		return "equal"
	}
	return "differs"
}

func printCases(w io.Writer, rows []caseReport) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "Case\tShop total\tTax\tOdoo total\tTax\tVerdict\t")
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t\n", r.Case, r.ShopTotal, r.ShopTax, r.OdooTotal, r.OdooTax, r.Verdict)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, r := range rows {
		if r.Reason != "" {
			if _, err := fmt.Fprintf(w, "\n%s: %s\n", r.Case, r.Reason); err != nil {
				return err
			}
		}
	}
	return nil
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// progressWriter is where words for a person who waits go.
func progressWriter(c *cli.Context) io.Writer {
	if c.Bool("json") {
		return io.Discard
	}
	return c.App.ErrWriter
}

// settleProgress tells how far the imports are, on a terminal only.
func settleProgress(c *cli.Context) func(done, open int) {
	f, ok := c.App.ErrWriter.(*os.File)
	if c.Bool("json") || !ok || !isatty.IsTerminal(f.Fd()) {
		return nil
	}
	return func(done, open int) {
		fmt.Fprintf(f, "\r%d runs done, %d to go   ", done, open)
		if open == 0 {
			fmt.Fprint(f, "\r                              \r")
		}
	}
}

func keep(c *cli.Context, world *demo.World) error {
	if !c.Bool("keep") {
		return nil
	}
	_, err := fmt.Fprintf(c.App.ErrWriter, "The panel: %s\nShop %s (keys ck_sandbox, cs_sandbox), Odoo %s, webhooks at %s/hooks/%s/woocommerce.\nCtrl-C ends it.\n",
		world.EngineURL, world.ShopURL, world.OdooURL, world.EngineURL, world.Instance)
	if err != nil {
		return err
	}
	<-c.Context.Done()
	return nil
}

func closeWorld(c *cli.Context, world *demo.World) {
	if err := world.Close(); err != nil {
		fmt.Fprintf(c.App.ErrWriter, "flowctl: ending the demo: %v\n", err)
	}
}
