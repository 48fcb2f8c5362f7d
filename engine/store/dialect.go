package store

import (
	"errors"
	"strings"
	"sync"
)

// dialect is what differs between the databases. Queries are written once, with
// $1, $2 … for arguments, {now} for the database's clock in microseconds and
// {lock} where a row read must stay as it is until the commit.
type dialect struct {
	name string
	// now is an SQL expression: microseconds since 1970.
	now string
	// lock follows a SELECT. SQLite needs none: it has one writer at a time.
	lock string
	// lockLinks and shareLinks lock the links of instance $1 for one transaction
	// alone, or for those that share; "" where there is one writer at a time.
	lockLinks, shareLinks string
	// beforeErase and afterErase are statements for the writer around an Erase, so
	// that what is erased does not stay in the file as free space. In PostgreSQL
	// old row versions go with the next vacuum.
	beforeErase, afterErase []string
	// again tells whether a transaction failed only because of another one.
	again func(error) bool
	// refused tells whether a statement failed because of its own values, so that
	// other statements may well succeed.
	refused func(error) bool

	rendered sync.Map // query as written → query as sent
}

func (d *dialect) render(query string) string {
	if sent, ok := d.rendered.Load(query); ok {
		return sent.(string)
	}
	sent := strings.NewReplacer("{now}", d.now, "{lock}", d.lock).Replace(query)
	d.rendered.Store(query, sent)
	return sent
}

// own tells whether an error is the store's word to its caller, not the
// database's failure.
func own(err error) bool {
	for _, target := range []error{
		ErrNotFound, ErrLeaseLost, ErrNotRunnable, ErrClaimed, ErrLinkTaken, ErrInvalid, ErrUnavailable,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}
