package sqlite

// token is the class of one piece of SQL, as fine as splitting statements and
// finding parameters needs it, and no finer.
type token uint8

const (
	tokenEnd      token = iota
	tokenSemi           // ;
	tokenWord           // unquoted identifier or keyword
	tokenVariable       // ?, ?NNN, :name, @name, $name
	tokenOpen           // (
	tokenClose          // )
	tokenOther          // strings, quoted names, numbers, operators
)

// lexer cuts SQL text the way SQLite's own tokenizer (tokenize.c) does, so
// that a ; or ? inside a string, a quoted name or a comment is never taken for
// the real one.
type lexer struct {
	sql string
	pos int

	complete bool // a semicolon ended the last statement
}

// next returns the next token and where it begins and ends, skipping white
// space and comments.
func (l *lexer) next() (t token, start, end int) {
	l.skipSpace()
	start = l.pos
	if start == len(l.sql) {
		return tokenEnd, start, start
	}
	c := l.sql[start]
	l.pos++
	switch c {
	case ';':
		t = tokenSemi
	case '(':
		t = tokenOpen
	case ')':
		t = tokenClose
	case '\'', '"', '`':
		t = tokenOther
		l.skipQuoted(c)
	case '[':
		t = tokenOther
		l.skipPast(']')
	case '?':
		t = tokenVariable
		for l.pos < len(l.sql) && isDigit(l.sql[l.pos]) {
			l.pos++
		}
	case ':', '@', '$':
		t = l.variable()
	default:
		t = tokenOther
		if isWordByte(c) {
			if !isDigit(c) {
				t = tokenWord
			}
			for l.pos < len(l.sql) && isWordByte(l.sql[l.pos]) {
				l.pos++
			}
		}
	}
	return t, start, l.pos
}

// variable reads the rest of a named parameter. SQLite allows the Tcl forms
// $ns::name and $name(index) after any of the three prefixes.
func (l *lexer) variable() token {
	name := 0
	for l.pos < len(l.sql) {
		c := l.sql[l.pos]
		switch {
		case isWordByte(c):
			name++
			l.pos++
			continue
		case c == '(' && name > 0:
			for l.pos++; l.pos < len(l.sql); l.pos++ {
				if c := l.sql[l.pos]; c == ')' {
					l.pos++
					return tokenVariable
				} else if isSpace(c) {
					break
				}
			}
			return tokenOther
		case c == ':' && l.pos+1 < len(l.sql) && l.sql[l.pos+1] == ':':
			l.pos += 2
			continue
		}
		break
	}
	if name == 0 {
		return tokenOther
	}
	return tokenVariable
}

func (l *lexer) skipSpace() {
	for l.pos < len(l.sql) {
		rest := l.sql[l.pos:]
		switch {
		case isSpace(rest[0]):
			l.pos++
		case len(rest) > 1 && rest[:2] == "--":
			l.skipPast('\n')
		case len(rest) > 2 && rest[:2] == "/*":
			l.pos += 3
			for l.pos < len(l.sql) && (l.sql[l.pos] != '/' || l.sql[l.pos-1] != '*') {
				l.pos++
			}
			if l.pos < len(l.sql) {
				l.pos++
			}
		case len(rest) > 2 && rest[:3] == "\ufeff":
			l.pos += 3
		default:
			return
		}
	}
}

// skipQuoted reads to the closing quote; a doubled quote is part of the text.
func (l *lexer) skipQuoted(quote byte) {
	for l.pos < len(l.sql) {
		c := l.sql[l.pos]
		l.pos++
		if c != quote {
			continue
		}
		if l.pos == len(l.sql) || l.sql[l.pos] != quote {
			return
		}
		l.pos++
	}
}

func (l *lexer) skipPast(c byte) {
	for l.pos < len(l.sql) {
		l.pos++
		if l.sql[l.pos-1] == c {
			return
		}
	}
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isWordByte is SQLite's IdChar: every byte beyond ASCII belongs to a name.
func isWordByte(c byte) bool {
	return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' || c == '$' || c >= 0x80
}
