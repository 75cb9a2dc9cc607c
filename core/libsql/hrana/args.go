package hrana

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"
)

// timeFormat is how a time.Time is bound: UTC with nine digits, so that equal
// instants are equal text, text sorts by time, and SQLite's date functions
// read it.
const timeFormat = "2006-01-02T15:04:05.000000000Z"

// checkValue makes an argument one of nil, int64, float64, string and []byte,
// or says why it can't be sent.
func checkValue(v any) (driver.Value, error) {
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
		t := dv.UTC()
		if y := t.Year(); y < 0 || y > 9999 {
			return nil, fmt.Errorf("year %d is outside 0 to 9999", y)
		}
		return t.Format(timeFormat), nil
	}
	return dv, nil
}

// check reports arguments that don't fit the parameters. A server may bind NULL
// to a parameter without an argument, so this must not be left to it.
func (p *params) check(args []driver.NamedValue) error {
	named := 0
	for i := range args {
		if args[i].Name != "" {
			named++
		}
	}
	switch {
	case named == 0 && len(p.names) == 0:
		if len(args) != p.count {
			return argumentErrorf("number of arguments: the statement wants %d, got %d", p.count, len(args))
		}
		return nil
	case p.positional && len(p.names) > 0:
		return argumentErrorf("statement mixes ? with %s: Hrana binds one kind at a time", p.names[0])
	case named == 0 && len(args) > 0:
		return argumentErrorf("statement has named parameters such as %s: pass sql.Named arguments", p.names[0])
	case named < len(args):
		return argumentErrorf("arguments mix named and positional ones")
	case p.positional:
		return argumentErrorf("statement has ? parameters, got argument named %q", args[0].Name)
	}
	return p.checkNames(args)
}

func (p *params) checkNames(args []driver.NamedValue) error {
	for _, name := range p.names {
		if p.find(name, args) < 0 {
			return argumentErrorf("no argument for parameter %s", name)
		}
	}
	for i := range args {
		known := false
		for _, name := range p.names {
			known = known || sameName(name, args[i].Name)
		}
		if !known {
			return argumentErrorf("statement has no parameter named %q", args[i].Name)
		}
		for _, other := range args[:i] {
			if other.Name == args[i].Name {
				return argumentErrorf("two arguments named %q", other.Name)
			}
		}
	}
	return nil
}

// find returns the argument for a parameter, -1 if there is none.
func (p *params) find(name string, args []driver.NamedValue) int {
	for i := range args {
		if sameName(name, args[i].Name) {
			return i
		}
	}
	return -1
}

// sameName compares a parameter, which has a prefix, with an argument's name,
// which sql.Named lets have none.
func sameName(param, arg string) bool { return param == arg || param[1:] == arg }

// ArgumentError reports arguments that don't fit a statement's parameters. Nothing
// was sent.
type ArgumentError struct{ Message string }

func (e *ArgumentError) Error() string { return e.Message }

func argumentErrorf(format string, a ...any) error {
	return &ArgumentError{fmt.Sprintf(format, a...)}
}
