package odoo_test

import (
	"slices"
	"testing"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/odoo"
	"github.com/flowctl/flowctl/connectors/odoo/sandbox"
)

func resultOf(t *testing.T, operation string, p params) *connectors.Schema {
	t.Helper()
	op, ok := odoo.Connector{}.Spec().Operation(operation)
	if !ok {
		t.Fatalf("there is no operation %s", operation)
	}
	s := op.ResultType(p)
	if operation != "get" {
		records, _ := s.Property("records")
		s = records.Items
	}
	return s
}

func TestResultTypes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		params params
		open   bool
		names  []string // of a closed record
	}{
		"known fields":            {params{"model": "sale.order", "fields": list("name", "amount_total")}, false, []string{"amount_total", "id", "name"}},
		"a field that is unknown": {params{"model": "sale.order", "fields": list("name", "amount_totale")}, false, []string{"id", "name"}},
		"a custom field":          {params{"model": "sale.order", "fields": list("x_shop", "name")}, false, []string{"id", "name", "x_shop"}},
		"an unknown model":        {params{"model": "x.model", "fields": list("name")}, true, nil},
		"a model not constant":    {params{"fields": list("name")}, true, nil},
		"fields not constant":     {params{"model": "sale.order"}, true, nil},
	} {
		for _, operation := range []string{"get", "read", "search_read"} {
			s := resultOf(t, operation, c.params)
			if s.Open != c.open || !c.open && !slices.Equal(s.PropertyNames(), c.names) {
				t.Errorf("%s, %s: open %v, fields %v", operation, name, s.Open, s.PropertyNames())
			}
		}
	}
}

// shippedModels are those whose types come with the connector.
var shippedModels = []string{
	"account.fiscal.position", "account.journal", "account.move", "account.move.line", "account.tax", "decimal.precision",
	"delivery.carrier", "product.pricelist", "product.product", "product.template", "res.company", "res.country",
	"res.country.state", "res.currency", "res.partner", "sale.order", "sale.order.line", "stock.picking", "stock.warehouse", "uom.uom",
}

// has tells whether the server has a model.
func (b *bench) has(model string) bool {
	_, err := b.try("fields", params{"model": model})
	return err == nil
}

// The shipped types are those the connector really answers with.
func TestResultsFitTheirTypes(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, b *bench) {
		partner := b.seed("res.partner", sandbox.Values{"name": "Jane", "email": "j@example.test"})
		b.seed("sale.order", sandbox.Values{"partner_id": partner, "order_line": []any{[]any{0, 0, sandbox.Values{"product_id": 4}}}})
		for _, model := range shippedModels {
			if !b.has(model) {
				continue // not in the sandbox yet
			}
			s := resultOf(t, "search_read", params{"model": model})
			if s.Properties["id"] == nil || len(s.Properties) < 5 {
				t.Errorf("%s has no shipped type", model)
			}
			for _, item := range b.call("search_read", params{"model": model, "limit": int64(3)})["records"].([]any) {
				for field, value := range item.(map[string]any) {
					if property, ok := s.Property(field); ok && !fits(property, value) {
						t.Errorf("%s.%s is %v (%T), not %s", model, field, value, value, property)
					}
				}
			}
		}
	})
}

// fits tells whether a value is of a type, as far as the type says.
func fits(s *connectors.Schema, value any) bool {
	if value == nil {
		return s.Nullable || s.Type == ""
	}
	typed, err := s.Convert(value)
	if err != nil {
		return false
	}
	switch s.Type {
	case "object":
		_, ok := typed.(map[string]any)
		return ok
	case "array":
		_, ok := typed.([]any)
		return ok
	case "boolean":
		_, ok := typed.(bool)
		return ok
	case "integer":
		_, ok := value.(int64)
		return ok
	case "string":
		_, isText := value.(string)
		return isText || s.IsTime()
	}
	return true
}

// Every operation says what the engine and the documentation need to know.
func TestSpecIsWhole(t *testing.T) {
	t.Parallel()
	for _, op := range (odoo.Connector{}).Spec().Operations {
		if op.Title == "" || op.Summary == "" || op.Params == nil || op.Result == nil {
			t.Errorf("%s is not described", op.Name)
		}
		if (op.Effect == connectors.Read) != (op.Repeat == "") {
			t.Errorf("%s: effect %s, repeated by %q", op.Name, op.Effect, op.Repeat)
		}
	}
	if _, ok := connectors.Lookup("odoo"); !ok {
		t.Error("the connector is not registered")
	}
}
