//go:build !front

package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// rowWriter prints the rows of a result one after the other.
type rowWriter interface {
	row(values []any) error
	// end completes the output.
	end() error
}

// maxAligned is how many rows a table keeps to find the columns' widths.
const maxAligned = 1000

// table aligns the columns by the first rows; those after them are written as
// they come.
type table struct {
	out    *bufio.Writer
	lines  [][]string // until the widths are known
	widths []int
}

func newTable(w io.Writer, columns []string) *table {
	header := make([]string, len(columns))
	for i, name := range columns {
		header[i] = cell(name)
	}
	return &table{out: bufio.NewWriter(w), lines: [][]string{header}}
}

func (t *table) row(values []any) error {
	line := make([]string, len(values))
	for i, v := range values {
		line[i] = cell(v)
	}
	if t.widths != nil {
		return t.write(line)
	}
	t.lines = append(t.lines, line)
	if len(t.lines) > maxAligned {
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
		if err := t.align(); err != nil {
			return err
		}
	}
	return t.out.Flush()
}

// cell is a value for people. Control characters are escaped: a database is
// foreign, and a terminal obeys.
func cell(value any) string {
	switch v := value.(type) {
	case nil:
		return "NULL"
	case string:
		if strings.ContainsFunc(v, unicode.IsControl) || !utf8.ValidString(v) {
			return strconv.Quote(v)
		}
		return v
	case []byte:
		return fmt.Sprintf("x'%X'", v)
	case float64:
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".eIN") {
			text += ".0" // a REAL, as SQLite prints it
		}
		return text
	}
	return fmt.Sprint(value)
}

// jsonRows writes {"schema_version":1,"columns":[…],"rows":[[…],…]}, a row a line.
type jsonRows struct {
	out  *bufio.Writer
	rows int
	err  error
}

func newJSONRows(w io.Writer, columns []string) *jsonRows {
	j := &jsonRows{out: bufio.NewWriter(w)}
	fmt.Fprintf(j.out, "{\n  \"schema_version\": %d,\n  \"columns\": ", schemaVersion)
	j.value(columns)
	j.out.WriteString(",\n  \"rows\": [")
	return j
}

func (j *jsonRows) row(values []any) error {
	separator := "\n    "
	if j.rows++; j.rows > 1 {
		separator = ",\n    "
	}
	j.out.WriteString(separator)
	encoded := make([]any, len(values))
	for i, v := range values {
		encoded[i] = jsonValue(v)
	}
	j.value(encoded)
	return j.err
}

func (j *jsonRows) value(v any) {
	text, err := json.Marshal(v)
	if err != nil && j.err == nil {
		j.err = err
	}
	j.out.Write(text)
}

func (j *jsonRows) end() error {
	if j.err != nil {
		return j.err
	}
	if j.rows > 0 {
		j.out.WriteString("\n  ")
	}
	j.out.WriteString("]\n}\n")
	return j.out.Flush()
}

// jsonValue gives the two values a form that JSON lacks: a blob is {"base64":"…"},
// an infinite number a string.
func jsonValue(value any) any {
	switch v := value.(type) {
	case []byte:
		return map[string]string{"base64": base64.StdEncoding.EncodeToString(v)}
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return strconv.FormatFloat(v, 'g', -1, 64)
		}
	}
	return value
}
