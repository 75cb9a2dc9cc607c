package engine

import "strings"

// token is one of libsql-server's own tokenizer, which reads SQL before SQLite does
// (sqlite3-parser/src/lexer/sql in tursodatabase/libsql).
type token struct {
	kind       string // as its grammar calls it, without TK_
	text       string // "" for one that errors call by its kind
	start, end int
}

// lexError is the error for an invalid token. Its position is the start of the token.
type lexError struct {
	text string
	at   int
}

// nextToken returns the token that sql has at or after offset i, skipping space and
// comments. At the end its kind is empty.
func nextToken(sql string, i int) (t token, err *lexError) {
	for i < len(sql) {
		data := sql[i:]
		switch c := data[0]; {
		case isSpace(c):
			i++
			continue
		case strings.HasPrefix(data, "--"):
			n := strings.IndexByte(data, '\n')
			if n < 0 {
				return token{start: len(sql), end: len(sql)}, nil
			}
			i += n + 1
			continue
		case strings.HasPrefix(data, "/*"):
			n := strings.Index(data[2:], "*/")
			if n < 0 {
				return token{}, &lexError{"non-terminated block comment", i}
			}
			i += n + 4
			continue
		}
		kind, n, shown, problem := scanToken(data)
		if problem != "" {
			return token{}, &lexError{problem, i}
		}
		return token{kind: kind, text: shown, start: i, end: i + n}, nil
	}
	return token{start: len(sql), end: len(sql)}, nil
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || 'a' <= lower(c) && lower(c) <= 'f' }

func startsName(c byte) bool { return c == '_' || 'a' <= lower(c) && lower(c) <= 'z' || c > 0x7f }

func inName(c byte) bool { return startsName(c) || isDigit(c) || c == '$' }

// operators are the tokens of punctuation, the longer ones first.
var operators = []struct{ text, kind string }{
	{"->>", "PTR"}, {"->", "PTR"}, {"==", "EQ"}, {"<=", "LE"}, {"<>", "NE"}, {"<<", "LSHIFT"}, {">=", "GE"},
	{">>", "RSHIFT"}, {"!=", "NE"}, {"||", "CONCAT"}, {"(", "LP"}, {")", "RP"}, {";", "SEMI"}, {"+", "PLUS"},
	{"-", "MINUS"}, {"*", "STAR"}, {"/", "SLASH"}, {"%", "REM"}, {"=", "EQ"}, {"<", "LT"}, {">", "GT"},
	{"|", "BITOR"}, {",", "COMMA"}, {"&", "BITAND"}, {"~", "BITNOT"},
}

// scanToken returns the kind and length of the token at the start of data, and its form
// in errors.
func scanToken(data string) (kind string, n int, shown, problem string) {
	switch c := data[0]; {
	case c == '\'' || c == '"' || c == '`':
		return scanQuoted(data)
	case c == '[':
		n := strings.IndexByte(data, ']')
		if n < 0 {
			return "", 0, "", "non-terminated bracket"
		}
		return "ID", n + 1, data[:n+1], ""
	case isDigit(c), c == '.' && len(data) > 1 && isDigit(data[1]):
		return scanNumber(data)
	case c == '.':
		return "DOT", 1, "", ""
	case c == '?':
		n := run(data, 1, isDigit)
		return "VARIABLE", n, data[1:n], ""
	case strings.IndexByte("$@#:", c) >= 0:
		n := run(data, 1, inName)
		if n == 1 {
			return "", 0, "", "bad variable name"
		}
		return "VARIABLE", n, data[:n], ""
	case lower(c) == 'x' && len(data) > 1 && data[1] == '\'':
		n := run(data, 2, isHex)
		if n == len(data) || data[n] != '\'' || n%2 != 0 {
			return "", 0, "", "malformed blob literal"
		}
		return "BLOB", n + 1, data[2:n], ""
	case startsName(c):
		n := run(data, 1, inName)
		word := data[:n]
		kind, ok := keywords[strings.ToUpper(word)]
		switch {
		case !ok:
			return "ID", n, word, ""
		case strings.HasSuffix(kind, "_KW"):
			return kind, n, word, ""
		}
		return kind, n, "", ""
	}
	for _, op := range operators {
		if strings.HasPrefix(data, op.text) {
			if op.kind == "PTR" {
				shown = op.text
			}
			return op.kind, len(op.text), shown, ""
		}
	}
	if data[0] == '!' {
		return "", 0, "", "expected = sign"
	}
	return "", 0, "", "unrecognized token"
}

