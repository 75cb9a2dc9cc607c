package engine

import (
	"cmp"
	"slices"
	"sync"
)

// QueryStats count what all runs of a statement read and wrote since the database was
// opened.
type QueryStats struct {
	SQL                   string
	RowsRead, RowsWritten int64
}

// queryLog adds up what statements read and wrote.
type queryLog struct {
	mu      sync.Mutex // guards entries
	entries map[string]*QueryStats
}

// maxQueries bounds the statements that are told apart. When there are more, the log
// begins anew.
const maxQueries = 1000

func (l *queryLog) add(sql string, r Result) {
	if r.RowsRead == 0 && r.RowsWritten == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.entries[sql]
	if q == nil {
		if l.entries == nil || len(l.entries) >= maxQueries {
			l.entries = make(map[string]*QueryStats)
		}
		q = &QueryStats{SQL: sql}
		l.entries[sql] = q
	}
	q.RowsRead += r.RowsRead
	q.RowsWritten += r.RowsWritten
}

// TopQueries returns the statements that read and wrote most, at most n of them.
func (db *DB) TopQueries(n int) []QueryStats {
	l := &db.queries
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]QueryStats, 0, len(l.entries))
	for _, q := range l.entries {
		list = append(list, *q)
	}
	slices.SortFunc(list, func(a, b QueryStats) int {
		return cmp.Or(cmp.Compare(b.RowsRead+b.RowsWritten, a.RowsRead+a.RowsWritten), cmp.Compare(a.SQL, b.SQL))
	})
	return list[:min(n, len(list))]
}
