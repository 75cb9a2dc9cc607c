package query

import (
	"bufio"
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zen-auth/zen/internal/text"
)

// TestRowFormats checks that each format distinguishes the values that it has to.
func TestRowFormats(t *testing.T) {
	columns := []string{"id", "a,b"}
	rows := [][]driver.Value{
		{int64(1), nil},
		{int64(2), ""},
		{-1.0, "say \"hi\"\nthere"},
		{[]byte{0, 0xff}, " <é\x1b[31m>"},
		{math.Inf(1), "plain"},
	}
	for format, want := range map[string]string{
		"table": "id       a,b\n" +
			"1        NULL\n" +
			"2        \n" +
			"-1.0     \"say \\\"hi\\\"\\nthere\"\n" +
			"x'00FF'  \" <é\\x1b[31m>\"\n" +
			"+Inf     plain\n",
		"csv": "id,\"a,b\"\n" +
			"1,\n" +
			"2,\"\"\n" +
			"-1.0,\"say \"\"hi\"\"\nthere\"\n" +
			"x'00FF',\" <é\x1b[31m>\"\n" +
			"+Inf,plain\n",
		"line": " id = 1\na,b = NULL\n\n" +
			" id = 2\na,b = \n\n" +
			" id = -1.0\na,b = \"say \\\"hi\\\"\\nthere\"\n\n" +
			" id = x'00FF'\na,b = \" <é\\x1b[31m>\"\n\n" +
			" id = +Inf\na,b = plain\n",
		"json": "{\n  \"schema_version\": 1,\n  \"columns\": [\"id\",\"a,b\"],\n  \"rows\": [\n" +
			"    [1,null],\n    [2,\"\"],\n    [-1,\"say \\\"hi\\\"\\nthere\"],\n" +
			"    [{\"base64\":\"AP8=\"},\" <é\\u001b[31m>\"],\n    [\"+Inf\",\"plain\"]\n  ]\n}\n",
	} {
		var out bytes.Buffer
		w := bufio.NewWriter(&out)
		writer := rowFormats[format](w, layout{columns: columns, header: true})
		for _, row := range rows {
			if err := writer.row(row); err != nil {
				t.Fatal(err)
			}
		}
		if err := writer.end(); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", format, diff)
		}
	}
}

// TestTableStreams checks that a table buffers only as many rows as it needs for the column
// widths.
func TestTableStreams(t *testing.T) {
	for size, rows := range map[int]int{1: 3 * maxAligned, 300_000: 10} {
		var out bytes.Buffer
		w := bufio.NewWriter(&out)
		writer := newTable(w, layout{columns: []string{"a"}, header: true}).(*table)
		text := strings.Repeat("x", size)
		for range rows {
			if err := writer.row([]driver.Value{text}); err != nil {
				t.Fatal(err)
			}
			if held := len(writer.lines); held > maxAligned || (held-1)*size > maxAlignedBytes {
				t.Fatalf("%d rows of %d bytes are buffered", held, size)
			}
		}
		if err := errors.Join(writer.end(), w.Flush()); err != nil || bytes.Count(out.Bytes(), []byte("\n")) != rows+1 {
			t.Errorf("%d rows of %d bytes: %v", rows, size, err)
		}
	}
}

// A cell shows a value's control characters and never passes them to the terminal.
func TestCellEscapesControlCharacters(t *testing.T) {
	for value, want := range map[string]string{
		"\x1b[31m": `"\x1b[31m"`, "\u009b31m": `"\u009b31m"`, "a\x00": `"a\x00"`,
		"abc\u202efed": `"abc\u202efed"`, "\u2067x": `"\u2067x"`,
		"שלום": "שלום", "👩‍👧": "👩‍👧", "é": "é",
	} {
		if got := cell(value); got != want {
			t.Errorf("cell(%q) = %s, want %s", value, got, want)
		}
	}
}

// No format passes control characters to a terminal, and JSON is the same everywhere.
func TestRowsOnATerminal(t *testing.T) {
	const value = "a\x1b[2J\u009b2J\u202eb\r日本"
	for format := range rowFormats {
		var out bytes.Buffer
		w := bufio.NewWriterSize(text.Terminal(&out), 16) // splits characters between two writes
		writer := rowFormats[format](w, layout{columns: []string{value}, header: true})
		if err := errors.Join(writer.row([]driver.Value{value}), writer.end(), w.Flush()); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if line = strings.TrimSuffix(line, "\n"); !text.IsPlain(line) || strings.Contains(line, "\uFFFD") {
				t.Errorf("format %s printed the line %q", format, line)
			}
		}
		if !strings.Contains(out.String(), "日本") {
			t.Errorf("format %s printed %q", format, out.String())
		}
	}
	var out bytes.Buffer
	w := bufio.NewWriter(&out)
	writer := newJSONRows(w, layout{columns: []string{value}})
	if err := errors.Join(writer.row([]driver.Value{value}), writer.end(), w.Flush()); err != nil {
		t.Fatal(err)
	}
	var read struct{ Rows [][]string }
	if err := json.Unmarshal(out.Bytes(), &read); err != nil || read.Rows[0][0] != value || !strings.Contains(out.String(), `\u009b2J\u202eb\r日本`) {
		t.Errorf("JSON rows %q, %v", out.String(), err)
	}
}
