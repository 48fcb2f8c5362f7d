package odoo

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
)

// Retype returns a connector that describes records by these types, by model.
func (c Connector) Retype(resources map[string]*connectors.Schema) (connectors.Connector, error) {
	for model, record := range resources {
		if record.Type != "object" {
			return nil, fmt.Errorf("%s: the type of a record must be an object", model)
		}
	}
	return Connector{resources: maps.Clone(resources)}, nil
}

// ReadResources asks Odoo for the fields of models: those whose types are
// shipped where none are named. A model that this database does not have, or
// that the login may not see, has a note in place of a type.
func (c *Connection) ReadResources(ctx context.Context, names []string) ([]connectors.Resource, error) {
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(recordSchemas()))
	}
	all := make([]connectors.Resource, 0, len(names))
	for _, model := range names {
		fields, err := c.fields.of(ctx, model)
		switch {
		case err == nil:
			all = append(all, connectors.Resource{Name: model, Type: fields.schema(), Note: fmt.Sprintf("%d fields", len(fields.byName))})
		case connectors.ClassOf(err) == connectors.Permanent && !connectors.HasCode(err, connectors.CodeUnauthorized) && !connectors.HasCode(err, connectors.CodeBadConfig):
			all = append(all, connectors.Resource{Name: model, Note: err.Error()})
		default:
			return nil, err
		}
	}
	return all, nil
}

// schema is the type of the model's records, by the names of flows. It is
// closed: these are all the fields there are.
func (m *modelFields) schema() *connectors.Schema {
	record := connectors.Object(map[string]*connectors.Schema{}, "id").Described("A record of " + m.model)
	for remote, f := range m.byName {
		record.Properties[m.flowName(remote)] = f.schema()
	}
	record.Properties["id"] = connectors.Integer()
	return record
}

// maxChoices bounds the values of a selection that a description lists.
const maxChoices = 12

// schema is the type of what [field.read] gives.
func (f field) schema() *connectors.Schema {
	s := connectors.Any()
	optional := !f.Required
	switch f.Type {
	case "boolean":
		s, optional = connectors.Boolean(), false
	case "integer":
		s, optional = connectors.Integer(), false
	case "many2one_reference":
		s, optional = connectors.Integer(), true
	case "float", "monetary":
		s, optional = connectors.Decimal(), false
	case "char", "text", "html", "reference":
		s = connectors.String()
	case "selection":
		// One of numbers gives numbers.
		if !slices.ContainsFunc(f.selectionValues(), func(value any) bool { _, isText := value.(string); return !isText }) {
			s = connectors.String()
		}
	case "binary":
		// Computed ones can be records (tax_totals).
		if f.Store {
			s, optional = connectors.String(), true
		}
	case "date":
		s = &connectors.Schema{Type: "string", Format: "date"}
	case "datetime":
		s = connectors.DateTime()
	case "many2one":
		s = connectors.Object(map[string]*connectors.Schema{
			"id": connectors.Integer(), "name": connectors.String().OrNull(),
		}, "id")
	case "one2many", "many2many":
		s, optional = connectors.Array(connectors.Integer()), false
	}
	s.Nullable = optional && s.Type != ""
	s.Description = f.description()
	return s
}

func (f field) description() string {
	text := f.Label
	if choices := f.selectionValues(); f.Type == "selection" && len(choices) > 0 && len(choices) <= maxChoices {
		texts := make([]string, len(choices))
		for i, choice := range choices {
			texts[i] = fmt.Sprint(choice)
		}
		text += ": " + strings.Join(texts, ", ")
	}
	if f.Relation != "" {
		text += " (" + f.Relation + ")"
	}
	return text
}
