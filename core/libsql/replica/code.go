//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

import "fmt"

// primary are the names of SQLite's result codes (https://sqlite.org/rescode.html), by
// their number.
var primary = [...]string{
	1: "ERROR", 2: "INTERNAL", 3: "PERM", 4: "ABORT", 5: "BUSY", 6: "LOCKED", 7: "NOMEM",
	8: "READONLY", 9: "INTERRUPT", 10: "IOERR", 11: "CORRUPT", 12: "NOTFOUND", 13: "FULL",
	14: "CANTOPEN", 15: "PROTOCOL", 16: "EMPTY", 17: "SCHEMA", 18: "TOOBIG", 19: "CONSTRAINT",
	20: "MISMATCH", 21: "MISUSE", 22: "NOLFS", 23: "AUTH", 24: "FORMAT", 25: "RANGE", 26: "NOTADB",
}

// constraint are the extended codes of CONSTRAINT, by their upper bits.
var constraint = [...]string{
	1: "CHECK", 2: "COMMITHOOK", 3: "FOREIGNKEY", 4: "FUNCTION", 5: "NOTNULL", 6: "PRIMARYKEY",
	7: "TRIGGER", 8: "UNIQUE", 9: "VTAB", 10: "ROWID", 11: "PINNED", 12: "DATATYPE",
}

// codeName is the name of a code as servers send it: SQLITE_BUSY, or for constraints
// the extended SQLITE_CONSTRAINT_UNIQUE.
func codeName(code int) string {
	low, high := code&0xff, code>>8
	if low <= 0 || low >= len(primary) {
		return fmt.Sprintf("SQLITE_%d", code)
	}
	name := "SQLITE_" + primary[low]
	if primary[low] == "CONSTRAINT" && high > 0 && high < len(constraint) {
		name += "_" + constraint[high]
	}
	return name
}
