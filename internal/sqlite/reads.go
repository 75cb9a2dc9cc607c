package sqlite

import "strings"

// OnlyReads reports whether sql is one statement that certainly changes nothing:
// SELECT, VALUES, WITH one of them, EXPLAIN, and some pragmas. What can't be taken
// apart is no such statement.
func OnlyReads(sql string) bool {
	stmts, err := split(sql)
	return err == nil && len(stmts) == 1 && stmts[0].Verb == Read
}

// Repeats reports whether one statement, once compiled, can run again and again: SELECT, VALUES,
// INSERT, REPLACE, UPDATE, DELETE, and WITH one of them. A PRAGMA is compiled for each time that
// it runs, since it may do then what it does.
func Repeats(statement string) bool {
	l := lexer{sql: statement}
	t, start, end := l.next()
	if t != tokenWord {
		return false
	}
	switch strings.ToUpper(statement[start:end]) {
	case "SELECT", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH":
		return true
	}
	return false
}

// Results reports, from the text of one statement, whether it returns rows, and whether
// it has a number of rows that it changed, as INSERT with a RETURNING clause has both.
// What SQLite doesn't know returns rows: the error comes either way.
func Results(statement string) (rows, changes bool) {
	l := lexer{sql: statement}
	s, _, _ := l.statement()
	return s.Rows, s.Changes
}
