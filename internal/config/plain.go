package config

import (
	"errors"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"
)

// section is what is below a header, or above the first one.
type section struct {
	// line is that of the header, or 0.
	line int
	// lines is the text, if it is plain, and table what is decoded, if not.
	lines string
	table table
}

// nodes yields the keys of a section in the order of the file, and their values.
func (s section) nodes() iter.Seq2[string, node] {
	return func(yield func(string, node) bool) {
		for _, key := range s.table.keys() {
			if !yield(key, s.table.at(key)) {
				return
			}
		}
		for r := (plainReader{text: s.lines, line: s.line + 1}); r.next(); {
			if !yield(r.key, r.node()) {
				return
			}
		}
	}
}

// maxPlainKeys is the most keys that a section of a plain document has, since each is compared
// with those before it.
const maxPlainKeys = 64

// addPlain adds a document that is written as nearly all are: plain is false if it has anything
// but headers [a.b], keys with a string, a boolean, a decimal number or a list of strings, and
// comments; or if it isn't TOML. Of a profile that isn't used nothing is kept but its place.
// As a tree it takes several µs.
func (d *document) addPlain(text string) (plain bool, err error) {
	b := newBuilder(d, strings.Count(text, "["))
	keys := make([]string, 0, maxPlainKeys)
	from, line := 0, 0
	r := plainReader{text: text, line: 1}
	for r.next() {
		if r.isHeader {
			b.end(section{line: line, lines: text[from:r.start]})
			if err := b.begin(r.key, r.name, r.keyLine); err != nil {
				return !errors.Is(err, errTwice), err
			}
			from, line, keys = r.i, r.keyLine, keys[:0]
			continue
		}
		if slices.Contains(keys, r.key) || len(keys) == maxPlainKeys {
			return false, nil
		}
		keys = append(keys, r.key)
		if err := b.add(r.key, r.node()); err != nil {
			return true, err
		}
	}
	b.end(section{line: line, lines: text[from:]})
	return r.i == len(text), nil
}

// plainReader reads a document expression by expression.
type plainReader struct {
	text string
	// i is where it is, and line is the line of that.
	i, line int

	// start and keyLine are where the line of the last expression begins, and its number.
	start, keyLine int
	// isHeader says that it was a header [key.name].
	isHeader  bool
	key, name string
	// raw is the value as it is written.
	raw string
}

// next reads the next expression. It returns false at the end, and before, if what is there
// isn't plain.
func (r *plainReader) next() bool {
	for r.i < len(r.text) {
		r.start, r.keyLine = r.i, r.line
		r.pastSpace()
		var found, ok bool
		switch c := r.peek(); {
		case c == '[':
			found, r.isHeader, ok = true, true, r.header()
		case isBare(c):
			found, r.isHeader, ok = true, false, r.keyValue()
		default:
			ok = true
		}
		if !ok || !r.endLine() {
			r.i = r.start
			return false
		}
		if found {
			return true
		}
	}
	return false
}

// peek returns the next byte, or 0 at the end; 0 is in no plain document.
func (r *plainReader) peek() byte {
	if r.i == len(r.text) {
		return 0
	}
	return r.text[r.i]
}

// take reads a byte, if it is c.
func (r *plainReader) take(c byte) bool {
	if r.peek() != c {
		return false
	}
	r.i++
	return true
}

func (r *plainReader) pastSpace() {
	for r.i < len(r.text) && (r.text[r.i] == ' ' || r.text[r.i] == '\t') {
		r.i++
	}
}

// endLine reads a comment, if one is there, and the end of the line or document.
func (r *plainReader) endLine() bool {
	r.pastSpace()
	if r.peek() == '#' {
		end := len(r.text)
		if n := strings.IndexByte(r.text[r.i:], '\n'); n >= 0 {
			end = r.i + n
			if r.text[end-1] == '\r' {
				end--
			}
		}
		if !isText(r.text[r.i:end]) {
			return false
		}
		r.i = end
	}
	if r.i == len(r.text) {
		return true
	}
	if r.take('\r'); !r.take('\n') {
		return false
	}
	r.line++
	return true
}

