package sqlite

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"time"
)

// boundTime is the form in which a time.Time is stored: the one that SQLite's other Go drivers
// (mattn/go-sqlite3, modernc.org/sqlite) write, in UTC. Text in this form sorts by
// time, also beside what CURRENT_TIMESTAMP and datetime() store.
const boundTime = "2006-01-02 15:04:05.999999999-07:00"

// storedTimes are the forms of a date in SQLite (https://sqlite.org/lang_datefunc.html,
// section 2) that hold a day, the one that is written first. A Z at the end is cut off
// beforehand.
var storedTimes = [...]string{
	boundTime,
	"2006-01-02T15:04:05.999999999-07:00",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04-07:00",
	"2006-01-02T15:04-07:00",
	"2006-01-02 15:04",
	"2006-01-02T15:04",
	"2006-01-02",
}

// bindTime returns a time as it is stored. Years have four digits in SQLite.
func bindTime(t time.Time) (string, error) {
	t = t.UTC()
	if y := t.Year(); y < 0 || y > 9999 {
		return "", fmt.Errorf("year %d is outside 0 to 9999", y)
	}
	return t.Format(boundTime), nil
}

// Times are the columns of a result that hold times: those that the schema declares
// as DATE, DATETIME or TIMESTAMP. Expressions have no declared type, so what they
// return is never a time.
type Times []int

// NewTimes finds the columns among the declared types of a result's columns.
func NewTimes(declared []string) Times {
	var times Times
	for i, d := range declared {
		switch TypeName(d) {
		case "DATE", "DATETIME", "TIMESTAMP":
			times = append(times, i)
		}
	}
	return times
}

// Convert makes a [time.Time] of text in one of SQLite's forms, and of an integer,
// which counts seconds, or milliseconds beyond 1e12, since 1970. This is how
// mattn/go-sqlite3 reads them. Whatever else the columns hold stays as it is.
func (times Times) Convert(row []driver.Value) {
	for _, i := range times {
		switch v := row[i].(type) {
		case string:
			if t, ok := parseTime(v); ok {
				row[i] = t
			}
		case int64:
			if v > 1e12 || v < -1e12 {
				row[i] = time.UnixMilli(v).UTC()
			} else {
				row[i] = time.Unix(v, 0).UTC()
			}
		}
	}
}

// parseTime reads text that is a time and nothing else. Without an offset it is UTC,
// as for SQLite.
func parseTime(text string) (time.Time, bool) {
	if len(text) < len("2006-01-02") || len(text) > len(boundTime)+1 {
		return time.Time{}, false
	}
	text = strings.TrimSuffix(text, "Z")
	for _, form := range storedTimes {
		if t, err := time.Parse(form, text); err == nil {
			if _, offset := t.Zone(); offset == 0 {
				t = t.UTC()
			}
			return t, true
		}
	}
	return time.Time{}, false
}

// TypeName returns a declared type in upper case and without its length: VARCHAR for
// varchar(10).
func TypeName(declared string) string {
	name, _, _ := strings.Cut(declared, "(")
	return strings.ToUpper(strings.TrimSpace(name))
}
