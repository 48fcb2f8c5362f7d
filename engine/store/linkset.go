package store

import (
	"cmp"
	"slices"
)

// linkSet is the rows of many links, read together and found by either side. It
// follows what a transaction does to them, so that nothing is read twice.
type linkSet struct {
	rows map[LinkKey]*Link
}

// maxKeysPerQuery bounds the keys that one query asks for.
const maxKeysPerQuery = 256

// readLinks reads the rows of the keys. With lock they stay as they are until
// the commit, and are locked in the order of their ids.
func readLinks(tx *tx, instance string, keys []LinkKey, lock string) (*linkSet, error) {
	set := &linkSet{rows: make(map[LinkKey]*Link, len(keys))}
	sorted := distinctKeys(keys)
	for start := 0; start < len(sorted); {
		end := start + 1
		for end < len(sorted) && end-start < maxKeysPerQuery && sorted[end].Table == sorted[start].Table && sorted[end].Side == sorted[start].Side {
			end++
		}
		if err := set.read(tx, instance, sorted[start:end], lock); err != nil {
			return nil, err
		}
		start = end
	}
	return set, nil
}

// read reads the rows of keys of one table and side.
func (s *linkSet) read(tx *tx, instance string, keys []LinkKey, lock string) error {
	table, column := keys[0].Table, keys[0].Side.column()
	// The number of keys is rounded up, repeating the last, so that there are few
	// different queries to prepare.
	count := 1
	for count < len(keys) {
		count *= 2
	}
	args := []any{instance, table}
	for i := range count {
		args = append(args, keys[min(i, len(keys)-1)].Value)
	}
	links, err := collect(tx, scanLink, `SELECT `+linkColumns+` FROM links
		WHERE instance = $1 AND tbl = $2 AND `+column+` IN (`+holders(3, count)+`) AND `+column+` <> '' ORDER BY id`+lock, args...)
	for i := range links {
		s.put(&links[i])
	}
	return err
}

func (s *linkSet) find(key LinkKey) *Link { return s.rows[key] }

// put adds a row that was read. One that was read by each of its sides is one
// row here too.
func (s *linkSet) put(link *Link) {
	for _, key := range link.keys() {
		if known := s.rows[key]; known != nil && known.ID == link.ID {
			link = known
		}
	}
	s.index(link)
}

func (s *linkSet) index(link *Link) {
	for _, key := range link.keys() {
		s.rows[key] = link
	}
}

func (s *linkSet) drop(link *Link) {
	for _, key := range link.keys() {
		delete(s.rows, key)
	}
}

// keys are the sides that a row has.
func (l *Link) keys() []LinkKey {
	var keys []LinkKey
	if l.Local != "" {
		keys = append(keys, LinkKey{l.Table, Local, l.Local})
	}
	if l.Remote != "" {
		keys = append(keys, LinkKey{l.Table, Remote, l.Remote})
	}
	return keys
}

func compareLinkKeys(a, b LinkKey) int {
	return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Side, b.Side), cmp.Compare(a.Value, b.Value))
}

// distinctKeys sorts keys: rows are taken in one order by all, so that two runs
// which want the same two do not wait for each other.
func distinctKeys(keys []LinkKey) []LinkKey {
	sorted := slices.Clone(keys)
	slices.SortFunc(sorted, compareLinkKeys)
	return slices.Compact(sorted)
}
