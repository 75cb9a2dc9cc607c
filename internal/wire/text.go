package wire

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text for people is bounded twice: where it is sent, so that it fits a gRPC
// trailer, and where it is received, after redaction. The first bound is larger,
// so that a secret that it cuts in two lies beyond the second.
const (
	maxSentText     = 8 << 10
	maxReceivedText = 1 << 10
	// maxBlock bounds text that has lines: a script, a page.
	maxBlock = 64 << 10
)

// sentText makes s valid UTF-8, which proto3 demands, and bounds it.
func sentText(s string) string { return cut(strings.ToValidUTF8(s, "\uFFFD"), maxSentText) }

// receivedText makes foreign text fit for a terminal: one line, without escape
// sequences and direction overrides, of bounded length.
func receivedText(s string) string {
	s = strings.Map(func(r rune) rune {
		if draws(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return cut(strings.TrimSpace(s), maxReceivedText)
}

// block is receivedText for text that has lines, in both directions. A carriage return
// before the end of a line goes.
func block(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && draws(r) {
			return ' '
		}
		return r
	}, s)
	return cut(s, maxBlock)
}

// draws reports whether a character does something to a terminal but take a place.
func draws(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || unicode.Is(unicode.Bidi_Control, r)
}

// cut shortens s to at most limit bytes, between two runes.
func cut(s string, limit int) string {
	const mark = "..."
	if len(s) <= limit {
		return s
	}
	limit -= len(mark)
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + mark
}
