package hrana

// Cut cuts the first statement off a text that may not be complete, as somebody
// types it. complete is false where no semicolon ends it yet: then statement is what
// there is of it, empty if that is space and comments alone. Semicolons alone are
// left out.
func Cut(text string) (statement, rest string, complete bool) {
	l := lexer{sql: text}
	s, _, _ := l.statement() // wrong parameters are for whoever runs it to say
	return s.sql, text[l.pos:], l.complete
}
