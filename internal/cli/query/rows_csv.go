package query

import (
	"bufio"
	"database/sql/driver"
	"strconv"
	"strings"
)

// csvRows writes CSV as RFC 4180 has it, with a header, but for the line's end, which
// is a line feed. NULL is nothing, and empty text "".
type csvRows struct{ out *bufio.Writer }

func newCSVRows(w *bufio.Writer, l layout) rowWriter {
	r := csvRows{w}
	if !l.header {
		return r
	}
	for i, name := range l.columns {
		r.field(i, name)
	}
	w.WriteByte('\n')
	return r
}

func (r csvRows) row(values []driver.Value) error {
	for i, v := range values {
		r.field(i, v)
	}
	return r.out.WriteByte('\n')
}

func (r csvRows) field(i int, value any) {
	if i > 0 {
		r.out.WriteByte(',')
	}
	if n, ok := value.(int64); ok {
		r.out.Write(strconv.AppendInt(r.out.AvailableBuffer(), n, 10))
		return
	}
	text, isText := value.(string)
	switch {
	case value == nil:
	case !isText:
		r.out.WriteString(cell(value))
	case needsQuotes(text):
		r.out.WriteByte('"')
		r.out.WriteString(strings.ReplaceAll(text, `"`, `""`))
		r.out.WriteByte('"')
	default:
		r.out.WriteString(text)
	}
}

// needsQuotes looks at each byte but once: it is called for each value.
func needsQuotes(text string) bool {
	for i := range len(text) {
		switch text[i] {
		case '"', ',', '\r', '\n':
			return true
		}
	}
	return text == "" || text[0] == ' ' || text[len(text)-1] == ' '
}

func (r csvRows) end() error { return nil }
func (r csvRows) cut() error { return nil }
