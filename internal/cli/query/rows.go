package query

import (
	"bufio"
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"

	"github.com/zen-auth/zen/internal/text"
)

// rowWriter prints the rows of a result one after the other, in constant memory.
type rowWriter interface {
	// row prints a row. It keeps none of the values.
	row(values []driver.Value) error
	// end completes the output.
	end() error
	// cut writes what has been held back, where an error ends the rows.
	cut() error
}

// layout says how rows are printed.
type layout struct {
	columns []string
	header  bool // with the columns' names, in table and csv
	width   int  // of the terminal, which a table fits in; 0 means no limit
}

// rowFormats are the formats by name.
var rowFormats = map[string]func(*bufio.Writer, layout) rowWriter{
	"table": newTable, "csv": newCSVRows, "line": newLineRows, "json": newJSONRows,
}

// IsFormat reports whether rows are printed in a format of that name.
func IsFormat(name string) bool { return rowFormats[name] != nil }

// cell returns a value for people. Control characters are escaped: a database is
// foreign, and a terminal obeys.
func cell(value any) string {
	switch v := value.(type) {
	case nil:
		return "NULL"
	case int64:
		return strconv.FormatInt(v, 10)
	case string:
		if !text.IsPlain(v) {
			return strconv.Quote(v)
		}
		if v == "NULL" { // which would look like none
			return "'NULL'"
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
