package sqlite

import (
	"database/sql/driver"
	"testing"
	"time"
)

func TestTimes(t *testing.T) {
	at := func(nano int) time.Time { return time.Date(2026, 1, 3, 4, 5, 6, nano, time.UTC) }
	day := time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		declared string
		stored   any
		want     any
	}{
		{"DATETIME", "2026-01-03 04:05:06", at(0)},
		{"datetime(3)", "2026-01-03 04:05:06.123", at(123e6)},
		{"Timestamp", "2026-01-03T04:05:06Z", at(0)},
		{"TIMESTAMP", "2026-01-03T04:05:06.000000007Z", at(7)},
		{"DATETIME", "2026-01-03 04:05:06.5+00:00", at(5e8)},
		{"DATETIME", "2026-01-03 06:05:06+02:00", at(0)},
		{"DATETIME", "2026-01-03 04:05", at(0).Truncate(time.Minute)},
		{"DATETIME", "2026-01-03T06:05+02:00", at(0).Truncate(time.Minute)},
		{"DATE", "2026-01-03", day},
		{"DATE", int64(1767413106), at(0)},
		{"TIMESTAMP", int64(1767413106007), at(7e6)},
		{"TIMESTAMP", int64(-1), time.Unix(-1, 0).UTC()},
		// What isn't a time stays as it is.
		{"DATETIME", "04:05:06", "04:05:06"},
		{"DATETIME", "now", "now"},
		{"DATETIME", "", ""},
		{"DATETIME", "2026-13-03", "2026-13-03"},
		{"DATETIME", " 2026-01-03", " 2026-01-03"},
		{"DATETIME", 1.5, 1.5},
		{"DATETIME", nil, nil},
		{"TEXT", "2026-01-03", "2026-01-03"},
		{"", "2026-01-03 04:05:06", "2026-01-03 04:05:06"},
		{"INTEGER", int64(1767413106), int64(1767413106)},
		{"TIME", "2026-01-03", "2026-01-03"},
	} {
		row := []driver.Value{"beside", test.stored}
		NewTimes([]string{"DATETIME", test.declared}).Convert(row)
		want, isTime := test.want.(time.Time)
		got, ok := row[1].(time.Time)
		if isTime != ok || ok && !got.Equal(want) || !ok && row[1] != test.want {
			t.Errorf("%s %v = %T %v, want %v", test.declared, test.stored, row[1], row[1], test.want)
		}
		if ok && got.Format("-07:00") == "+00:00" && got.Location() != time.UTC {
			t.Errorf("%v is in %v, not UTC", test.stored, got.Location())
		}
	}
}

// FuzzTimes checks that text is converted to a time or kept, and that a time's stored text is
// read as the same time.
func FuzzTimes(f *testing.F) {
	for _, form := range storedTimes {
		f.Add(form)
	}
	f.Add("2026-01-03T04:05:06Z")
	f.Fuzz(func(t *testing.T, text string) {
		row := []driver.Value{text}
		NewTimes([]string{"DATETIME"}).Convert(row)
		read, ok := row[0].(time.Time)
		if !ok {
			if row[0] != text {
				t.Fatalf("%q became %v", text, row[0])
			}
			return
		}
		stored, err := bindTime(read)
		if err != nil {
			return // with an offset, the year may have more than four digits
		}
		if again, ok := parseTime(stored); !ok || !again.Equal(read) {
			t.Fatalf("%q is %v, stored as %q, which reads as %v", text, read, stored, again)
		}
	})
}
