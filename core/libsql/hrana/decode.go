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
		if err := s.hold(48 + len(c.name) + len(c.declType)); err != nil {
			return nil, err
		}
		cols = append(cols, c)
	}
}

// row reads a row of exactly len(dest) values.
func (s *scanner) row(dest []driver.Value) error {
	defer s.release(s.held)
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
		if err := s.hold(valueSize(dest[i])); err != nil {
			return err
		}
	}
}

// anyRow reads a row whose columns are not known yet.
func (s *scanner) anyRow() (row []driver.Value, err error) {
	defer s.release(s.held)
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
		if err := s.hold(16 + valueSize(v)); err != nil {
			return nil, err
		}
		row = append(row, v)
	}
}

var errBudget = errors.New("hrana: what is held in memory exceeds Config.MaxMemory")

// hold counts bytes that stay in memory beside what is read next.
func (s *scanner) hold(n int) error {
	if cap(s.scratch) > keepScrap && s.held+n+cap(s.scratch) > s.limit {
		s.scratch = nil // what it was copied to is what counts
	}
	if s.held += n; s.held > s.limit {
		return errBudget
	}
	return nil
}

// holdRow counts a row that is kept.
func (s *scanner) holdRow(row []driver.Value) error {
	size := 24 + 16*len(row)
	for _, v := range row {
		size += valueSize(v)
	}
	return s.hold(size)
}

// release goes back to what was held then.
func (s *scanner) release(held int) { s.held = held }

// valueSize returns the number of bytes that a value takes outside of its row.
func valueSize(v driver.Value) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case []byte:
		return len(v)
	}
	return 0
}
