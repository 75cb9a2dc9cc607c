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
	orphan bool // and close it when they are done
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

// close finalizes the statement. Its error would be that of the last step.
func (s *statement) close() {
	C.sqlite3_finalize(s.h)
	s.h = nil
}

// reset makes the statement ready to run again. The error is the last step's.
func (s *statement) reset() {
	C.sqlite3_reset(s.h)
	C.sqlite3_clear_bindings(s.h)
	s.busy = false
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

// run steps to the end, and drops rows.
func (s *statement) run() error {
	for {
		switch rc := C.sqlite3_step(s.h); rc {
		case stepRow:
		case stepDone:
			return nil
		default:
			return s.d.failure(int(rc))
		}
	}
}

func (s *statement) columns() (names, types []string) {
	n := int(C.sqlite3_column_count(s.h))
	names, types = make([]string, n), make([]string, n)
	for i := range n {
		names[i] = C.GoString(C.sqlite3_column_name(s.h, C.int(i)))
		types[i] = C.GoString(C.sqlite3_column_decltype(s.h, C.int(i)))
	}
	return names, types
}

// batch is rows that were fetched and not read yet.
type batch struct {
	c     *C.zen_batch
	rest  []byte
	rows  int
	ended bool
}

const (
	firstBatch = 64 << 10 // bytes
	maxRows    = 512      // of a batch
	maxAhead   = 16 << 20 // bytes of rows that are read ahead
)

// newBatch makes one. With ahead, it takes all rows at once where that is not too much.
func newBatch(ahead bool) *batch {
	b := &batch{c: (*C.zen_batch)(C.calloc(1, C.sizeof_zen_batch))}
	b.grow(firstBatch)
	b.c.max = 1
	if ahead {
		b.c.ahead = maxAhead
	}
	return b
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

// fill fetches rows: one at first, and then twice as many each time, so that a slow
// query's first row doesn't wait for others.
func (b *batch) fill(s *statement) error {
	for !b.ended {
		rc := C.zen_fetch(s.h, b.c)
		b.rows, b.rest = int(b.c.rows), unsafe.Slice((*byte)(b.c.data), int(b.c.used))
		switch {
		case rc == stepRow && b.rows == 0:
			b.grow(b.c.need)
			continue
		case rc == stepRow:
			b.c.max = min(2*b.c.max, maxRows)
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
