package sqlite

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// CheckValue makes an argument one of nil, int64, float64, string and []byte, as it is
// bound, or says why it can't be.
func CheckValue(v any) (driver.Value, error) {
	if _, ok := v.(sql.Out); ok {
		return nil, errors.New("SQLite has no output parameters")
	}
	dv, err := driver.DefaultParameterConverter.ConvertValue(v)
	if err != nil {
		return nil, err
	}
	switch dv := dv.(type) {
	case bool:
		if dv {
			return int64(1), nil
		}
		return int64(0), nil
	case float64:
		if math.IsNaN(dv) || math.IsInf(dv, 0) {
			return nil, fmt.Errorf("float %v has no JSON form", dv)
		}
	case string:
		if !utf8.ValidString(dv) {
			return nil, errors.New("string is not valid UTF-8: bind a []byte to store bytes")
		}
	case []byte:
		if dv == nil {
			return nil, nil
		}
	case time.Time:
		return bindTime(dv)
	}
	return dv, nil
}

// ArgumentError reports arguments that don't fit a statement's parameters. Nothing
// was sent.
type ArgumentError struct{ Message string }

func (e *ArgumentError) Error() string { return e.Message }

func argumentErrorf(format string, a ...any) error {
	return &ArgumentError{fmt.Sprintf(format, a...)}
}
