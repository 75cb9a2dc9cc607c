// Package text makes foreign text fit for a terminal. What a database, a server, a
// provider or a file says may hold anything, and a terminal obeys: escape sequences move
// the cursor and set the title, and direction overrides turn what is read around
// (https://www.unicode.org/reports/tr36/, 3.2).
package text

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Draws reports whether a character does something to a terminal but take its place:
// the controls C0 and C1 (among them escape, line break and tab), the separators of
// lines and paragraphs, and those that change the direction of text.
func Draws(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || unicode.Is(unicode.Bidi_Control, r)
}

// IsPlain reports whether a terminal shows s as it is, on one line.
func IsPlain(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, Draws) }

// Line makes s one line: line breaks and tabs become spaces, what else draws or can't be
// seen is dropped, what is no UTF-8 becomes a replacement character, and what is beyond
// most bytes an ellipsis.
func Line(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsGraphic(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		}
		return -1
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return Cut(strings.TrimSpace(s), most)
}

// Lines keeps line breaks and tabs, and drops what else draws. It is for text that is
// laid out, and for streams: each part of a text may be passed by itself.
func Lines(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && Draws(r) {
			return -1
		}
		return r
	}, s)
}

// Reason returns the message in the body of a server's error, as a Line: Turso's {"error":"…"} or
// libsql-server's {"message":"…"}, or the body as it is.
func Reason(body []byte, most int) string {
	var parsed struct{ Error, Message any }
	reason := string(body)
	if json.Unmarshal(body, &parsed) == nil {
		for _, value := range []any{parsed.Error, parsed.Message} {
			if s, ok := value.(string); ok && s != "" {
				reason = s
				break
			}
		}
	}
	return Line(strings.Join(strings.Fields(reason), " "), most)
}

// Sentence returns a server's message as a Line of at most 160 bytes without a full stop. It
// is "" where a word has more than longest bytes: that could be a code or a token.
func Sentence(s string, longest int) string {
	s = Line(s, len(s))
	for word := range strings.FieldsSeq(s) {
		if len(word) > longest {
			return ""
		}
	}
	return strings.TrimSuffix(Cut(s, 160), ".")
}

// Cut shortens s to at most that many bytes, between two characters, the last of which
// is an ellipsis then.
func Cut(s string, most int) string {
	const mark = "…"
	if len(s) <= most {
		return s
	}
	end := max(0, most-len(mark))
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}

// Strings returns a list of a string type as one of strings.
func Strings[S ~string](list []S) []string {
	texts := make([]string, len(list))
	for i, s := range list {
		texts[i] = string(s)
	}
	return texts
}
