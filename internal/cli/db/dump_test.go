package db

import (
	"strings"
	"testing"
)

// A shell goes on with the connection of a dump that failed: no transaction is left on it.
func TestFailedDumpLeavesNoTransaction(t *testing.T) {
	d, _ := remote(t)
	var out strings.Builder
	failing := &dump{conn: d.conn, schema: true, data: true, tables: []string{"nosuch"}, told: func(int64) {}, note: func(string) {}}
	if err := failing.write(t.Context(), &out); err == nil {
		t.Fatal("it dumped a table that isn't there")
	}
	for _, statement := range []string{"BEGIN", "COMMIT"} {
		if _, err := d.conn.ExecContext(t.Context(), statement); err != nil {
			t.Errorf("%s after it: %v", statement, err)
		}
	}
}
