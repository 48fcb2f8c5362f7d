package woocommerce

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
)

// readBack says how to find out whether a create happened that nobody answered.
type readBack struct {
	// List is the operation that lists the candidates, By its parameters: each
	// names where in the call its value stands (sku: values.sku).
	List string            `yaml:"list"`
	By   map[string]string `yaml:"by"`
	// Same are the fields by which the record is known to be ours. At least one
	// must be in the call, and all that are must be equal.
	Same []string `yaml:"same"`
	// Needs are fields without which a record could not be found again.
	Needs []string `yaml:"needs"`
	// Taken are the codes by which the shop refuses a second one.
	Taken []string `yaml:"taken"`
	// First looks before anything is sent: the shop would take a second one.
	First bool `yaml:"first"`
	// Recent is the field that says when the record was made: it must be about as
	// old as the request, for others may look like it.
	Recent string `yaml:"recent"`

	list *operation
}

// recentMargin is how far the shop's clock may be from ours.
const recentMargin = 10 * time.Minute

// found looks for the record that a create has made, nil when there is none.
func (c *Connection) found(ctx context.Context, back *readBack, wanted, params map[string]any, since time.Time) (map[string]any, error) {
	if !back.knowable(wanted) {
		return nil, nil
	}
	query := map[string]any{}
	for name, from := range back.By {
		value, ok := lookup(params, from)
		if !ok {
			return nil, nil
		}
		schema, _ := back.list.Params.Property(name)
		if schema != nil && schema.Type == "array" {
			value = []any{value}
		}
		query[name] = value
	}
	result, err := c.single(ctx, back.list, query)
	if err != nil {
		return nil, err
	}
	for _, record := range items(result) {
		if back.sameAs(wanted, record) && back.isRecent(record, since) {
			return record, nil
		}
	}
	return nil, nil
}

// valuesOf are the fields that a create sends, wherever they stand in the call.
func (op *operation) valuesOf(params map[string]any) map[string]any {
	values := map[string]any{}
	for name, value := range params {
		switch op.Places[name] {
		case wholeBody:
			if record, ok := value.(map[string]any); ok {
				return record
			}
		case inBody:
			values[name] = value
		}
	}
	return values
}

// knowable tells whether a record with these values could be told from others.
func (b *readBack) knowable(wanted map[string]any) bool {
	return slices.ContainsFunc(b.Same, func(field string) bool { return isGiven(wanted[field]) })
}

func isGiven(value any) bool {
	switch v := value.(type) {
	case nil:
		return false
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	}
	return true
}

func (b *readBack) sameAs(wanted, record map[string]any) bool {
	for _, field := range b.Same {
		if isGiven(wanted[field]) && !agrees(wanted[field], record[field]) {
			return false
		}
	}
	return true
}

func (b *readBack) isRecent(record map[string]any, since time.Time) bool {
	if b.Recent == "" {
		return true
	}
	made, ok := record[b.Recent].(time.Time)
	return ok && made.After(since.Add(-recentMargin))
}

// agrees tells whether what the shop has is what was sent, as far as it was
// sent: amounts by value, texts whatever their case and escaping, lists of meta
// data by key.
func agrees(sent, has any) bool {
	switch sent := sent.(type) {
	case nil:
		return true
	case map[string]any:
		record, ok := has.(map[string]any)
		for name, value := range sent {
			if !ok || !agrees(value, record[name]) {
				return false
			}
		}
		return true
	case []any:
		list, ok := has.([]any)
		return ok && !slices.ContainsFunc(sent, func(one any) bool {
			return !slices.ContainsFunc(list, func(other any) bool { return agrees(one, other) })
		})
	case string:
		text, ok := has.(string)
		if ok {
			return strings.EqualFold(strings.TrimSpace(plainText(sent)), strings.TrimSpace(plainText(text)))
		}
	}
	a, aOK := amountIn(map[string]any{"": sent}, "")
	b, bOK := amountIn(map[string]any{"": has}, "")
	if aOK && bOK {
		return a.Equal(b)
	}
	if _, isAmount := sent.(decimal.Decimal); isAmount {
		return false
	}
	return fmt.Sprint(sent) == fmt.Sprint(has)
}

// lookup finds a value of a call by its dotted path.
func lookup(params map[string]any, path string) (any, bool) {
	var value any = params
	for name := range strings.SplitSeq(path, ".") {
		record, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = record[name]; !ok || !isGiven(value) {
			return nil, false
		}
	}
	return value, true
}

// recovered is what became of a create that failed: the record, where it is
// there; else the error, which tells what was looked at.
func (c *Connection) recovered(ctx context.Context, op *operation, params map[string]any, since time.Time, failed error) (any, error) {
	var told *connectors.Error
	if op.readBack == nil || !errors.As(failed, &told) || ctx.Err() != nil {
		return nil, failed
	}
	unclear, taken := told.Class == connectors.Unclear, slices.Contains(op.readBack.Taken, told.Code)
	if !unclear && !taken {
		return nil, failed
	}
	record, err := c.found(ctx, op.readBack, op.valuesOf(params), params, since)
	switch {
	case err != nil && unclear:
		told.Message += "; reading back failed too: " + err.Error()
	case err == nil && record != nil && (unclear || agrees(op.valuesOf(params), record)):
		return record, nil
	case err == nil && record == nil && unclear && op.readBack.knowable(op.valuesOf(params)):
		told.Message += "; it was not found when looked for right after"
	}
	return nil, failed
}
