package hrana

import "database/sql/driver"

// OnlyReads reports whether sql is one statement that certainly changes nothing:
// SELECT, VALUES, WITH one of them, EXPLAIN, and some pragmas. What can't be taken
// apart is no such statement.
func OnlyReads(sql string) bool {
	stmts, err := split(sql)
	return err == nil && len(stmts) == 1 && stmts[0].verb == verbRead
}

// CheckValue makes an argument one of nil, int64, float64, string and []byte, as the
// driver binds it, or says why it can't be bound.
func CheckValue(v any) (driver.Value, error) { return checkValue(v) }
