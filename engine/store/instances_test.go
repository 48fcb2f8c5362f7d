package store

import (
	"context"
	"slices"
	"testing"
)

// Whoever adds a table with rows of an instance adds it to what is removed with
// the instance.
func TestRemovingAnInstanceKnowsAllTables(t *testing.T) {
	t.Parallel()
	st, err := Open(context.Background(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	s := st.(*database)
	var tables []string
	err = s.read(context.Background(), "listing tables", func(tx *tx) error {
		tables, err = collect(tx, func(row scanner) (name string, err error) { return name, row.Scan(&name) },
			`SELECT m.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'instance' ORDER BY 1`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// pings has one row, of no instance; run_events go with their runs.
	known := []string{"pings", "run_events"}
	for _, table := range instanceTables {
		known = append(known, table.name)
	}
	slices.Sort(known)
	if !slices.Equal(tables, known) {
		t.Errorf("tables of instances are\n%v, removed are\n%v", tables, known)
	}
}
