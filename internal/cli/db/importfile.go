package db

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/sqlite"
)

// maxRecord bounds one row, or one statement, of a file.
const maxRecord = 16 << 20

// badLine returns an error of the file itself.
func badLine(line int, format string, args ...any) error {
	return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("line %d: %s", line, fmt.Sprintf(format, args...))}
}

// csvFile reads CSV as RFC 4180 has it. All values are text, which the columns' types
// make numbers of, or NULL where they are as null says.
type csvFile struct {
	in      *csv.Reader
	sql     string
	columns int
	null    *string
}

// newCSVFile reads the first line, which has the columns' names.
func newCSVFile(in io.Reader, comma rune, null *string) (f *csvFile, columns []string, err error) {
	r := csv.NewReader(skipMark(in))
	r.Comma, r.ReuseRecord, r.FieldsPerRecord = comma, true, -1
	header, err := r.Read()
	switch {
	case err == io.EOF:
		return nil, nil, badLine(1, "the file is empty; its first line names the columns")
	case err != nil:
		return nil, nil, csvError(err)
	}
	columns = slices.Clone(header)
	for i, name := range columns {
		if name == "" || slices.Contains(columns[:i], name) {
			return nil, nil, badLine(1, "column %d is called %q: the first line names the columns, each once", i+1, name)
		}
	}
	return &csvFile{in: r, columns: len(columns), null: null}, columns, nil
}

func (f *csvFile) next() (record, error) {
	fields, err := f.in.Read()
	if err != nil {
		return record{}, csvError(err)
	}
	line, _ := f.in.FieldPos(0)
	if len(fields) != f.columns {
		return record{}, badLine(line, "it has %d values, and the file %d columns", len(fields), f.columns)
	}
	args := make([]any, len(fields))
	for i, text := range fields {
		switch {
		case f.null != nil && text == *f.null:
		case !utf8.ValidString(text):
			return record{}, badLine(line, "value %d is not UTF-8", i+1)
		default:
			args[i] = text
		}
	}
	return record{hrana.Statement{SQL: f.sql, Args: args}, line}, nil
}

func csvError(err error) error {
	if bad := (*csv.ParseError)(nil); errors.As(err, &bad) {
		return badLine(bad.Line, "%v", bad.Err)
	}
	return err
}

// skipMark reads over a byte-order mark.
func skipMark(in io.Reader) io.Reader {
	b := bufio.NewReaderSize(in, 256<<10)
	if mark, _ := b.Peek(3); string(mark) == "\ufeff" {
		_, _ = b.Discard(3)
	}
	return b
}

// jsonFile reads JSON lines: an object a line, whose names are columns. Numbers keep
// their digits; lists and objects are stored as JSON text.
type jsonFile struct {
	in      *bufio.Reader
	table   string
	allowed func(columns []string, line int) error
	line    int
	sql     map[string]string // by the names in it
}

func newJSONFile(in io.Reader, table string, allowed func([]string, int) error) *jsonFile {
	return &jsonFile{in: bufio.NewReaderSize(skipMark(in), 256<<10), table: table, allowed: allowed, sql: map[string]string{}}
}

func (f *jsonFile) next() (record, error) {
	for {
		text, err := readLine(f.in)
		if err == errLong {
			return record{}, badLine(f.line+1, "it is longer than %d MiB", maxRecord>>20)
		}
		if err != nil {
			return record{}, err
		}
		f.line++
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		var object map[string]any
		if err := d.Decode(&object); err != nil || object == nil || d.More() {
			return record{}, badLine(f.line, "it is not one JSON object")
		}
		names := slices.Sorted(maps.Keys(object))
		if len(names) == 0 {
			return record{}, badLine(f.line, "the object has no member")
		}
		key := strings.Join(names, "\x00")
		if f.sql[key] == "" {
			if err := f.allowed(names, f.line); err != nil {
				return record{}, err
			}
			f.sql[key] = insert(f.table, names)
		}
		args := make([]any, len(names))
		for i, name := range names {
			if args[i], err = sqlValue(object[name]); err != nil {
				return record{}, badLine(f.line, "%q: %v", name, err)
			}
		}
		return record{hrana.Statement{SQL: f.sql[key], Args: args}, f.line}, nil
	}
}

// sqlValue returns a JSON value as SQLite stores it.
func sqlValue(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		return v.Float64()
	case []any, map[string]any:
		text, err := json.Marshal(v)
		return string(text), err
	}
	return v, nil
}

var errLong = errors.New("line too long")

// readLine reads a line, without its end.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxRecord:
			return nil, errLong
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && len(line) > 0:
			return line, nil
		case err != nil:
			return nil, err
		}
		return bytes.TrimRight(line, "\r\n"), nil
	}
}

// sqlFile reads the statements of a script. With own, its transactions are left out,
// for the import begins others.
type sqlFile struct {
	in      *bufio.Reader
	own     bool
	pending string
	line    int // where pending begins
	ended   bool
}

func newSQLFile(in io.Reader, own bool) *sqlFile {
	return &sqlFile{in: bufio.NewReaderSize(skipMark(in), 256<<10), own: own, line: 1}
}

func (f *sqlFile) next() (record, error) {
	for {
		from, to, next, complete := sqlite.Cut(f.pending)
		if (complete || f.ended) && to > from {
			r := record{hrana.Statement{SQL: f.pending[from:to]}, f.line + strings.Count(f.pending[:from], "\n")}
			f.advance(next)
			if f.own && endsTransaction(r.SQL) {
				continue
			}
			return r, nil
		}
		if f.ended {
			return record{}, io.EOF
		}
		if err := f.more(); err != nil {
			return record{}, err
		}
	}
}

func (f *sqlFile) advance(n int) {
	f.line += strings.Count(f.pending[:n], "\n")
	f.pending = f.pending[n:]
}

// more reads on up to a line with a semicolon, so that a long statement isn't looked at
// for each of its lines.
func (f *sqlFile) more() error {
	var b strings.Builder
	b.WriteString(f.pending)
	for {
		line, err := f.in.ReadString('\n')
		b.WriteString(line)
		f.ended = err == io.EOF
		if err != nil && err != io.EOF {
			return err
		}
		if b.Len() > maxRecord {
			return badLine(f.line, "the statement is larger than %d MiB", maxRecord>>20)
		}
		if f.ended || strings.Contains(line, ";") {
			f.pending = b.String()
			return nil
		}
	}
}

// endsTransaction finds BEGIN, COMMIT and their kin, which a dump has around all of it.
func endsTransaction(statement string) bool {
	word, _, _ := strings.Cut(statement, " ")
	switch strings.ToUpper(word) {
	case "BEGIN", "COMMIT", "END":
		return true
	}
	return false
}
