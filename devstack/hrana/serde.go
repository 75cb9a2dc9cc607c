package hrana

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// decoder reads JSON as serde_json does, with which libsql-server is built: what it
// takes, what it refuses, and the text and place of each error are on the wire. The
// types are read straight from the text, in one pass.
type decoder struct {
	b     []byte
	i     int // of the next byte
	depth int // of lists and objects that are open
}

// jsonError is an error of serde_json. Its place, in bytes, is 0 until the first
// value that encloses it and knows where it is.
type jsonError struct {
	text         string
	line, column int
}

func (e *jsonError) Error() string {
	if e.line == 0 {
		return e.text
	}
	return fmt.Sprintf("%s at line %d column %d", e.text, e.line, e.column)
}

// maxDepth bounds how deep lists and objects nest, as serde_json does.
const maxDepth = 127

// errorHere returns an error at what was read last.
func (d *decoder) errorHere(text string) error { return d.place(&jsonError{text: text}, d.i) }

// errorNext returns an error at the next byte.
func (d *decoder) errorNext(text string) error {
	return d.place(&jsonError{text: text}, min(d.i+1, len(d.b)))
}

func (d *decoder) place(e *jsonError, i int) error {
	before := string(d.b[:i])
	e.line = 1 + strings.Count(before, "\n")
	e.column = i - 1 - strings.LastIndexByte(before, '\n')
	return e
}

// placed gives an error that has no place the one of what was read last.
func (d *decoder) placed(err error) error {
	if e, ok := err.(*jsonError); ok && e.line == 0 {
		return d.place(e, d.i)
	}
	return err
}

func errorText(format string, a ...any) error { return &jsonError{text: fmt.Sprintf(format, a...)} }

