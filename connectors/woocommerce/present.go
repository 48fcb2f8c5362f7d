package woocommerce

import (
	"strings"

	"github.com/flowctl/flowctl/connectors"
)

// setPresent lets a dry run read what an update would change: the record that
// "orders.get" gives for the address that "orders.update" writes to.
func (b *book) setPresent(op *operation) {
	kind, isUpdate := strings.CutSuffix(op.Name, ".update")
	read, ok := b.byName[kind+".get"]
	if !isUpdate || !ok || read.Path != op.Path || read.shape != shapeRecord {
		return
	}
	op.Present = func(params map[string]any) (connectors.Present, bool) {
		address := map[string]any{}
		for name, value := range params {
			if op.Places[name] != inPath {
				continue
			}
			if value == nil {
				return connectors.Present{}, false
			}
			address[name] = value
		}
		return connectors.Present{
			Read:    connectors.Call{Operation: read.Name, Params: address},
			Changes: op.valuesOf(params),
		}, true
	}
}
