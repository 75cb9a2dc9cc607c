package query

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/internal/text"
)

// PlacedError is an error with the line that it is in.
type PlacedError struct {
	error
	excerpt string
}

// Excerpt is two lines: the text's, and a caret below it.
func (e *PlacedError) Excerpt() string { return e.excerpt }

// Unwrap returns the error without its place.
func (e *PlacedError) Unwrap() error { return e.error }

// Placed shows where an error is, if the server says so: text is all of the SQL, in
// which the statement begins at the offset from.
func Placed(err error, text string, from int, statement string) error {
	var e *hrana.Error
	if !errors.As(err, &e) {
		return err
	}
	offset, ok := e.Place(statement)
	if !ok {
		return err
	}
	return &PlacedError{err, excerpt(text, from+offset)}
}

// inStatement says which of several statements failed.
func inStatement(n int, err error) error {
	wrapped := fmt.Errorf("statement %d: %w", n, err)
	if p, ok := errors.AsType[*PlacedError](err); ok {
		return &PlacedError{wrapped, p.excerpt}
	}
	return wrapped
}

// excerptWidth limits how much of a long line is shown, in characters.
const excerptWidth = 76

// excerpt shows the line of text that offset is in, numbered, and a caret below.
func excerpt(text string, offset int) string {
	before := text[:offset]
	start := strings.LastIndexByte(before, '\n') + 1
	line, _, _ := strings.Cut(text[start:], "\n")
	shown := []rune(plainLine(line))
	column := utf8.RuneCountInString(text[start:offset])
	if cut := max(0, column-excerptWidth/2); cut > 0 && len(shown) > excerptWidth {
		shown, column = append([]rune("…"), shown[cut:]...), column-cut+1
	}
	if len(shown) > excerptWidth {
		shown = append(shown[:excerptWidth], '…')
	}
	number := fmt.Sprint(strings.Count(before, "\n") + 1)
	return fmt.Sprintf("%s | %s\n%s | %s^\n", number, string(shown), strings.Repeat(" ", len(number)), strings.Repeat(" ", min(column, len(shown))))
}

// plainLine returns a line with a column for each character, and nothing that a terminal
// would obey.
func plainLine(line string) string {
	return strings.Map(func(r rune) rune {
		if text.Draws(r) {
			return ' '
		}
		return r
	}, strings.TrimRight(line, "\r"))
}
