//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

/*
#include "native.h"
*/
import "C"

import (
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"math"
	"time"
	"unsafe"

	"github.com/zen-auth/zen/internal/sqlite"
)

// The results of sqlite3_step.
const (
	stepRow  = 100
	stepDone = 101
)

// statement is a prepared statement.
type statement struct {
	d *database
	h *C.sqlite3_stmt
	// params are the parameters' names with their prefix, "" for those without.
	params []string
	busy   bool // rows read from it
	orphan bool // and give it up when they are done

	text  string // all of it, where it may be kept to run again, else ""
	reads bool   // where it may be kept: it changes nothing
	kept  bool   // in the database's kept ones
	taken bool   // by somebody, since it was kept

	// The columns, as they were when it had been compiled anew so many times.
	described    bool
	compiled     int
	names, types []string
	times        sqlite.Times
}

// prepare compiles the first statement of sql, and returns what is after it. There is
// none in white space and comments.
func (d *database) prepare(sql string) (s *statement, rest string, err error) {
	if sql == "" {
		return nil, "", nil
	}
	var h *C.sqlite3_stmt
	var tail C.int
	text := (*C.char)(unsafe.Pointer(unsafe.StringData(sql)))
	if rc := C.zen_prepare(d.h, text, C.int(len(sql)), &h, &tail); rc != 0 {
		return nil, "", d.failure(int(rc))
	}
	if h == nil {
		return nil, "", nil
	}
	s = &statement{d: d, h: h, params: make([]string, int(C.sqlite3_bind_parameter_count(h)))}
	for i := range s.params {
		s.params[i] = C.GoString(C.sqlite3_bind_parameter_name(h, C.int(i+1)))
	}
	return s, sql[tail:], nil
}

// What is kept of a connection's statements, so that one whose text comes again need not be
// compiled again. SQLite compiles it anew by itself when the schema has changed.
const (
	maxKept     = 32
	maxKeptText = 4 << 10 // bytes of one
)

// keepable lets the statement be kept when it is released, if it is one that repeats. text is
// what it was compiled from, with nothing else in it.
func (s *statement) keepable(text string) {
	if len(text) <= maxKeptText && sqlite.Repeats(text) {
		s.text, s.reads = text, sqlite.OnlyReads(text)
	}
}

// take returns the kept statement with a text, which is the caller's until it is released. It
// is nil if there is none, or somebody has it, or a database is attached: SQLite doesn't look
// whether a name that was found there is one of the main database by now.
func (d *database) take(text string) *statement {
	s := d.kept[text]
	if s == nil || s.taken || d.state.attached != 0 {
		return nil
	}
	s.taken = true
	return s
}

// release gives a statement up. It is kept if it can be, in the place of any other if need be.
// The error is that of reset.
func (d *database) release(s *statement) error {
	if d.h == nil {
		s.close()
		return nil
	}
	err := s.reset()
	s.orphan = false
	switch {
	case s.kept:
		s.taken = false
	case s.text == "" || d.kept[s.text] != nil || len(d.kept) >= maxKept && !d.drop():
		s.close()
	default:
		s.kept = true
		d.kept[s.text] = s
	}
	return err
}

// drop closes one of the kept statements, unless somebody has each of them.
func (d *database) drop() bool {
	for text, s := range d.kept {
		if !s.taken {
			delete(d.kept, text)
			s.close()
			return true
		}
	}
	return false
}

// close finalizes the statement. Its error would be that of the last step.
func (s *statement) close() {
	C.sqlite3_finalize(s.h)
	s.h = nil
}

// reset makes the statement ready to run again, with nothing bound to it. The error is that of
// a commit, or of the last step, if that had one.
func (s *statement) reset() (err error) {
	s.busy = false
	if s.d.h == nil {
		return nil
	}
	var bound C.int
	if len(s.params) > 0 {
		bound = 1
	}
	if rc := C.zen_reset(s.h, bound, s.d.state); rc != 0 {
		err = s.d.failure(int(rc))
	}
	return err
}

// bind binds arguments that checkArgs has found to fit. Ordinals count from 1.
func (s *statement) bind(args []driver.NamedValue) error {
	for i, name := range s.params {
		arg := sqlite.Argument(name, i+1, args)
		if arg < 0 {
			continue
		}
		if rc := s.bindValue(C.int(i+1), args[arg].Value); rc != 0 {
			return fmt.Errorf("bind argument %d: %w", arg+1, s.d.failure(int(rc)))
		}
	}
	return nil
}

func (s *statement) bindValue(i C.int, value driver.Value) C.int {
	switch v := value.(type) {
	case int64:
		return C.sqlite3_bind_int64(s.h, i, C.int64_t(v))
	case float64:
		return C.sqlite3_bind_double(s.h, i, C.double(v))
	case string:
		return C.zen_bind_text(s.h, i, (*C.char)(unsafe.Pointer(unsafe.StringData(v))), C.size_t(len(v)))
	case []byte:
		return C.zen_bind_blob(s.h, i, unsafe.Pointer(unsafe.SliceData(v)), C.size_t(len(v)))
	}
	return C.sqlite3_bind_null(s.h, i)
}

