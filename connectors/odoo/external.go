package odoo

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
)

// ownModule is the module of external ids that are given without one.
const ownModule = "flowctl"

var externalName = regexp.MustCompile(`^[A-Za-z0-9_]+\.[A-Za-z0-9_-]+$`)

// externalID completes and checks an external id: module.name.
func externalID(text string) (string, error) {
	full := text
	if !strings.Contains(text, ".") {
		full = ownModule + "." + text
	}
	if !externalName.MatchString(full) || len(full) > 128 {
		return "", badParams("%q is no external id; it has letters, digits, _ and -, such as woo.order_1001", httpcall.Shorten(text, 60))
	}
	return full, nil
}

func onceOperations() []connectors.Operation {
	object, array := connectors.Object, connectors.Array
	return []connectors.Operation{
		{
			Name: "create_once", Title: "Create a record once", Effect: connectors.Create, Repeat: connectors.Idempotent,
			Summary: "Creates a record under an external id, both in one transaction of Odoo: doing it again finds the record and changes nothing. " +
				"It goes through Odoo's load, so lines (one2many) are created with [0, 0, {...}] alone, all with the same fields.",
			Params: object(with(contextParams(),
				"external_id", connectors.String().Described("Unique name in Odoo, such as woo.order_1001; without a module it is flowctl's"),
				"values", openObject("Values of the record by field"),
				"domain", array(connectors.Any()).Described("What the record must still match to be the one that is meant. "+
					"One of that name that does not (an order that was cancelled since, a contact that is another's now) is left alone, "+
					"and the new record is named after it"),
			), "model", "external_id", "values"),
			Result: object(map[string]*connectors.Schema{
				"id":      connectors.Integer(),
				"created": connectors.Boolean().Described("False when it was there already"),
			}, "id", "created"),
		},
		{
			Name: "load", Title: "Load rows", Effect: connectors.Create, Repeat: connectors.Idempotent,
			Summary: "Creates or updates records by their external ids, all or none, as Odoo's import does: each row has a cell for each field. " +
				"A row that Odoo refuses is an error that names it. Rows of lines (order_line/...) need external ids of their own, or they would double.",
			Params: object(with(contextParams(),
				"fields", array(connectors.String()).Described("Columns: id (the external id), fields, country_id/id by external id, partner_id/.id by id, order_line/name"),
				"rows", array(array(connectors.Any())).Described("Cells in the order of the columns"),
			), "model", "fields", "rows"),
			Result: object(map[string]*connectors.Schema{
				"ids": array(connectors.Integer()).Described("One for each record, in the order of the rows"),
			}, "ids"),
		},
		{
			Name: "external.find", Title: "Find records by external id", Effect: connectors.Read,
			Summary: "Finds records by their external ids. One that is unknown, or whose record was deleted, is left out.",
			Params: object(with(contextParams(),
				"external_id", connectors.String(), "external_ids", array(connectors.String()),
			), "model"),
			Result: object(map[string]*connectors.Schema{
				"id":  connectors.Integer().OrNull().Described("The first one's"),
				"ids": array(connectors.Integer()),
				"records": array(object(map[string]*connectors.Schema{
					"external_id": connectors.String(), "id": connectors.Integer(),
				}, "external_id", "id")),
			}, "ids", "records"),
		},
	}
}

func (c *Connection) findExternal(ctx context.Context, p params) (any, error) {
	model, err := p.model()
	if err != nil {
		return nil, err
	}
	names, err := p.externalIDs()
	if err != nil {
		return nil, err
	}
	known, err := c.byExternalID(ctx, model, names)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"id": nil}
	ids, records := []any{}, []any{}
	for _, name := range names {
		if id, ok := known[name]; ok {
			ids = append(ids, id)
			records = append(records, map[string]any{"external_id": name, "id": id})
		}
	}
	if len(ids) > 0 {
		out["id"] = ids[0]
	}
	out["ids"], out["records"] = ids, records
	return out, nil
}

