package query

import (
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/zen-auth/zen/internal/private"
	"github.com/zen-auth/zen/internal/sqlite"
)

// paramKind says how a parameter's text becomes a value.
type paramKind uint8

const (
	literalParam paramKind = iota // as SQL would read it, or else text
	textParam                     // text whatever it looks like
	blobParam                     // the bytes of a file
)

// param is a parameter of the command line.
type param struct {
	kind paramKind
	text string
}

// paramFlag collects the parameters of three flags in the order of the line.
type paramFlag struct {
	kind paramKind
	to   *[]param
}

// Set implements flag.Value.
func (f *paramFlag) Set(text string) error {
	*f.to = append(*f.to, param{f.kind, text})
	return nil
}

// String implements flag.Value. There is no default to show.
func (f *paramFlag) String() string { return "" }

// bind makes arguments for a statement: positional ones, or named ones where the
// Statement has names.
func bind(statement string, params []param) ([]any, error) {
	names, _, err := sqlite.Parameters(statement)
	if err != nil {
		return nil, err
	}
	if len(names) > 0 && isNumber(bareName(names[0])) {
		names = nil // $1 and :1 are bound by their place, as drivers do
	}
	args := make([]any, len(params))
	for i, p := range params {
		name := ""
		if len(names) > 0 {
			var ok bool
			if name, p.text, ok = strings.Cut(p.text, "="); !ok {
				return nil, fmt.Errorf("the statement has named parameters such as %s: give NAME=VALUE, for example --param %s=VALUE, not %q", names[0], bareName(names[0]), name)
			}
		}
		if args[i], err = p.value(); err != nil {
			return nil, err
		}
		if len(names) > 0 {
			args[i] = sql.Named(bareName(name), args[i])
		}
	}
	return args, nil
}

func isNumber(name string) bool {
	return strings.Trim(name, "0123456789") == ""
}

// bareName returns a parameter's name without its prefix.
func bareName(name string) string { return strings.TrimLeft(name, ":@$") }

// maxBlob is SQLite's own limit of a value (SQLITE_MAX_LENGTH).
const maxBlob = 1_000_000_000

func (p param) value() (any, error) {
	switch p.kind {
	case textParam:
		return p.text, nil
	case blobParam:
		return private.ReadRegular(p.text, maxBlob)
	}
	return literal(p.text)
}

// literal reads a value as SQL would, where nothing is lost by it: 007 and 1e3 may be
// names and stay text.
func literal(text string) (any, error) {
	if strings.EqualFold(text, "NULL") {
		return nil, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
		return n, nil
	}
	digits := strings.TrimPrefix(text, "-")
	if f, err := strconv.ParseFloat(text, 64); err == nil && strings.Contains(digits, ".") && isDecimal(digits) {
		return f, nil
	}
	if quoted, ok := inQuotes(text, "'"); ok && !strings.Contains(strings.ReplaceAll(quoted, "''", ""), "'") {
		return strings.ReplaceAll(quoted, "''", "'"), nil
	}
	for _, opening := range []string{"x'", "X'"} {
		if digits, ok := inQuotes(text, opening); ok {
			data, err := hex.DecodeString(digits)
			if err != nil {
				return nil, fmt.Errorf("%.40q is no blob: it takes an even number of hexadecimal digits (--text binds it as text)", text)
			}
			return data, nil
		}
	}
	return text, nil
}

// isDecimal reports digits with a point and an exponent at most: no leading zeros
// that are more than one, no hexadecimal form.
func isDecimal(s string) bool {
	whole, _, _ := strings.Cut(s, ".")
	return whole != "" && (whole == "0" || whole[0] != '0') && strings.Trim(s, "0123456789.eE+-") == ""
}

func inQuotes(text, opening string) (inner string, ok bool) {
	inner, ok = strings.CutPrefix(text, opening)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(inner, "'")
}
