package hrana

import (
	"math"
	"strconv"
	"strings"
)

// The types that serde derives readers for.

// structure reads a struct: an object with its fields, or a list of them in their
// order. The fields whose bit is set in required must be there.
func (d *decoder) structure(name string, fields []string, required uint, read func(field int) error) error {
	c := d.peek()
	switch {
	case d.atEnd():
		return d.errorNext("EOF while parsing a value")
	case c == '[':
		return d.tuple(name, fields, required, read)
	case c != '{':
		return d.wrongType(name)
	}
	var seen uint
	if err := d.enter(); err != nil {
		return err
	}
	err := d.members(func(key []byte) error {
		for i, f := range fields {
			if string(key) != f {
				continue
			}
			if seen&(1<<i) != 0 {
				return errorText("duplicate field `%s`", f)
			}
			seen |= 1 << i
			if err := d.colon(); err != nil {
				return err
			}
			return read(i)
		}
		if err := d.colon(); err != nil {
			return err
		}
		return d.skip()
	})
	if err == nil {
		for i, f := range fields {
			if required&^seen&(1<<i) != 0 {
				err = errorText("missing field `%s`", f)
				break
			}
		}
	}
	return d.closeObject(err)
}

// tuple reads a struct that is written as a list.
func (d *decoder) tuple(name string, fields []string, required uint, read func(field int) error) error {
	if err := d.enter(); err != nil {
		return err
	}
	var err error
	for i := range fields {
		var more bool
		if more, err = d.more(i == 0, ']', "EOF while parsing a list", "expected `,` or `]`"); err != nil {
			break
		}
		if !more {
			if required>>i != 0 {
				plural := "s"
				if len(fields) == 1 {
					plural = ""
				}
				err = errorText("invalid length %d, expected %s with %d element%s", i, name, len(fields), plural)
			}
			break
		}
		if err = read(i); err != nil {
			break
		}
	}
	return d.closeList(err)
}

// null reads a null if that is next.
func (d *decoder) null() (bool, error) {
	if d.peek() != 'n' {
		return false, nil
	}
	return true, d.word("null")
}

// string reads a string; with borrow one without escapes.
func (d *decoder) string(borrow bool) (string, error) {
	wanted := "a string"
	if borrow {
		wanted = "a borrowed string"
	}
	if d.peek() != '"' {
		return "", d.wrongType(wanted)
	}
	s, borrowed, err := d.text()
	if err == nil && borrow && !borrowed {
		err = d.errorHere("invalid type: string " + rustQuote(string(s)) + ", expected " + wanted)
	}
	return string(s), err
}

// optional reads a string or null.
func (d *decoder) optional(into **string) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	s, err := d.string(false)
	*into = &s
	return err
}

func (d *decoder) isNumber() bool {
	c := d.peek()
	return !d.atEnd() && (c == '-' || '0' <= c && c <= '9')
}

// integer reads an integer of a type with these bounds.
func (d *decoder) integer(name string, least, most int64) (int64, error) {
	if !d.isNumber() {
		return 0, d.wrongType(name)
	}
	n, err := d.number()
	switch {
	case err != nil:
		return 0, err
	case !n.integer:
		return 0, d.errorHere("invalid type: " + n.unexpected() + ", expected " + name)
	case n.negative < least, n.positive > uint64(most):
		return 0, d.errorHere("invalid value: " + n.unexpected() + ", expected " + name)
	case n.negative < 0:
		return n.negative, nil
	}
	return int64(n.positive), nil
}

func (d *decoder) float() (float64, error) {
	if !d.isNumber() {
		return 0, d.wrongType("f64")
	}
	n, err := d.number()
	return n.float, err
}

func (d *decoder) int32(into *int32) error {
	n, err := d.integer("i32", math.MinInt32, math.MaxInt32)
	*into = int32(n)
	return err
}

// sqlID reads the number of a stored SQL text.
func (d *decoder) sqlID(into **int32) error {
	*into = new(int32)
	return d.int32(*into)
}

// optionalSQLID reads one that may be null.
func (d *decoder) optionalSQLID(into **int32) error {
	if null, err := d.null(); null || err != nil {
		return err
	}
	return d.sqlID(into)
}

