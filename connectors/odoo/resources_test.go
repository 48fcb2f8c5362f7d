package odoo_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/odoo"
	"github.com/flowctl/flowctl/connectors/odoo/sandbox"
)

// What Odoo tells of its fields is what its records are, in each version.
func TestTypesReadFromOdoo(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, b *bench) {
		partner := b.seed("res.partner", sandbox.Values{"name": "Jane", "email": "j@example.test"})
		b.seed("sale.order", sandbox.Values{"partner_id": partner, "order_line": []any{[]any{0, 0, sandbox.Values{"product_id": 4}}}})
		read, err := b.connection.(connectors.ResourceReader).ReadResources(t.Context(), []string{"res.partner", "sale.order", "sale.order.line", "product.product", "x.nothing"})
		if err != nil {
			t.Fatal(err)
		}
		if last := read[len(read)-1]; last.Type != nil || last.Note == "" {
			t.Errorf("x.nothing has the type %v, note %q", last.Type, last.Note)
		}
		types := map[string]*connectors.Schema{}
		for _, resource := range read[:len(read)-1] {
			types[resource.Name] = resource.Type
			for _, item := range b.call("search_read", params{"model": resource.Name, "limit": int64(3)})["records"].([]any) {
				for field, value := range item.(map[string]any) {
					property, ok := resource.Type.Property(field)
					if !ok || !fits(property, value) {
						t.Errorf("%s.%s is %v (%T), not %s", resource.Name, field, value, value, property)
					}
				}
			}
		}
		if _, newer := types["sale.order.line"].Property("tax_ids"); !newer {
			t.Error("the fields do not have the names of flows")
		}
		checkRetyped(t, types)
	})
}

// A field that the database does not have is none any more, a custom one too.
func checkRetyped(t *testing.T, types map[string]*connectors.Schema) {
	t.Helper()
	types["res.partner"].Properties["x_club"] = connectors.Boolean()
	delete(types["res.partner"].Properties, "website")
	retyped, err := odoo.Connector{}.Retype(types)
	if err != nil {
		t.Fatal(err)
	}
	op, _ := retyped.Spec().Operation("get")
	got := op.ResultType(params{"model": "res.partner", "fields": list("name", "x_club", "x_other", "website")})
	if got.Open || !slices.Equal(got.PropertyNames(), []string{"id", "name", "x_club"}) || got.Properties["x_club"].Type != "boolean" {
		t.Errorf("the record is %s", got)
	}
	if shipped := op.ResultType(params{"model": "res.country", "fields": list("code")}); !slices.Equal(shipped.PropertyNames(), []string{"code", "id"}) {
		t.Errorf("a type that was not read is %s", shipped)
	}
	if _, err := (odoo.Connector{}).Retype(map[string]*connectors.Schema{"res.partner": connectors.String()}); err == nil || !strings.Contains(err.Error(), "object") {
		t.Errorf("a record that is a text: %v", err)
	}
}

// A parameter that the operation does not have is refused before anything is sent.
func TestUnknownParameter(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, b *bench) {
		_, err := b.connection.Call(t.Context(), connectors.Call{Operation: "search", Params: params{"model": "res.partner", "domian": list()}})
		if !connectors.HasCode(err, connectors.CodeBadParams) || !strings.Contains(err.Error(), "domian") {
			t.Error(err)
		}
	})
}
