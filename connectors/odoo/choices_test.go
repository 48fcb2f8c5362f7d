package odoo_test

import (
	"context"
	"strings"
	"testing"

	"github.com/flowctl/flowctl/connectors"
)

// choices lists records by the names that people know.
func choices(t *testing.T, b *bench, _ string) {
	chooser, ok := b.connection.(connectors.Chooser)
	if !ok {
		t.Fatalf("%T lists no choices", b.connection)
	}
	found, err := chooser.Choices(context.Background(), "stock.warehouse", 100)
	if err != nil || len(found) == 0 {
		t.Fatalf("got %v, %v", found, err)
	}
	for _, one := range found {
		if one.ID <= 0 || strings.TrimSpace(one.Label) == "" {
			t.Errorf("got %+v", one)
		}
	}
	if few, err := chooser.Choices(context.Background(), "res.country", 3); err != nil || len(few) != 3 {
		t.Errorf("of three countries: %v, %v", few, err)
	}
	if _, err := chooser.Choices(context.Background(), "no.such.model", 3); err == nil {
		t.Error("a model that is not there has choices")
	}
}
