package db

import (
	"bufio"
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
}

func newTable(w *bufio.Writer, columns []string) rowWriter {
	header := make([]string, len(columns))
	for i, name := range columns {
		header[i] = cell(name)
	}
	return &table{out: w, lines: [][]string{header}}
}

func (t *table) row(values []any) error {
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
	t.widths = make([]int, len(t.lines[0]))
	for _, line := range t.lines {
		for i, text := range line {
			t.widths[i] = max(t.widths[i], utf8.RuneCountInString(text))
		}
	}
	for _, line := range t.lines {
		if err := t.write(line); err != nil {
			return err
		}
	}
	t.lines = nil
	return nil
}

func (t *table) write(line []string) error {
	for i, text := range line {
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
