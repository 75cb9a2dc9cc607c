package main

import (
	"bufio"
	"bytes"
	"database/sql"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLiteral(t *testing.T) {
	for text, want := range map[string]any{
		"NULL":                 nil,
		"null":                 nil,
		"0":                    int64(0),
		"-42":                  int64(-42),
		"9223372036854775807":  int64(math.MaxInt64),
		"-9223372036854775808": int64(math.MinInt64),
		"9223372036854775808":  "9223372036854775808",
		"007":                  "007",
		"+5":                   "+5",
		"-0":                   "-0",
		"1_000":                "1_000",
		"0x10":                 "0x10",
		"1.5":                  1.5,
		"-0.25":                -0.25,
		"1.5e300":              1.5e300,
		"1.5e999":              "1.5e999",
		"1e3":                  "1e3",
		"01.5":                 "01.5",
		".5":                   ".5",
		"1.2.3":                "1.2.3",
		"0x1.8p1":              "0x1.8p1",
		"NaN":                  "NaN",
		"Inf":                  "Inf",
		"x'00fF'":              []byte{0, 0xff},
		"X''":                  []byte{},
		"x'0":                  "x'0",
		"'NULL'":               "NULL",
		"'it''s'":              "it's",
		"''":                   "",
		"'":                    "'",
		"'a'b'":                "'a'b'",
		"":                     "",
		"it's":                 "it's",
		"@alice":               "@alice",
	} {
		got, err := literal(text)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%q: %#v, %v", text, got, err)
		}
	}
	for _, text := range []string{"x'0'", "x'zz'"} {
		if got, err := literal(text); err == nil {
			t.Errorf("%q: %#v", text, got)
		}
	}
}

func TestBind(t *testing.T) {
	file := filepath.Join(t.TempDir(), "blob")
	if err := os.WriteFile(file, []byte{1, 2}, 0o600); err != nil {
		t.Fatal(err)
	}
	args, err := bind("SELECT ?, ?, ?", []param{{literalParam, "1"}, {textParam, "1"}, {blobParam, file}})
	if want := []any{int64(1), "1", []byte{1, 2}}; err != nil || !cmp.Equal(args, want) {
		t.Errorf("%#v, %v", args, err)
	}
	args, err = bind("SELECT :a, $b, @c", []param{{literalParam, "a=x=1"}, {textParam, "$b=NULL"}, {blobParam, "c=" + file}})
	if want := []any{sql.Named("a", "x=1"), sql.Named("b", "NULL"), sql.Named("c", []byte{1, 2})}; err != nil || !cmp.Equal(args, want, cmp.AllowUnexported(sql.NamedArg{})) {
		t.Errorf("%#v, %v", args, err)
	}
	for statement, p := range map[string]param{
		"SELECT :a": {literalParam, "a"},
		"SELECT ?":  {blobParam, file + ".missing"},
		"SELECT ?0": {literalParam, "1"},
	} {
		if args, err := bind(statement, []param{p}); err == nil {
			t.Errorf("%s: %v", statement, args)
		}
	}
}

// TestRowFormats holds each format to what it has to keep apart.
func TestRowFormats(t *testing.T) {
	columns := []string{"id", "a,b"}
	rows := [][]any{
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
		writer := rowFormats[format](w, columns)
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

// TestTableStreams: a table holds back no more than it needs for the widths.
func TestTableStreams(t *testing.T) {
	for size, rows := range map[int]int{1: 3 * maxAligned, 300_000: 10} {
		var out bytes.Buffer
		w := bufio.NewWriter(&out)
		writer := newTable(w, []string{"a"}).(*table)
		text := strings.Repeat("x", size)
		for range rows {
			if err := writer.row([]any{text}); err != nil {
				t.Fatal(err)
			}
			if held := len(writer.lines); held > maxAligned || (held-1)*size > maxAlignedBytes {
				t.Fatalf("%d rows of %d bytes are held", held, size)
			}
		}
		if err := errors.Join(writer.end(), w.Flush()); err != nil || bytes.Count(out.Bytes(), []byte("\n")) != rows+1 {
			t.Errorf("%d rows of %d bytes: %v", rows, size, err)
		}
	}
}

func TestExcerpt(t *testing.T) {
	long := "SELECT " + string(bytes.Repeat([]byte("é"), 200)) + " FROM x"
	for _, test := range []struct {
		text   string
		offset int
		want   string
	}{
		{"SELEC 1", 0, "1 | SELEC 1\n  | ^\n"},
		{"SELECT 1;\r\n\té foo\r\n", 15, "2 |  é foo\n  |    ^\n"},
		{"SELECT", 6, "1 | SELECT\n  |       ^\n"},
		{"a\x1b]0;x", 1, "1 | a ]0;x\n  |  ^\n"},
		{long, len(long) - 1, "1 | …éééééééééééééééééééééééééééééééé FROM x\n  |                                        ^\n"},
	} {
		if diff := cmp.Diff(test.want, excerpt(test.text, test.offset)); diff != "" {
			t.Errorf("%q:\n%s", test.text, diff)
		}
	}
}