// peek skips white space and returns the next byte, or 0 at the end.
func (d *decoder) peek() byte {
	for ; d.i < len(d.b); d.i++ {
		if c := d.b[d.i]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

func (d *decoder) atEnd() bool { return d.i >= len(d.b) }

// end refuses what follows the document.
func (d *decoder) end() error {
	if d.peek(); !d.atEnd() {
		return d.errorNext("trailing characters")
	}
	return nil
}

func (d *decoder) enter() error {
	if d.depth == maxDepth {
		return d.errorNext("recursion limit exceeded")
	}
	d.depth++
	d.i++
	return nil
}

// list reads a list whose opening bracket is next.
func (d *decoder) list(element func() error) error {
	if err := d.enter(); err != nil {
		return err
	}
	err := d.elements(element)
	return d.closeList(err)
}

func (d *decoder) elements(element func() error) error {
	for first := true; ; first = false {
		more, err := d.more(first, ']', "EOF while parsing a list", "expected `,` or `]`")
		if err != nil || !more {
			return err
		}
		if err := element(); err != nil {
			return err
		}
	}
}

// more reports whether a list or an object goes on.
func (d *decoder) more(first bool, closing byte, eof, expected string) (bool, error) {
	c := d.peek()
	switch {
	case d.atEnd():
		return false, d.errorNext(eof)
	case c == closing:
		return false, nil
	case first:
		return true, nil
	case c != ',':
		return false, d.errorNext(expected)
	}
	d.i++
	switch c := d.peek(); {
	case d.atEnd():
		return false, d.errorNext("EOF while parsing a value")
	case c == closing:
		return false, d.errorNext("trailing comma")
	}
	return true, nil
}

// closeList reads the end of a list in which err came up, if any did.
func (d *decoder) closeList(err error) error {
	d.depth--
	c := d.peek()
	switch {
	case d.atEnd():
		if err == nil {
			err = d.errorNext("EOF while parsing a list")
		}
	case c == ']':
		d.i++
	case c == ',':
		d.i++
		c := d.peek()
		if err == nil && c == ']' {
			err = d.errorNext("trailing comma")
		}
		fallthrough
	default:
		if err == nil {
			err = d.errorNext("trailing characters")
		}
	}
	return d.placed(err)
}

// object reads an object whose opening brace is next. The member reads the value,
// after the colon.
func (d *decoder) object(member func(key []byte) error) error {
	if err := d.enter(); err != nil {
		return err
	}
	return d.closeObject(d.members(member))
}

func (d *decoder) members(member func(key []byte) error) error {
	for first := true; ; first = false {
		more, err := d.more(first, '}', "EOF while parsing an object", "expected `,` or `}`")
		if err != nil || !more {
			return err
		}
		if d.b[d.i] != '"' {
			return d.errorNext("key must be a string")
		}
		key, _, err := d.text()
		if err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
	}
}

// colon reads what stands between a key and its value.
func (d *decoder) colon() error {
	c := d.peek()
	switch {
	case d.atEnd():
		return d.errorNext("EOF while parsing an object")
	case c != ':':
		return d.errorNext("expected `:`")
	}
	d.i++
	return nil
}

func (d *decoder) closeObject(err error) error {
	d.depth--
	c := d.peek()
	switch {
	case !d.atEnd() && c == '}':
		d.i++
	case err != nil:
	case d.atEnd():
		err = d.errorNext("EOF while parsing an object")
	case c == ',':
		err = d.errorNext("trailing comma")
	default:
		err = d.errorNext("trailing characters")
	}
	return d.placed(err)
}

// text reads a string whose opening quote is next. It is borrowed if it is a part of
// the document as it stands there.
func (d *decoder) text() (s []byte, borrowed bool, err error) {
	d.i++
	start, borrowed := d.i, true
	for {
		for d.i < len(d.b) && d.b[d.i] != '"' && d.b[d.i] != '\\' && d.b[d.i] >= 0x20 {
			d.i++
		}
		if d.atEnd() {
			return nil, false, d.errorHere("EOF while parsing a string")
		}
		if part := d.b[start:d.i]; borrowed {
			s = part
		} else {
			s = append(s, part...)
		}
		switch d.b[d.i] {
		case '"':
			d.i++
			if !utf8.Valid(s) {
				return nil, false, d.errorHere("invalid unicode code point")
			}
			return s, borrowed, nil
		case '\\':
			d.i++
			if borrowed {
				s, borrowed = append([]byte(nil), s...), false
			}
			if s, err = d.escape(s); err != nil {
				return nil, false, err
			}
			start = d.i
		default:
			d.i++
			return nil, false, d.errorHere(`control character (\u0000-\u001F) found while parsing a string`)
		}
	}
}

func (d *decoder) escape(s []byte) ([]byte, error) {
	if d.atEnd() {
		return nil, d.errorHere("EOF while parsing a string")
	}
	c := d.b[d.i]
	d.i++
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		return append(s, "\"\\/\b\f\n\r\t"[i]), nil
	}
	if c != 'u' {
		return nil, d.errorHere("invalid escape")
	}
	r, err := d.hex()
	if err != nil {
		return nil, err
	}
	switch {
	case 0xDC00 <= r && r <= 0xDFFF:
		return nil, d.errorHere("lone leading surrogate in hex escape")
	case 0xD800 <= r && r <= 0xDBFF:
		for _, want := range []byte(`\u`) {
			if d.atEnd() {
				return nil, d.errorHere("EOF while parsing a string")
			}
			d.i++
			if d.b[d.i-1] != want {
				return nil, d.errorHere("unexpected end of hex escape")
			}
		}
		low, err := d.hex()
		if err != nil {
			return nil, err
		}
		if low < 0xDC00 || low > 0xDFFF {
			return nil, d.errorHere("lone leading surrogate in hex escape")
		}
		r = (r-0xD800)<<10 + low - 0xDC00 + 0x10000
	}
	return utf8.AppendRune(s, r), nil
}

func (d *decoder) hex() (rune, error) {
	if d.i+4 > len(d.b) {
		d.i = len(d.b)
		return 0, d.errorHere("EOF while parsing a string")
	}
	digits := d.b[d.i : d.i+4]
	d.i += 4
	n, err := strconv.ParseUint(string(digits), 16, 16)
	if err != nil {
		return 0, d.errorHere("invalid escape")
	}
	return rune(n), nil
}

// word reads one of null, true and false.
func (d *decoder) word(w string) error {
	for i := range len(w) {
		if d.atEnd() {
			return d.errorHere("EOF while parsing a value")
		}
		d.i++
		if d.b[d.i-1] != w[i] {
			return d.errorHere("expected ident")
		}
	}
	return nil
}

// number is one of JSON: an integer if it is written as one and fits.
type number struct {
	text     string
	float    float64
	positive uint64 // of an integer
	negative int64
	integer  bool
}

// unexpected returns serde's word for a number where it wants something else.
func (n number) unexpected() string {
	if n.integer {
		return "integer `" + n.text + "`"
	}
	return "floating point `" + string(appendFloat(nil, n.float)) + "`"
}

func (d *decoder) number() (n number, err error) {
	start := d.i
	minus := d.b[d.i] == '-'
	if minus {
		d.i++
	}
	digit := func() bool { return d.i < len(d.b) && '0' <= d.b[d.i] && d.b[d.i] <= '9' }
	switch {
	case !digit():
		if d.i < len(d.b) {
			d.i++
		}
		return n, d.errorHere("invalid number")
	case d.b[d.i] == '0':
		if d.i++; digit() {
			return n, d.errorNext("invalid number")
		}
	}
	for digit() {
		d.i++
	}
	n.integer = true
	if d.i < len(d.b) && d.b[d.i] == '.' {
		n.integer = false
		if d.i++; !digit() {
			if d.atEnd() {
				return n, d.errorNext("EOF while parsing a value")
			}
			return n, d.errorNext("invalid number")
		}
		for digit() {
			d.i++
		}
	}
	if d.i < len(d.b) && d.b[d.i]|0x20 == 'e' {
		n.integer = false
		if d.i++; d.i < len(d.b) && (d.b[d.i] == '+' || d.b[d.i] == '-') {
			d.i++
		}
		if d.atEnd() {
			return n, d.errorHere("EOF while parsing a value")
		}
		if !digit() {
			d.i++
			return n, d.errorHere("invalid number")
		}
		for digit() {
			d.i++
		}
	}
	n.text = string(d.b[start:d.i])
	if n.integer {
		var err error
		if minus {
			n.negative, err = strconv.ParseInt(n.text, 10, 64)
			n.integer = n.negative < 0
		} else {
			n.positive, err = strconv.ParseUint(n.text, 10, 64)
		}
		n.integer = n.integer && err == nil
	}
	n.float, _ = strconv.ParseFloat(n.text, 64) // its syntax was checked
	if math.IsInf(n.float, 0) {
		return n, d.errorHere("number out of range")
	}
	return n, nil
}

// skip reads any value.
func (d *decoder) skip() error {
	_, err := d.other("")
	return err
}

// other reads a value that isn't what is wanted and returns how serde calls it. Of a
// list or an object, whose name is enough, it reads nothing if something is wanted.
func (d *decoder) other(wanted string) (unexpected string, err error) {
	c := d.peek()
	switch {
	case d.atEnd():
		return "", d.errorNext("EOF while parsing a value")
	case c == 'n':
		return "null", d.word("null")
	case c == 't':
		return "boolean `true`", d.word("true")
	case c == 'f':
		return "boolean `false`", d.word("false")
	case c == '-' || '0' <= c && c <= '9':
		n, err := d.number()
		return n.unexpected(), err
	case c == '"':
		s, _, err := d.text()
		if wanted == "" {
			return "", err
		}
		return "string " + rustQuote(string(s)), err
	case c == '[':
		if wanted == "" {
			err = d.list(d.skip)
		}
		return "sequence", err
	case c == '{':
		if wanted == "" {
			err = d.object(func([]byte) error {
				if err := d.colon(); err != nil {
					return err
				}
				return d.skip()
			})
		}
		return "map", err
	}
	return "", d.errorNext("expected value")
}

// wrongType reads a value that isn't what is wanted, and says so.
func (d *decoder) wrongType(wanted string) error {
	unexpected, err := d.other(wanted)
	if err != nil {
		return err
	}
	return d.errorHere("invalid type: " + unexpected + ", expected " + wanted)
}

// rustQuote writes a string as Rust's {:?} does.
func rustQuote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == 0:
			b.WriteString(`\0`)
		case !strconv.IsPrint(r):
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
