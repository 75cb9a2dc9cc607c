package hrana

import (
	"database/sql/driver"
	"errors"
	"strconv"

	"github.com/zen-auth/zen/internal/text"
)

// maxColumns is the most that SQLITE_LIMIT_COLUMN can be set to.
const maxColumns = 32767

// object reads the rest of an object that is open, calling member for each key.
// The key's bytes are good until member reads on.
func (s *scanner) object(member func(key []byte) error) error {
	for {
		more, err := s.more('}')
		if err != nil || !more {
			return err
		}
		key, err := s.key()
		if err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
	}
}

// null reads null if that is what comes next.
func (s *scanner) null() (bool, error) {
	c, err := s.peek()
	if err != nil || c != 'n' {
		return false, err
	}
	b, err := s.bare()
	if err == nil && string(b) != "null" {
		err = protocolError("%q instead of null", b)
	}
	return true, err
}

// text reads a string, or null as "".
func (s *scanner) text() (string, error) {
	if null, err := s.null(); null || err != nil {
		return "", err
	}
	b, err := s.str()
	return string(b), err
}

// integer reads a whole number, which servers write bare or in quotes, or null.
func (s *scanner) integer() (n int64, ok bool, err error) {
	b, _, err := s.scalar()
	if err != nil || string(b) == "null" {
		return 0, false, err
	}
	if n, err = strconv.ParseInt(string(b), 10, 64); err != nil {
		return 0, false, protocolError("%.40q is not an integer of 64 bits", b)
	}
	return n, true, nil
}

// hranaError reads an Error object. A bare string, which some servers send for
// a cursor's last error, is its message.
func (s *scanner) hranaError() (*Error, error) {
	e := &Error{}
	c, err := s.peek()
	if err != nil {
		return nil, err
	}
	if c == '"' {
		e.Message, err = s.text()
		return e, err
	}
	if err := s.open('{'); err != nil {
		return nil, err
	}
	err = s.object(func(key []byte) (err error) {
		switch string(key) {
		case "message":
			e.Message, err = s.text()
		case "code":
			e.Code, err = s.text()
		default:
			err = s.skip()
		}
		return err
	})
	e.Message = text.Line(e.Message, len(e.Message))
	e.Code = text.Line(e.Code, len(e.Code))
	return e, err
}

func (s *scanner) columns() ([]column, error) {
	if err := s.open('['); err != nil {
		return nil, err
	}
	cols := []column{}
	for {
		more, err := s.more(']')
		if err != nil || !more {
			return cols, err
		}
		if len(cols) == maxColumns {
			return nil, protocolError("more than %d columns", maxColumns)
		}
		if err := s.open('{'); err != nil {
			return nil, err
		}
		var c column
		err = s.object(func(key []byte) (err error) {
			switch string(key) {
			case "name":
				c.name, err = s.text()
			case "decltype":
				c.declType, err = s.text()
			default:
				err = s.skip()
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		cols = append(cols, c)
	}
}

// row reads a row of exactly len(dest) values.
func (s *scanner) row(dest []driver.Value) error {
	if err := s.open('['); err != nil {
		return err
	}
	for i := 0; ; i++ {
		more, err := s.more(']')
		if err != nil {
			return err
		}
		if !more && i == len(dest) {
			return nil
		}
		if !more || i == len(dest) {
			return protocolError("row without exactly %d values", len(dest))
		}
		if dest[i], err = s.value(); err != nil {
			return err
		}
	}
}

// anyRow reads a row whose columns are not known yet.
func (s *scanner) anyRow() (row []driver.Value, err error) {
	if err := s.open('['); err != nil {
		return nil, err
	}
	for {
		more, err := s.more(']')
		if err != nil || !more {
			return row, err
		}
		if len(row) == maxColumns {
			return nil, protocolError("more than %d columns", maxColumns)
		}
		v, err := s.value()
		if err != nil {
			return nil, err
		}
		row = append(row, v)
	}
}

// budget is how many bytes rows in memory may still take.
type budget int64

var errBudget = errors.New("hrana: rows held in memory exceed Config.MaxMemory")

func (b *budget) spend(row []driver.Value) error {
	size := 24 + 16*len(row)
	for _, v := range row {
		switch v := v.(type) {
		case string:
			size += len(v)
		case []byte:
			size += len(v)
		}
	}
	if *b -= budget(size); *b < 0 {
		return errBudget
	}
	return nil
}
