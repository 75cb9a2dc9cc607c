package hrana

import (
	"strconv"
	"strings"
)

// Place returns where in the statement's text, as it was sent, the error is: an
// offset in bytes. Only some errors have one: libsql-server writes it into the text,
// as "(at offset 7)" where SQLite knows it and as "around L2:7" where its own parser
// stopped; "near "x"" is looked for, and found where x is in the text once.
func (e *Error) Place(sql string) (offset int, ok bool) {
	const known = "(at offset "
	if i := strings.LastIndex(e.Message, known); i >= 0 {
		n, err := strconv.Atoi(strings.TrimSuffix(e.Message[i+len(known):], ")"))
		return n, err == nil && n >= 0 && n <= len(sql)
	}
	if _, rest, ok := strings.Cut(e.Message, "syntax error around L"); ok {
		position, token, _ := strings.Cut(rest, ": `")
		offset, ok = offsetOf(sql, position)
		// Its parser stops behind the token that it can't use.
		if token, found := strings.CutSuffix(token, "`"); ok && found && strings.HasSuffix(sql[:offset], token) {
			offset -= len(token)
		}
		return offset, ok
	}
	if _, rest, ok := strings.Cut(e.Message, `near "`); ok {
		token, ok := strings.CutSuffix(rest, `": syntax error`)
		return strings.Index(sql, token), ok && token != "" && strings.Count(sql, token) == 1
	}
	return 0, false
}

// offsetOf turns LINE:COLUMN, both from 1 and in bytes, into an offset.
func offsetOf(sql, position string) (offset int, ok bool) {
	l, c, _ := strings.Cut(position, ":")
	line, err := strconv.Atoi(l)
	column, err2 := strconv.Atoi(c)
	if err != nil || err2 != nil || line < 1 || column < 1 {
		return 0, false
	}
	for ; line > 1; line-- {
		end := strings.IndexByte(sql[offset:], '\n')
		if end < 0 {
			return 0, false
		}
		offset += end + 1
	}
	return offset + column - 1, column-1 <= len(sql)-offset
}
