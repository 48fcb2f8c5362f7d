package link

import (
	"context"
	"fmt"
	"strconv"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/store"
)

// Table is what a linker needs to know of a link table.
type Table struct {
	Name          string
	Local, Remote *connectors.Schema // types of the keys
	// KeyMayChange: the remote key describes the record (an e-mail, a SKU) and a
	// record may get another one, which takes over its row.
	KeyMayChange bool
}

// Row is one row to find or make.
type Row struct {
	Table Table
	Key   any // the known side's key
}

// Request asks for the other side of a record.
type Request struct {
	Lease store.Lease
	// Side that is known; Main and Also hold keys of this side.
	Side store.Side
	Main Row
	// Also are rows of other tables for the same record, claimed with Main.
	Also []Row
	// Values are what the record should be; their fingerprints are kept.
	Values map[string]any

	// Match finds candidates for the unknown side; nil finds none.
	Match func(ctx context.Context) ([]any, error)
	// Recheck matches even when a link exists: the record may have changed so much
	// that it is no longer the one meant.
	Recheck bool
	// Create makes the record and returns its key; nil means that it must exist.
	Create func(ctx context.Context) (any, error)
	// Update writes the changed values to the known record; nil writes none.
	Update func(ctx context.Context, pair Pair, changes map[string]any) error
}

// Pair is the two keys of a link, typed by its table.
type Pair struct {
	Local, Remote any
}

// Result is what Ensure found or made.
type Result struct {
	Pair
	Created bool
	Updated bool
}

// AmbiguousError says that several records match.
type AmbiguousError struct {
	Table      string
	Key        any
	Candidates []any
}

// Error names the candidates.
func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%d records match %s %v: %v", len(e.Candidates), e.Table, e.Key, e.Candidates)
}

// MissingError says that nothing matches and nothing creates.
type MissingError struct {
	Table string
	Key   any
}

// Error names what is missing.
func (e *MissingError) Error() string {
	return fmt.Sprintf("nothing matches %s %v", e.Table, e.Key)
}

// TakenError says that the record found is linked to something else already.
type TakenError struct {
	Table      string
	Key, Found any
}

// Error names both.
func (e *TakenError) Error() string {
	return fmt.Sprintf("%s %v matches record %v, which is linked to another already", e.Table, e.Key, e.Found)
}

// Pair types the two keys of a row.
func (t Table) Pair(local, remote string) (Pair, error) {
	typedLocal, err := t.Local.Convert(local)
	if err != nil {
		return Pair{}, fmt.Errorf("link table %s, local side: %w", t.Name, err)
	}
	typedRemote, err := t.Remote.Convert(remote)
	if err != nil {
		return Pair{}, fmt.Errorf("link table %s, remote side: %w", t.Name, err)
	}
	return Pair{Local: typedLocal, Remote: typedRemote}, nil
}

func otherSide(known store.Side, row store.Link) string {
	if known == store.Local {
		return row.Remote
	}
	return row.Local
}

// Text is a key as link tables keep it: whole numbers in digits, "" for nothing.
func Text(key any) string {
	switch key := key.(type) {
	case nil:
		return ""
	case string:
		return key
	case int64:
		return strconv.FormatInt(key, 10)
	}
	return fmt.Sprint(key)
}
