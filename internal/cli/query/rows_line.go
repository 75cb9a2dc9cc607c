package query

import (
	"bufio"
	"database/sql/driver"
	"strings"
	"unicode/utf8"
)

// lineRows writes a line for each value, and an empty one between two rows.
type lineRows struct {
	out   *bufio.Writer
	names []string // aligned to the right
	any   bool
}

func newLineRows(w *bufio.Writer, l layout) rowWriter {
	columns := l.columns
	names, width := make([]string, len(columns)), 0
	for i, name := range columns {
		names[i] = cell(name)
		width = max(width, utf8.RuneCountInString(names[i]))
	}
	for i, name := range names {
		names[i] = strings.Repeat(" ", width-utf8.RuneCountInString(name)) + name
	}
	return &lineRows{out: w, names: names}
}

func (r *lineRows) row(values []driver.Value) error {
	if r.any {
		r.out.WriteByte('\n')
	}
	r.any = true
	var err error
	for i, v := range values {
		r.out.WriteString(r.names[i])
		r.out.WriteString(" = ")
		r.out.WriteString(cell(v))
		err = r.out.WriteByte('\n')
	}
	return err
}

func (r *lineRows) end() error { return nil }
func (r *lineRows) cut() error { return nil }
