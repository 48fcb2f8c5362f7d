package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine/event"
)

// Case is a real order, as a file of a case folder holds it.
type Case struct {
	Name    string            `json:"-"` // the file's, without .json
	Order   json.RawMessage   `json:"order"`
	OrderD6 json.RawMessage   `json:"order_dp6"` // the same with ?dp=6; may be absent
	Refunds []json.RawMessage `json:"refunds"`
}

// ReadCases reads every .json file of a folder, by name.
func ReadCases(folder string) ([]Case, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("listing the cases: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there are no .json files in %s", folder)
	}
	slices.Sort(files)
	cases := make([]Case, 0, len(files))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading a case: %w", err)
		}
		c := Case{Name: strings.TrimSuffix(filepath.Base(file), ".json")}
		if err := json.Unmarshal(data, &c); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if len(c.Order) == 0 {
			return nil, fmt.Errorf("%s has no order", file)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

// caseOrder is what of an order the seeding needs to know.
type caseOrder struct {
	ID               int64  `json:"id"`
	Status           string `json:"status"`
	Currency         string `json:"currency"`
	PricesIncludeTax bool   `json:"prices_include_tax"`
	LineItems        []struct {
		Name string `json:"name"`
		SKU  string `json:"sku"`
	} `json:"line_items"`
	TaxLines []struct {
		Percent json.Number `json:"rate_percent"`
	} `json:"tax_lines"`
}

// Import loads the cases into the shop, makes in Odoo what they need to be
// imported (products by SKU, taxes by rate, currency and pricelist), and announces
// each order. It returns the orders' ids in the order of the cases.
func (w *World) Import(ctx context.Context, cases []Case) ([]int64, error) {
	ids := make([]int64, len(cases))
	taken := map[int64]bool{}
	for i, c := range cases {
		var order caseOrder
		if err := json.Unmarshal(c.Order, &order); err != nil {
			return nil, fmt.Errorf("case %s: %w", c.Name, err)
		}
		id := order.ID
		for taken[id] {
			id += 1_000_000 // cases of several shops may have the same ids
		}
		taken[id] = true
		if err := w.load(ctx, c, order, id); err != nil {
			return nil, fmt.Errorf("case %s: %w", c.Name, err)
		}
		ids[i] = id
	}
	return ids, w.announce(ctx, ids)
}

// announce tells the engine of orders, as a sweep does that found them.
func (w *World) announce(ctx context.Context, ids []int64) error {
	for _, id := range ids {
		if _, err := w.Engine.Accept(ctx, event.Incoming{
			Instance: w.Instance, Source: "manual", Name: "woocommerce.order.created", Payload: map[string]any{"id": id},
		}); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) load(ctx context.Context, c Case, order caseOrder, id int64) error {
	loaded := shopsandbox.LoadedOrder{Order: c.Order, DP6: c.OrderD6, Refunds: c.Refunds}
	if id != order.ID {
		var err error
		if loaded.Order, err = withID(loaded.Order, id); err != nil {
			return err
		}
		if loaded.DP6, err = withID(loaded.DP6, id); err != nil {
			return err
		}
	}
	if _, err := w.Shop.LoadOrder(loaded); err != nil {
		return fmt.Errorf("loading the order: %w", err)
	}
	for _, line := range order.LineItems {
		if line.SKU != "" {
			if err := w.ensureProduct(ctx, line.SKU, line.Name); err != nil {
				return err
			}
		}
	}
	for _, tax := range order.TaxLines {
		percent, err := decimal.NewFromString(tax.Percent.String())
		if err != nil {
			return fmt.Errorf("a tax of %q percent", tax.Percent)
		}
		if err := w.ensureTax(ctx, percent, order.PricesIncludeTax); err != nil {
			return err
		}
	}
	return w.ensurePricelist(ctx, order.Currency)
}

// withID returns an order's JSON with another id, everything else as it was.
func withID(order json.RawMessage, id int64) (json.RawMessage, error) {
	if len(order) == 0 {
		return order, nil
	}
	dec := json.NewDecoder(bytes.NewReader(order))
	dec.UseNumber()
	var fields map[string]any
	if err := dec.Decode(&fields); err != nil {
		return nil, fmt.Errorf("reading the order: %w", err)
	}
	fields["id"] = id
	return json.Marshal(fields)
}

// CaseStatuses lists the statuses of the cases' orders, as the setting
// order_statuses takes them.
func CaseStatuses(cases []Case) (string, error) {
	var statuses []string
	for _, c := range cases {
		var order caseOrder
		if err := json.Unmarshal(c.Order, &order); err != nil {
			return "", fmt.Errorf("case %s: %w", c.Name, err)
		}
		if !slices.Contains(statuses, order.Status) {
			statuses = append(statuses, order.Status)
		}
	}
	return strings.Join(statuses, ","), nil
}
