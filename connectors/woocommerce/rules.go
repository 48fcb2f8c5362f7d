package woocommerce

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
)

// rules are what the values of a resource must obey, where the shop does not
// check them or drops a value in silence.
type rules struct {
	notNegative []string
	below       map[string]string   // a field and the one it must be below
	needs       map[string]string   // a field and the switch that must not be off
	oneOf       map[string][]string // only in batches, whose items nobody checks
}

func rulesOf(resource resourceEntry, batch bool) rules {
	r := rules{notNegative: resource.NotNegative, below: resource.Below, needs: resource.Needs}
	if batch {
		r.oneOf = resource.OneOf
	}
	return r
}

// checked looks at the parameters of a call before anything is sent. Items of a
// batch are not looked at here: each fails for itself.
func (op *operation) checked(params map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(params)) {
		schema, _ := op.Params.Property(name)
		if op.shape == shapeBatch && schema != nil && schema.Type == "array" || op.Places[name] == inPath {
			continue
		}
		if problem := op.problemOf(name, schema, params[name]); problem != "" {
			return badParams("%s: %s", op.Name, problem)
		}
	}
	return nil
}

// problemOf says what is wrong with a parameter's value, "" when nothing is.
func (op *operation) problemOf(name string, schema *connectors.Schema, value any) string {
	at := ""
	if op.Places[name] != wholeBody {
		at = name
	}
	if problem := misfit(schema, value, at); problem != "" {
		return problem
	}
	rules := op.rules[name]
	if list, ok := value.([]any); ok {
		for _, item := range list {
			if record, ok := item.(map[string]any); ok {
				if problem := rules.broken(record); problem != "" {
					return problem
				}
			}
		}
	}
	if record, ok := value.(map[string]any); ok {
		return rules.broken(record)
	}
	return ""
}

// broken says which rule a record breaks, "" for none.
func (r rules) broken(record map[string]any) string {
	for _, field := range r.notNegative {
		if amount, ok := amountIn(record, field); ok && amount.IsNegative() {
			return fmt.Sprintf("%s is %s, and must not be negative", field, amount)
		}
	}
	for _, field := range slices.Sorted(maps.Keys(r.below)) {
		amount, ok := amountIn(record, field)
		limit, known := amountIn(record, r.below[field])
		if ok && known && !amount.LessThan(limit) {
			return fmt.Sprintf("%s %s is not below %s %s, and the shop would drop it in silence", field, amount, r.below[field], limit)
		}
	}
	for _, field := range slices.Sorted(maps.Keys(r.needs)) {
		if record[field] != nil && record[r.needs[field]] == false {
			return fmt.Sprintf("%s is given and %s is false, so the shop would ignore it in silence", field, r.needs[field])
		}
	}
	for _, field := range slices.Sorted(maps.Keys(r.oneOf)) {
		if text, ok := record[field].(string); ok && !slices.Contains(r.oneOf[field], text) {
			return fmt.Sprintf("%s %q is none of %s. The shop does not check the items of a batch: send one of a plugin alone, where it does",
				field, text, strings.Join(r.oneOf[field], ", "))
		}
	}
	return ""
}

func amountIn(record map[string]any, field string) (decimal.Decimal, bool) {
	typed, err := connectors.Decimal().Convert(record[field])
	amount, ok := typed.(decimal.Decimal)
	return amount, ok && err == nil
}

// misfit says where a value does not fit its schema, "" where it does. It is
// stricter than the shop, which in a batch makes 0 of a bad number (woo/720) and
// in a single write ignores a field it does not know (woo/111).
func misfit(schema *connectors.Schema, value any, at string) string {
	if schema == nil || schema.Type == "" || value == nil {
		return ""
	}
	wrong := func() string {
		if at == "" {
			return fmt.Sprintf("%v is no %s", value, schemaWord(schema))
		}
		return fmt.Sprintf("%s: %v is no %s", at, value, schemaWord(schema))
	}
	switch schema.Type {
	case "object":
		record, ok := value.(map[string]any)
		if !ok {
			return wrong()
		}
		return misfitRecord(schema, record, at)
	case "array":
		items, ok := value.([]any)
		if !ok {
			return wrong()
		}
		for i, item := range items {
			if problem := misfit(schema.Items, item, at+"["+strconv.Itoa(i)+"]"); problem != "" {
				return problem
			}
		}
		return ""
	case "boolean":
		if _, ok := value.(bool); !ok {
			return wrong()
		}
		return ""
	}
	if text, ok := value.(string); ok && schema.Type == "string" && !schema.IsDecimal() && !schema.IsTime() {
		if len(schema.Enum) > 0 && !slices.Contains(schema.Enum, any(text)) {
			return fmt.Sprintf("%s: %q is none of %s", at, text, joinedWords(schema.Enum))
		}
		return ""
	}
	switch value.(type) {
	case bool, []any, map[string]any:
		return wrong()
	case time.Time:
		if !schema.IsTime() {
			return wrong()
		}
	}
	if schema.Type == "string" && !schema.IsDecimal() && !schema.IsTime() {
		return "" // a number where a text is wanted is written as text
	}
	if _, err := schema.Convert(value); err != nil {
		if at == "" {
			return err.Error()
		}
		return at + ": " + err.Error()
	}
	return ""
}

func misfitRecord(schema *connectors.Schema, record map[string]any, at string) string {
	for _, field := range slices.Sorted(maps.Keys(record)) {
		property, known := schema.Property(field)
		path := field
		if at != "" {
			path = at + "." + field
		}
		if !known && !schema.Open && schema.Properties != nil {
			return fmt.Sprintf("there is no field %q to write", path)
		}
		if problem := misfit(property, record[field], path); problem != "" {
			return problem
		}
	}
	for _, field := range schema.Required {
		if record[field] == nil {
			return fmt.Sprintf("the field %q is missing", field)
		}
	}
	return ""
}

func schemaWord(schema *connectors.Schema) string {
	if schema.Type == "object" {
		return "record"
	}
	if schema.Type == "array" {
		return "list"
	}
	return schema.String()
}

func joinedWords(words []any) string {
	var texts []string
	for _, word := range words {
		texts = append(texts, fmt.Sprint(word))
	}
	return strings.Join(texts, ", ")
}
