package sqlite

// Cut finds the first statement of a text that may not be complete, as a person
// types it: text[from:to] is the statement, and text[next:] what follows it. complete
// is false if no semicolon ends it yet; a text of space and comments alone is no
// statement, from and to are equal then. Semicolons alone are left out.
func Cut(text string) (from, to, next int, complete bool) {
	l := lexer{sql: text}
	s, _, _ := l.statement() // wrong parameters are for the one that runs it to report
	return s.At, s.At + len(s.SQL), l.pos, l.complete
}

// Parameters returns the distinct names of a statement's parameters, with their
// prefix and in order, and how many parameters there are, named or not.
func Parameters(statement string) (names []string, count int, err error) {
	l := lexer{sql: statement}
	s, _, err := l.statement()
	return s.Params.names, s.Params.count, err
}