// writes reports whether the statement may change the database.
func (s *statement) writes() bool { return C.sqlite3_stmt_readonly(s.h) == 0 }

// run steps to the end, and drops rows.
func (s *statement) run() (result, error) {
	if rc := C.zen_run(s.h, s.d.state); rc != stepDone {
		return result{}, s.d.failure(int(rc))
	}
	return result{int64(s.d.state.id), int64(s.d.state.changed)}, nil
}

// describe asks for the columns, unless it has since the statement was compiled, or
// compiled anew: which it was so many times.
func (s *statement) describe(compiled int) {
	if s.described && s.compiled == compiled {
		return
	}
	n := int(C.sqlite3_column_count(s.h))
	s.names, s.types = make([]string, n), make([]string, n)
	for i := range n {
		s.names[i] = C.GoString(C.sqlite3_column_name(s.h, C.int(i)))
		s.types[i] = C.GoString(C.sqlite3_column_decltype(s.h, C.int(i)))
	}
	s.times = sqlite.NewTimes(s.types)
	s.described, s.compiled = true, compiled
}

// batch is rows that were fetched and not read yet.
type batch struct {
	c     *C.zen_batch
	rest  []byte
	rows  int
	ended bool
	later bool // the first fill is over
}

const (
	firstBatch = 64 << 10 // bytes
	maxRows    = 512      // of a batch
	maxAhead   = 16 << 20 // bytes of rows that are read ahead
)

// newBatch returns an empty one. With ahead, it takes all rows at once where that is not too
// much.
func (d *database) newBatch(ahead bool) *batch {
	b := d.spare
	d.spare = nil
	if b == nil {
		b = &batch{c: (*C.zen_batch)(C.calloc(1, C.sizeof_zen_batch))}
		b.grow(firstBatch)
	}
	b.c.max, b.c.ahead = 1, 0
	if ahead {
		b.c.ahead = maxAhead
	}
	return b
}

// giveBack takes a batch that nobody reads from any more.
func (d *database) giveBack(b *batch) {
	if d.h == nil || d.spare != nil || b.c.size != firstBatch {
		b.free()
		return
	}
	b.c.pending, b.rest, b.rows, b.ended, b.later = 0, nil, 0, false, false
	d.spare = b
}

func (b *batch) grow(size C.size_t) {
	C.free(unsafe.Pointer(b.c.data))
	b.c.data, b.c.size = (*C.uchar)(C.malloc(size)), size
}

func (b *batch) free() {
	C.free(unsafe.Pointer(b.c.data))
	C.free(unsafe.Pointer(b.c))
	b.c, b.rest, b.rows = nil, nil, 0
}

// fill fetches rows: one at first, and later as many as come within moments, so that a slow
// query's rows don't wait for others.
func (b *batch) fill(s *statement) error {
	var began time.Time
	if b.later { // most queries have one row, and the clock costs what a value does
		began = time.Now()
	}
	for !b.ended {
		rc := C.zen_fetch(s.h, b.c, s.d.state)
		b.rows, b.rest = int(b.c.rows), unsafe.Slice((*byte)(b.c.data), int(b.c.used))
		switch {
		case rc == stepRow && b.rows == 0:
			b.grow(b.c.need)
			continue
		case rc == stepRow:
			if b.later {
				b.c.max = C.int(nextBatch(int(b.c.max), time.Since(began)))
			} else {
				b.c.max, b.later = 2, true
			}
		case rc == stepDone:
			b.ended = true
		default:
			b.ended = true
			return s.d.failure(int(rc))
		}
		return nil
	}
	return nil
}

// nextBatch returns how many rows to fetch after so many that took so long.
func nextBatch(rows int, took time.Duration) int {
	switch {
	case took < 100*time.Microsecond:
		return min(8*rows, maxRows)
	case took > time.Millisecond:
		return max(1, rows/8)
	}
	return rows
}

// next reads a row into dest. The values are copies.
func (b *batch) next(dest []driver.Value) {
	p := b.rest
	for i := range dest {
		kind, bits := p[0], binary.NativeEndian.Uint64(p[1:9])
		p = p[9:]
		switch kind {
		case C.INTEGER:
			dest[i] = int64(bits)
		case C.FLOAT:
			dest[i] = math.Float64frombits(bits)
		case C.TEXT:
			dest[i] = string(p[:bits])
			p = p[bits:]
		case C.BLOB:
			dest[i] = append(make([]byte, 0, bits), p[:bits]...)
			p = p[bits:]
		default:
			dest[i] = nil
		}
	}
	b.rest = p
	b.rows--
}
