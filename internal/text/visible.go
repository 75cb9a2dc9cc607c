package text

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Visible shows what draws in s as an escape, like \x1b and \u202e, and what is no UTF-8
// as the bytes are. The result is one line.
func Visible(s string) string {
	if IsPlain(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		visible(&b, s[:n], r)
		s = s[n:]
	}
	return b.String()
}

// visible writes one character, whose bytes are s.
func visible(b *strings.Builder, s string, r rune) {
	switch {
	case r == utf8.RuneError && len(s) == 1, r < utf8.RuneSelf && Draws(r):
		switch r {
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			fmt.Fprintf(b, `\x%02x`, s[0])
		}
	case Draws(r):
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		b.WriteString(s)
	}
}

// Terminal is w for text from elsewhere, on its way to a terminal: line breaks and tabs
// pass, what else draws is made Visible. A character may come in two pieces; the first
// piece of one that never ends is not written.
func Terminal(w io.Writer) io.Writer { return &terminal{w: w} }

type terminal struct {
	w    io.Writer
	part []byte // of a character
}

// Write implements io.Writer.
func (t *terminal) Write(p []byte) (int, error) {
	rest := append(t.part, p...)
	var b strings.Builder
	for len(rest) > 0 && utf8.FullRune(rest) {
		r, n := utf8.DecodeRune(rest)
		if r == '\n' || r == '\t' {
			b.WriteRune(r)
		} else {
			visible(&b, string(rest[:n]), r)
		}
		rest = rest[n:]
	}
	t.part = append([]byte(nil), rest...)
	if _, err := io.WriteString(t.w, b.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// JSON returns a document with a line break at its end. Where encoding/json leaves a
// character that draws as it is (those of C1, DEL, the directions), it is escaped, which
// changes nothing for a program.
func JSON(document any, indent string) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(document); err != nil {
		return nil, err
	}
	data := b.Bytes()
	draws := func(r rune) bool { return r != '\n' && Draws(r) } // JSON has no others between its strings
	if !bytes.ContainsFunc(data, draws) {
		return data, nil
	}
	var out bytes.Buffer
	for _, r := range string(data) {
		if draws(r) {
			fmt.Fprintf(&out, `\u%04x`, r) // all of them are in the first plane
		} else {
			out.WriteRune(r)
		}
	}
	return out.Bytes(), nil
}
