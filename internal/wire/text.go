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
)

// sentText makes s valid UTF-8, which proto3 demands, and bounds it.
func sentText(s string) string { return cut(strings.ToValidUTF8(s, "\uFFFD"), maxSentText) }

// receivedText makes foreign text fit for a terminal: one line, without escape
// sequences and direction overrides, of bounded length.
func receivedText(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return cut(strings.TrimSpace(s), maxReceivedText)
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
