package db

import (
	"strings"
	"testing"
)

// A failed dump leaves no transaction on the connection, which the shell keeps using.
func TestFailedDumpLeavesNoTransaction(t *testing.T) {
	d, _ := remote(t)
	var out strings.Builder
	failing := &dump{conn: d.conn, schema: true, data: true, tables: []string{"nosuch"}, told: func(int64) {}, note: func(string) {}}
	if err := failing.write(t.Context(), &out); err == nil {
		t.Fatal("dumping a missing table succeeded")
	}
	for _, statement := range []string{"BEGIN", "COMMIT"} {
		if _, err := d.conn.ExecContext(t.Context(), statement); err != nil {
			t.Errorf("%s after the failed dump: %v", statement, err)
		}
	}
}
