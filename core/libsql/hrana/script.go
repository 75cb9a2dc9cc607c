package hrana

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
		texts[i] = s.sql
	}
	return texts, nil
}

// verb is what a statement does to the transaction, as far as its words tell.
type verb uint8

const (
	verbWrite    verb = iota // everything that is not known to only read
	verbRead                 // certainly changes nothing
	verbBegin                // BEGIN, SAVEPOINT
	verbCommit               // COMMIT, END
	verbRollback             // ROLLBACK without TO
)

// statement is one SQL statement with what the driver has to know about it.
type statement struct {
	sql    string
	at     int // where in the text it begins
	verb   verb
	params Params

	rows, changes bool   // as words.results says
	setting       string // as words.setting says
}

// parseScript cuts sql into the statements to send. One alone is sent as written, so
// that the places in the server's errors fit.
func parseScript(sql string) ([]statement, error) {
	stmts, err := split(sql)
	if len(stmts) == 1 {
		stmts[0].sql = sql
	}
	return stmts, err
}

// split cuts sql into its statements. Empty statements are left out.
func split(sql string) ([]statement, error) {
	if strings.IndexByte(sql, 0) >= 0 {
		return nil, errors.New("SQL text holds a NUL byte, where SQLite would stop reading")
	}
	if !utf8.ValidString(sql) {
		return nil, errors.New("SQL text is not valid UTF-8")
	}
	var stmts []statement
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
func (l *lexer) statement() (s statement, ok bool, err error) {
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
			s.sql, s.at, s.verb = l.sql[from:to], from, w.verb()
			s.rows, s.changes = w.results()
			s.setting = w.setting()
			return s, ok, err
		case tokenVariable:
			if wrong := s.params.Add(l.sql[start:end]); wrong != nil {
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