// denied reads a boolean or null, and reports whether it is false.
func (d *decoder) denied() (bool, error) {
	c := d.peek()
	if c == 'n' || c == 't' || c == 'f' {
		return c == 'f', d.skip()
	}
	return false, d.wrongType("a boolean")
}

// replicationIndex reads the number of a frame, which a primary has no use for.
func (d *decoder) replicationIndex() error {
	const wanted = "a string representing an integer, or null"
	c := d.peek()
	switch {
	case c == 'n':
		return d.skip()
	case d.isNumber():
		n, err := d.number()
		if err == nil && (!n.integer || n.negative < 0) {
			err = d.errorHere("invalid type: " + n.unexpected() + ", expected " + wanted)
		}
		return err
	case c == '"':
		s, err := d.string(false)
		if err != nil {
			return err
		}
		return d.placed(parseU64(s))
	}
	return d.wrongType(wanted)
}

// parseU64 refuses what Rust's u64 can't be read from.
func parseU64(s string) error {
	digits := strings.TrimPrefix(s, "+")
	if s == "" {
		return errorText("cannot parse integer from empty string")
	}
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return errorText("invalid digit found in string")
	}
	if _, err := strconv.ParseUint(digits, 10, 64); err != nil {
		return errorText("number too large to fit in target type")
	}
	return nil
}

// tagged reads a value of an enum whose member type names its variant. What else is
// in it is read again, from the decoder that is returned: its errors have no place,
// as serde has put the members aside then.
func (d *decoder) tagged(name string, variants []string) (variant int, body *decoder, err error) {
	variant = -1
	c := d.peek()
	start := d.i
	switch {
	case d.atEnd():
		return 0, nil, d.errorNext("EOF while parsing a value")
	case c == '[':
		if err := d.enter(); err != nil {
			return 0, nil, err
		}
		err = func() error {
			more, err := d.more(true, ']', "EOF while parsing a list", "")
			if err != nil {
				return err
			}
			if !more {
				return errorText("missing field `type`")
			}
			if variant, err = d.variant(variants); err != nil {
				return err
			}
			start = d.i
			for {
				more, err := d.more(false, ']', "EOF while parsing a list", "expected `,` or `]`")
				if err != nil || !more {
					return err
				}
				if err := d.skip(); err != nil {
					return err
				}
			}
		}()
		if err = d.closeList(err); err != nil {
			return 0, nil, err
		}
		rest := strings.TrimLeft(string(d.b[start:d.i]), " \n\t\r,")
		return variant, &decoder{b: []byte("[" + rest)}, nil
	case c != '{':
		return 0, nil, d.wrongType("internally tagged enum " + name)
	}
	if err := d.enter(); err != nil {
		return 0, nil, err
	}
	err = d.members(func(key []byte) (err error) {
		if string(key) != "type" {
			if err := d.colon(); err != nil {
				return err
			}
			return d.skip()
		}
		if variant >= 0 {
			return errorText("duplicate field `type`")
		}
		if err := d.colon(); err != nil {
			return err
		}
		variant, err = d.variant(variants)
		return err
	})
	if err == nil && variant < 0 {
		err = errorText("missing field `type`")
	}
	if err = d.closeObject(err); err != nil {
		return 0, nil, err
	}
	return variant, &decoder{b: d.b[:d.i], i: start}, nil
}

func (d *decoder) variant(names []string) (int, error) {
	if d.peek() != '"' {
		if !d.isNumber() {
			return 0, d.wrongType("variant identifier")
		}
		n, err := d.integer("variant identifier", 0, math.MaxInt64)
		if err == nil && n >= int64(len(names)) {
			err = d.errorHere("invalid value: integer `" + strconv.FormatInt(n, 10) + "`, expected variant index 0 <= i < " + strconv.Itoa(len(names)))
		}
		return int(n), err
	}
	s, _, err := d.text()
	if err != nil {
		return 0, err
	}
	for i, name := range names {
		if string(s) == name {
			return i, nil
		}
	}
	return 0, d.errorHere("unknown variant `" + string(s) + "`, expected one of `" + strings.Join(names, "`, `") + "`")
}

// displaced takes the place from an error of a body that [decoder.tagged] returned.
func displaced(err error) error {
	if e, ok := err.(*jsonError); ok {
		e.line = 0
	}
	return err
}
