package engine

import (
	"fmt"
	"strings"
)

// SyntaxError is an error of the parser that libsql-server has before SQLite's. Text
// is its own, with the place in the whole SQL text.
type SyntaxError struct{ Text string }

func (e *SyntaxError) Error() string { return "sql: " + e.Text }

// place returns the parser's position at an offset: lines and bytes, both counted from 1.
func place(sql string, offset int) (line, column int) {
	before := sql[:offset]
	return 1 + strings.Count(before, "\n"), offset - strings.LastIndexByte(before, '\n')
}

func syntaxErrorAt(sql string, offset int, text string) error {
	line, column := place(sql, offset)
	return &SyntaxError{fmt.Sprintf("%s at (%d, %d)", text, line, column)}
}

// parseError returns what libsql-server's parser says where SQLite said err about the
// statement that sql has from offset from to offset to. No error of SQLite is one of
// the parser if the tokenizer takes what SQLite's doesn't refuse.
func parseError(sql string, from, to int, err error) error {
	at := to + 1
	e, ok := err.(*Error)
	if ok && e.Syntax() {
		if at = to; e.Offset >= 0 {
			at = from + e.Offset
		}
	} else if err != nil && !ok {
		return err
	}
	for i := from; i < to; {
		t, lex := nextToken(sql[:to], i)
		switch {
		case lex != nil && (lex.text == "non-terminated block comment" || lex.at <= at):
			return syntaxErrorAt(sql, lex.at, lex.text)
		case lex != nil || t.kind == "":
			i = to
			continue
		case t.start < at:
			i = t.end
			continue
		case t.text != "":
			line, column := place(sql, t.end)
			return &SyntaxError{fmt.Sprintf("syntax error around L%d:%d: `%s`", line, column, t.text)}
		}
		return syntaxErrorAt(sql, t.end, fmt.Sprintf(`near %s, "None": syntax error`, t.kind))
	}
	if ok && e.Syntax() {
		return syntaxErrorAt(sql, len(sql), "unexpected end of input")
	}
	if ok {
		return definitionError(sql, from, to, e)
	}
	return err
}

// definitionError recognizes the errors of a table's definition that the parser sees by
// itself.
func definitionError(sql string, from, to int, e *Error) error {
	duplicate := strings.HasPrefix(e.Message, "duplicate column name: ")
	option := strings.HasPrefix(e.Message, "unknown table option: ")
	if !duplicate && !option {
		return e
	}
	var names []string
	depth, last, starts := 0, token{}, false
	for i := from; ; {
		t, lex := nextToken(sql[:to], i)
		if lex != nil || t.kind == "" {
			break
		}
		switch {
		case i == from && t.kind != "CREATE":
			return e // ALTER TABLE is left to SQLite
		case t.kind == "LP":
			depth++
			starts = depth == 1
		case t.kind == "RP" || t.kind == "COMMA":
			if depth == 1 && duplicate && len(names) > 1 {
				name := names[len(names)-1]
				for _, earlier := range names[:len(names)-1] {
					if strings.EqualFold(unquote(earlier), unquote(name)) {
						return syntaxErrorAt(sql, t.end, "duplicate column name: "+name)
					}
				}
			}
			if starts = depth == 1; t.kind == "RP" {
				depth--
			}
		case starts:
			names, starts = append(names, sql[t.start:t.end]), false
		}
		last, i = t, t.end
	}
	if option {
		end := to
		if last.kind == "SEMI" {
			end = last.end
		}
		return syntaxErrorAt(sql, end, e.Message)
	}
	return e
}

// unquote returns the name that a token is.
func unquote(name string) string {
	if name == "" || strings.IndexByte("\"'`[", name[0]) < 0 {
		return name
	}
	q := name[:1]
	return strings.ReplaceAll(name[1:len(name)-1], q+q, q)
}
