package sqlite

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// Statements splits a text into its statements, as the server would, without the
// comments and semicolons between them. What is no SQL is the server's to refuse; the
// error is for text that can't be sent.
func Statements(sql string) ([]string, error) {
	parsed, err := split(sql)
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(parsed))
	for i, s := range parsed {
		texts[i] = s.SQL
	}
	return texts, nil
}

// Verb says what a statement does to the transaction, as far as its words show.
type Verb uint8

const (
	Write    Verb = iota // everything that is not known to only read
	Read                 // certainly changes nothing
	Begin                // BEGIN, SAVEPOINT
	Commit               // COMMIT, END
	Rollback             // ROLLBACK without TO
)

// Statement is one SQL statement with what the driver has to know about it.
type Statement struct {
	SQL    string
	At     int // where in the text it begins
	Verb   Verb
	Params Params

	// Rows and Changes say what [Results] does, and Setting, if it isn't "", that it is
	// a PRAGMA which sets something for its connection.
	Rows, Changes bool
	Setting       string
}

// Parse cuts sql into the statements to send. One alone is sent as written, so
// that the places in the server's errors fit.
func Parse(sql string) ([]Statement, error) {
	stmts, err := split(sql)
	if len(stmts) == 1 {
		stmts[0].SQL = sql
	}
	return stmts, err
}

// split cuts sql into its statements. Empty statements are left out.
func split(sql string) ([]Statement, error) {
	if strings.IndexByte(sql, 0) >= 0 {
		return nil, errors.New("SQL text holds a NUL byte, where SQLite would stop reading")
	}
	if !utf8.ValidString(sql) {
		return nil, errors.New("SQL text is not valid UTF-8")
	}
	var stmts []Statement
	l := lexer{sql: sql}
	for {
		s, ok, err := l.statement()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		stmts = append(stmts, s)
	}
	return stmts, nil
}

// statement reads up to the ; that ends the statement, which in CREATE TRIGGER
// is the one after END.
func (l *lexer) statement() (s Statement, ok bool, err error) {
	var w words
	var from, to int
	for {
		t, start, end := l.next()
		switch t {
		case tokenEnd, tokenSemi:
			if t == tokenSemi && !ok {
				continue
			}
			if t == tokenSemi && !w.ends() {
				w.semi()
				continue
			}
			l.complete = t == tokenSemi
			s.SQL, s.At, s.Verb = l.sql[from:to], from, w.verb()
			s.Rows, s.Changes = w.results()
			s.Setting = w.setting()
			return s, ok, err
		case tokenVariable:
			if wrong := s.Params.Add(l.sql[start:end]); wrong != nil {
				err = wrong
			}
		}
		w.add(t, l.sql[start:end])
		if !ok {
			ok, from = true, start
		}
		to = end
	}
}
