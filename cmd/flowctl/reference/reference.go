// Package reference documents what flows may use, from the specs themselves:
// connectors with their operations, events and records, and the functions of
// expressions. The command describe shows it, docs/ holds it as pages.
package reference

import (
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/expression"
	"github.com/flowctl/flowctl/schemas"
)

// Connector is what there is to know of a connector, or of an app's connection.
type Connector struct {
	Name       string      `json:"name"`
	Title      string      `json:"title"`
	Summary    string      `json:"summary,omitempty"`
	Settings   []Field     `json:"settings,omitempty"`
	Operations []Operation `json:"operations"`
	Events     []Event     `json:"events,omitempty"`
	// Records by name; their types are shipped.
	Records []string `json:"records,omitempty"`
}

// Operation is a call that a flow may make.
type Operation struct {
	Name    string            `json:"name"` // with the connector's: "odoo.search"
	Title   string            `json:"title"`
	Summary string            `json:"summary,omitempty"`
	Effect  connectors.Effect `json:"effect"`
	Repeat  connectors.Repeat `json:"repeat,omitempty"`
	Params  []Field           `json:"params,omitempty"`
	Result  []Field           `json:"result,omitempty"`

	result *connectors.Schema
}

// Event is what may start a flow.
type Event struct {
	Name    string  `json:"name"`
	Summary string  `json:"summary,omitempty"`
	Payload []Field `json:"payload,omitempty"`
}

// Record is the type of a kind of record.
type Record struct {
	Name    string  `json:"name"` // as $ref writes it: "woocommerce/order"
	Summary string  `json:"summary,omitempty"`
	Fields  []Field `json:"fields"`
}

// Function is a function of expressions.
type Function struct {
	Name      string `json:"name"`
	Signature string `json:"signature"`
	Summary   string `json:"summary"`
	Example   string `json:"example,omitempty"`
	Result    string `json:"result,omitempty"`
}

// OfConnector documents a connector under the name that calls begin with.
func OfConnector(name string, spec connectors.Spec) Connector {
	c := Connector{Name: name, Title: spec.Title, Summary: spec.Summary, Settings: FieldsOf(spec.Settings)}
	for _, op := range spec.Operations {
		c.Operations = append(c.Operations, OfOperation(name, op))
	}
	for _, event := range spec.Events {
		c.Events = append(c.Events, Event{Name: name + "." + event.Name, Summary: event.Summary, Payload: FieldsOf(event.Payload)})
	}
	for _, path := range schemas.Resources() {
		if record, ok := strings.CutPrefix(path, spec.Name+"/"); ok {
			c.Records = append(c.Records, record)
		}
	}
	return c
}

// OfOperation documents one operation.
func OfOperation(connector string, op connectors.Operation) Operation {
	result := op.ResultType(map[string]any{})
	return Operation{
		Name: connector + "." + op.Name, Title: op.Title, Summary: op.Summary, Effect: op.Effect, Repeat: op.Repeat,
		Params: FieldsOf(op.Params), Result: FieldsOf(result), result: result,
	}
}

// OfRecord documents a type of records.
func OfRecord(name string, schema *connectors.Schema) Record {
	return Record{Name: name, Summary: schema.Description, Fields: FieldsOf(schema)}
}

// Functions documents the functions of expressions, by name.
func Functions() []Function {
	var all []Function
	for _, f := range expression.Functions() {
		all = append(all, Function(f))
	}
	slices.SortFunc(all, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return all
}