func run(s string, from int, in func(byte) bool) int {
	for from < len(s) && in(s[from]) {
		from++
	}
	return from
}

// scanQuoted reads a literal or a name; its quote in it is written twice.
func scanQuoted(data string) (kind string, n int, shown, problem string) {
	kind = "ID"
	if data[0] == '\'' {
		kind = "STRING"
	}
	for i := 1; i < len(data); i++ {
		if data[i] != data[0] {
			continue
		}
		if i++; i == len(data) || data[i] != data[0] {
			return kind, i, data[:i], ""
		}
	}
	return "", 0, "", "non-terminated literal"
}

func scanNumber(data string) (kind string, n int, shown, problem string) {
	if data[0] == '0' && len(data) > 1 && lower(data[1]) == 'x' {
		n := run(data, 2, isHex)
		if n == 2 || n < len(data) && startsName(data[n]) {
			return "", 0, "", "malformed hex integer"
		}
		return "INTEGER", n, data[:n], ""
	}
	kind, n = "INTEGER", run(data, 0, isDigit)
	if n < len(data) && data[n] == '.' {
		kind, n = "FLOAT", run(data, n+1, isDigit)
	}
	if n < len(data) && lower(data[n]) == 'e' {
		kind = "FLOAT"
		from := n + 1
		if from < len(data) && (data[from] == '+' || data[from] == '-') {
			from++
		}
		if n = run(data, from, isDigit); n == from {
			return "", 0, "", "bad number"
		}
	}
	if n < len(data) && startsName(data[n]) {
		return "", 0, "", "bad number"
	}
	return kind, n, data[:n], ""
}

// keywords are the kinds of words that aren't names.
var keywords = func() map[string]string {
	m := map[string]string{
		"AUTOINCREMENT":     "AUTOINCR",
		"COLUMN":            "COLUMNKW",
		"CROSS":             "JOIN_KW",
		"CURRENT_DATE":      "CTIME_KW",
		"CURRENT_TIME":      "CTIME_KW",
		"CURRENT_TIMESTAMP": "CTIME_KW",
		"FULL":              "JOIN_KW",
		"GLOB":              "LIKE_KW",
		"INNER":             "JOIN_KW",
		"LEFT":              "JOIN_KW",
		"LIKE":              "LIKE_KW",
		"NATURAL":           "JOIN_KW",
		"OUTER":             "JOIN_KW",
		"REGEXP":            "LIKE_KW",
		"RIGHT":             "JOIN_KW",
		"TEMPORARY":         "TEMP",
	}
	for word := range strings.FieldsSeq(`
		ABORT ACTION ADD AFTER ALL ALTER ALWAYS ANALYZE AND AS ASC ATTACH BEFORE BEGIN BETWEEN BY
		CASCADE CASE CAST CHECK COLLATE COMMIT CONFLICT CONSTRAINT CREATE CURRENT DATABASE DEFAULT
		DEFERRABLE DEFERRED DELETE DESC DETACH DISTINCT DO DROP EACH ELSE END ESCAPE EXCEPT EXCLUDE
		EXCLUSIVE EXISTS EXPLAIN FAIL FILTER FIRST FOLLOWING FOR FOREIGN FROM GENERATED GROUP GROUPS
		HAVING IF IGNORE IMMEDIATE IN INDEX INDEXED INITIALLY INSERT INSTEAD INTERSECT INTO IS ISNULL
		JOIN KEY LAST LIMIT MATCH MATERIALIZED NO NOT NOTHING NOTNULL NULL NULLS OF OFFSET ON OR ORDER
		OTHERS OVER PARTITION PLAN PRAGMA PRECEDING PRIMARY QUERY RAISE RANGE READONLY RECURSIVE
		REFERENCES REINDEX RELEASE RENAME REPLACE RETURNING RESTRICT ROLLBACK ROW ROWS SAVEPOINT SELECT
		SET TABLE TEMP THEN TIES TO TRANSACTION TRIGGER UNBOUNDED UNION UNIQUE UPDATE USING VACUUM
		VALUES VIEW VIRTUAL WHEN WHERE WINDOW WITH WITHOUT`) {
		m[word] = word
	}
	return m
}()
