package store

import (
	"context"
	"database/sql"
	"sync"
)

// maxStatements bounds the statements kept prepared. Queries with lists of
// changing length are not worth one each.
const maxStatements = 64

// statements keeps the writer's queries prepared, for SQLite, where parsing one
// costs more than running it (60 % of an Accept). pgx does this by itself.
//
// A query is prepared after the first transaction that used it: within that, the
// one connection is taken.
type statements struct {
	db *sql.DB

	mu       sync.Mutex
	prepared map[string]*sql.Stmt
	wanted   []string
}

// find returns the prepared query, nil for one that is not yet; a nil receiver
// has none.
func (s *statements) find(query string) *sql.Stmt {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stmt, known := s.prepared[query]
	if !known && len(s.prepared) < maxStatements {
		s.prepared[query] = nil
		s.wanted = append(s.wanted, query)
	}
	return stmt
}

// prepare prepares what was asked for since the last time.
func (s *statements) prepare(ctx context.Context) {
	if s == nil {
		return
	}
	s.mu.Lock()
	wanted := s.wanted
	s.wanted = nil
	s.mu.Unlock()
	for _, query := range wanted {
		stmt, err := s.db.PrepareContext(ctx, query)
		s.mu.Lock()
		if err == nil {
			s.prepared[query] = stmt
		} else {
			// Whoever runs the query gets the error, if it is one of the query.
			delete(s.prepared, query)
		}
		s.mu.Unlock()
	}
}
