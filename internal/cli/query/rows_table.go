package query

import (
	"bufio"
	"database/sql/driver"
	"strings"
	"unicode/utf8"
)

// The table finds the columns' widths by this many rows, or bytes, at most.
const (
	maxAligned      = 1000
	maxAlignedBytes = 1 << 20
)

// table aligns the columns by the first rows; those after them are written as
// they come.
type table struct {
	out    *bufio.Writer
	lines  [][]string // until the widths are known
	size   int        // of lines, in bytes
	widths []int
	limit  int // of a line; 0 means none
}

func newTable(w *bufio.Writer, l layout) rowWriter {
	t := &table{out: w, limit: l.width}
	if l.header {
		header := make([]string, len(l.columns))
		for i, name := range l.columns {
			header[i] = cell(name)
		}
		t.lines = [][]string{header}
	}
	return t
}

func (t *table) row(values []driver.Value) error {
	line := make([]string, len(values))
	for i, v := range values {
		line[i] = cell(v)
		t.size += len(line[i])
	}
	if t.widths != nil {
		return t.write(line)
	}
	t.lines = append(t.lines, line)
	if len(t.lines) > maxAligned || t.size > maxAlignedBytes {
		return t.align()
	}
	return nil
}

func (t *table) align() error {
	if len(t.lines) == 0 {
		return nil
	}
	t.widths = make([]int, len(t.lines[0]))
	for _, line := range t.lines {
		for i, text := range line {
			t.widths[i] = max(t.widths[i], utf8.RuneCountInString(text))
		}
	}
	t.fit()
	for _, line := range t.lines {
		if err := t.write(line); err != nil {
			return err
		}
	}
	t.lines = nil
	return nil
}

// minWidth is the least width of a column.
const minWidth = 8

// fit makes the widest columns narrower until a line fits. Where even that is too wide,
// the terminal breaks the lines.
func (t *table) fit() {
	if t.limit == 0 {
		return
	}
	total := 2 * (len(t.widths) - 1)
	for _, w := range t.widths {
		total += w
	}
	for ; total > t.limit; total-- {
		widest := 0
		for i, w := range t.widths {
			if w > t.widths[widest] {
				widest = i
			}
		}
		if t.widths[widest] <= minWidth {
			return
		}
		t.widths[widest]--
	}
}

// cutTo shortens a text that is wider than its column.
func (t *table) cutTo(width int, text string) string {
	if t.limit == 0 || utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}

func (t *table) write(line []string) error {
	for i, text := range line {
		text = t.cutTo(t.widths[i], text)
		t.out.WriteString(text)
		if i < len(line)-1 {
			t.out.WriteString(strings.Repeat(" ", max(0, t.widths[i]-utf8.RuneCountInString(text))+2))
		}
	}
	return t.out.WriteByte('\n')
}

func (t *table) end() error {
	if t.widths == nil {
		return t.align()
	}
	return nil
}

func (t *table) cut() error { return t.end() }
