package hrana

import "database/sql/driver"

// column is a result column; declType is empty if the server gave none.
type column struct{ name, declType string }

// outcome is the result of one step. If neither done nor err is set, it was skipped.
type outcome struct {
	done     bool
	err      *Error
	cols     []column
	hasCols  bool
	rows     [][]driver.Value // where they are kept, or came before cols
	affected int64
	rowID    int64
	hasRowID bool
}

// stmt reads the result of one statement.
func (r *reply) stmt() error {
	o := &r.steps[r.step]
	o.done = true
	return r.s.object(func(key []byte) (err error) {
		switch string(key) {
		case "cols":
			o.cols, err = r.s.columns()
			o.hasCols = true
		case "rows":
			return r.rows(o)
		case "affected_row_count":
			o.affected, _, err = r.s.integer()
		case "last_insert_rowid":
			o.rowID, o.hasRowID, err = r.s.integer()
		default:
			err = r.s.skip()
		}
		return err
	})
}

// rows reads an array of rows in the way that mode says.
func (r *reply) rows(o *outcome) error {
	if r.mode == dropRows || r.mode == streamRows && r.step != r.target {
		return r.s.skip()
	}
	if err := r.s.open('['); err != nil {
		return err
	}
	if r.mode == streamRows && o.hasCols && o.rows == nil {
		return errPaused
	}
	for {
		more, err := r.s.more(']')
		if err != nil || !more {
			return err
		}
		var row []driver.Value
		if o.hasCols {
			row = make([]driver.Value, len(o.cols))
			err = r.s.row(row)
		} else {
			row, err = r.s.anyRow()
		}
		if err != nil {
			return err
		}
		o.rows = append(o.rows, row)
		if err := r.s.holdRow(row); err != nil {
			return err
		}
	}
}