func (r *plainReader) header() (ok bool) {
	r.i++
	r.key = r.bareKey()
	if !r.take('.') {
		return false
	}
	r.name = r.bareKey()
	return r.key != "" && r.name != "" && r.take(']')
}

func (r *plainReader) bareKey() string {
	from := r.i
	for r.i < len(r.text) && isBare(r.text[r.i]) {
		r.i++
	}
	return r.text[from:r.i]
}

func isBare(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

func (r *plainReader) keyValue() (ok bool) {
	r.key = r.bareKey()
	if r.pastSpace(); !r.take('=') {
		return false
	}
	r.pastSpace()
	from := r.i
	switch c := r.peek(); c {
	case '"', '\'':
		ok = r.quoted()
	case '[':
		ok = r.list()
	case 't', 'f':
		word := r.bareKey()
		ok = word == "true" || word == "false"
	default:
		ok = r.number()
	}
	r.raw = r.text[from:r.i]
	return ok
}

// quoted reads a string of one line.
func (r *plainReader) quoted() bool {
	from, quote := r.i, r.text[r.i]
	end := from // the next quote from r.i on
	for r.i++; ; {
		if end < r.i {
			n := strings.IndexByte(r.text[r.i:], quote)
			if n < 0 {
				return false
			}
			end = r.i + n
		}
		escape := strings.IndexByte(r.text[r.i:end], '\\')
		if quote == '\'' || escape < 0 {
			r.i = end + 1
			break
		}
		r.i += escape + 2
	}
	raw := r.text[from:r.i]
	if !isText(raw) || len(raw) == 2 && r.peek() == quote { // three begin another kind of string
		return false
	}
	_, ok := stringOf(raw)
	return ok
}

// stringOf decodes a string of one line. go-toml knows the escapes.
func stringOf(raw string) (text string, ok bool) {
	if raw[0] == '\'' || strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], true
	}
	var parser unstable.Parser
	parser.Reset([]byte("S=" + raw))
	if !parser.NextExpression() {
		return "", false
	}
	return string(parser.Expression().Value().Data), true
}

// isText reports whether s can be in a string or comment.
func isText(s string) bool {
	ascii := true
	for i := range len(s) {
		c := s[i]
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	return ascii || utf8.ValidString(s)
}

// number reads a decimal number of up to 18 digits. That nothing comes behind it is for
// endLine to see.
func (r *plainReader) number() bool {
	if c := r.peek(); c == '+' || c == '-' {
		r.i++
	}
	from := r.i
	for r.i < len(r.text) && r.text[r.i] >= '0' && r.text[r.i] <= '9' {
		r.i++
	}
	n := r.i - from
	return n == 1 || n > 1 && n <= 18 && r.text[from] != '0'
}

// list reads a list of strings, which may take several lines.
func (r *plainReader) list() bool {
	r.i++
	for {
		if !r.pastLines() {
			return false
		}
		if r.take(']') {
			return true
		}
		if c := r.peek(); c != '"' && c != '\'' || !r.quoted() || !r.pastLines() {
			return false
		}
		if !r.take(',') && r.peek() != ']' {
			return false
		}
	}
}

// pastLines reads what may be between the parts of a list: space, comments and line ends.
func (r *plainReader) pastLines() bool {
	for {
		r.pastSpace()
		if c := r.peek(); c != '#' && c != '\r' && c != '\n' {
			return true
		}
		if !r.endLine() {
			return false
		}
	}
}

// node decodes the value of the last expression.
func (r *plainReader) node() node {
	n := node{line: r.keyLine, text: r.raw}
	switch r.raw[0] {
	case '"', '\'':
		n.shape = shapeText
		n.text, _ = stringOf(r.raw)
	case 't', 'f':
		n.shape = shapeBool
	case '[':
		n.shape, n.text = shapeList, ""
		for l := (plainReader{text: r.raw, i: 1}); ; l.take(',') {
			l.pastLines()
			from := l.i
			if l.take(']') {
				break
			}
			l.quoted()
			text, _ := stringOf(l.text[from:l.i])
			n.list = append(n.list, text)
			l.pastLines()
		}
	default:
		n.shape = shapeInt
		if c := r.raw[0]; c == '+' || r.raw == "-0" {
			n.text = r.raw[1:]
		}
	}
	return n
}
