//go:build cgo && linux && (amd64 || arm64)

package soak_test

import "testing"

// ledger is the rows that all workers have written.
type ledger []*worker

// compare reads all rows from a handle and checks that each is as acknowledged.
func (l ledger) compare(t *testing.T, h *handle) {
	t.Helper()
	found := make([][]uint8, len(l))
	for i, w := range l {
		found[i] = make([]uint8, len(w.rows))
	}
	rows, err := h.db.QueryContext(t.Context(), "SELECT id, count(*), min(worker), max(worker) FROM ledger GROUP BY id")
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var id, count, least, most int64
		must(t, rows.Scan(&id, &count, &least, &most))
		worker, n := id>>32, id&(1<<32-1)
		if worker >= int64(len(l)) || n >= int64(len(l[worker].rows)) || least != worker || most != worker {
			t.Fatalf("%s: row %d of worker %d to %d was never written", h.name, id, least, most)
		}
		found[worker][n] = uint8(min(count, 255))
	}
	must(t, rows.Err())
	for i, w := range l {
		for n, fate := range w.rows {
			if fate == applied {
				fate = there // all replicas have synced now
			}
			if wrong := fate.contradicts(int(found[i][n])); wrong != "" {
				t.Errorf("%s: row %d of worker %d: %d times, %s", h.name, n, i, found[i][n], wrong)
			}
		}
		for _, group := range w.groups {
			for n := group[0] + 1; n < group[1]; n++ {
				if found[i][n] != found[i][n-1] {
					t.Errorf("%s: a transaction of worker %d was applied in part: row %d", h.name, i, n)
				}
			}
		}
	}
	var verdict string
	must(t, h.db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict))
	if verdict != "ok" {
		t.Errorf("%s: integrity_check: %s", h.name, verdict)
	}
}