// externalIDs reads external_id or external_ids.
func (p params) externalIDs() ([]string, error) {
	list, err := p.list("external_ids")
	if err != nil {
		return nil, err
	}
	if p.given("external_id") == (list != nil) {
		return nil, badParams("odoo.%s: give external_id or external_ids", p.operation)
	}
	if list == nil {
		list = []any{p.values["external_id"]}
	}
	names := make([]string, len(list))
	for i, item := range list {
		text, ok := item.(string)
		if !ok {
			return nil, p.wrong("external_ids", "texts")
		}
		if names[i], err = externalID(text); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// byExternalID gives the records that exist under external ids. Odoo keeps the
// name of a record that was deleted by other means than its own.
func (c *Connection) byExternalID(ctx context.Context, model string, names []string) (map[string]int64, error) {
	found := map[string]int64{}
	var ids []int64
	for chunk := range slices.Chunk(names, maxRecords) {
		// The complete name is computed, so ask by its parts: modules are few.
		modules, parts := []string{}, []string{}
		for _, name := range chunk {
			module, part, _ := strings.Cut(name, ".")
			modules, parts = append(modules, module), append(parts, part)
		}
		slices.Sort(modules)
		domain := []any{
			[]any{"model", "=", model}, []any{"module", "in", slices.Compact(modules)}, []any{"name", "in", parts},
		}
		if c.blindToNames.Load() {
			return c.oneByOne(ctx, model, names)
		}
		tree, err := c.answer(ctx, invocation{
			model: "ir.model.data", method: "search_read", args: []argument{{"domain", domain}},
			kwargs: map[string]any{"fields": []string{"module", "name", "res_id"}},
		})
		if connectors.HasCode(err, codeAccess) {
			c.blindToNames.Store(true)
			return c.oneByOne(ctx, model, names)
		}
		if err != nil {
			return nil, err
		}
		list, err := listOf(tree)
		if err != nil {
			return nil, unreadable("ir.model.data", "search_read", nil, err)
		}
		for _, item := range list {
			raw, _ := item.(map[string]any)
			module, _ := raw["module"].(string)
			name, _ := raw["name"].(string)
			id, err := wholeNumber(raw["res_id"])
			if err != nil {
				return nil, unreadable("ir.model.data", "search_read", nil, err)
			}
			if full := module + "." + name; slices.Contains(chunk, full) {
				found[full] = id
				ids = append(ids, id)
			}
		}
	}
	if len(ids) == 0 {
		return found, nil
	}
	existing, err := c.existing(ctx, model, ids)
	if err != nil {
		return nil, err
	}
	for name, id := range found {
		if !slices.Contains(existing, id) {
			delete(found, name)
		}
	}
	return found, nil
}

// codeAccess is Odoo's own for a right that the login lacks.
const codeAccess = "odoo.exceptions.AccessError"

// oneByOne finds external ids for a login that may not read Odoo's table of them
// (it takes the right "Access Rights"). Everybody may ask for one at a time.
func (c *Connection) oneByOne(ctx context.Context, model string, names []string) (map[string]int64, error) {
	found := map[string]int64{}
	for _, name := range names {
		module, part, _ := strings.Cut(name, ".")
		tree, err := c.answer(ctx, invocation{
			model: "ir.model.data", method: "check_object_reference",
			args:   []argument{{"module", module}, {"xml_id", part}},
			kwargs: map[string]any{"context": map[string]any{"active_test": false}},
		})
		if e := (*connectors.Error)(nil); errors.As(err, &e) && e.Code == "builtins.ValueError" && strings.Contains(e.Message, "External ID not found") {
			continue
		}
		if err != nil {
			return nil, err
		}
		// The model, and the id: false where the record is gone or not to be seen.
		pair, _ := tree.([]any)
		if len(pair) != 2 {
			return nil, unreadable("ir.model.data", "check_object_reference", nil, nil)
		}
		if id, err := wholeNumber(pair[1]); err == nil && pair[0] == model {
			found[name] = id
		}
	}
	return found, nil
}
