//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica

/*
#include "native.h"
*/
import "C"

import (
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"unsafe"

	"github.com/zen-auth/zen/core/libsql/hrana"
)

// pageSize is the only one that the sync protocol knows.
const pageSize = 4096

// frameSize is a frame of a write-ahead log: a header and a page.
const frameSize = 24 + pageSize

// writer puts the database's frames into the file's write-ahead log, and keeps the log as
// it is at the database: it is copied to the file at the end of a generation, and at no
// other time.
type writer struct {
	d    *database
	file fs.FileInfo // that d has open
	open bool        // a transaction is, of which more frames are to come
}

// openWriter opens the file at path.
func openWriter(path string) (*writer, error) {
	file, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	d, err := openDatabase(path, openReadWrite, 0)
	if err != nil {
		return nil, err
	}
	if _, err = (&conn{d: d}).ExecContext(context.Background(), "PRAGMA journal_mode = WAL", nil); err == nil {
		err = d.check(C.zen_keep_log(d.h))
	}
	// The library takes as many bytes of a frame as the file's pages have, whatever the
	// frame's length is.
	if size := d.pragma("page_size"); err == nil && size != int64(pageSize) {
		err = wrong(fmt.Sprintf("replica %s can't follow its database: it has pages of %v bytes, and the sync protocol has pages of %d", path, size, pageSize), "use the mode remote")
	}
	if err != nil {
		d.close()
		return nil, err
	}
	return &writer{d: d, file: file}, nil
}

// isOf reports whether the writer has the file at path open.
func (w *writer) isOf(path string) bool {
	now, err := os.Stat(path)
	return err == nil && os.SameFile(now, w.file)
}

// transaction splits the frames after those of the first transaction, and reports whether
// its end is among them.
func transaction(frames []byte) (first, rest []byte, ends bool) {
	for n := 0; n < len(frames); n += frameSize {
		if binary.BigEndian.Uint32(frames[n+4:]) != 0 { // the pages of the database after a commit
			return frames[:n+frameSize], frames[n+frameSize:], true
		}
	}
	return frames, nil, false
}

// insert writes frames of one transaction, the first of them with that number. Those that
// the log has already must be the same. The transaction is on the disk when its end is.
func (w *writer) insert(number uint32, frames []byte, ends bool) error {
	if !w.open {
		if err := w.d.check(C.libsql_wal_insert_begin(w.d.h)); err != nil {
			return err
		}
		w.open = true
	}
	var conflict C.int
	rc := C.zen_insert(w.d.h, C.uint(number), (*C.uchar)(unsafe.Pointer(unsafe.SliceData(frames))), C.uint(len(frames)/frameSize), frameSize, &conflict)
	if conflict != 0 {
		return damagedBecause(fmt.Sprintf("its log has other frames than the database from %d on", number))
	}
	if err := w.d.check(rc); err != nil || !ends {
		return err
	}
	w.open = false
	return w.d.check(C.libsql_wal_insert_end(w.d.h))
}

// truncate copies the log to the file and empties it.
func (w *writer) truncate() error {
	var left, copied C.int
	if err := w.d.check(C.sqlite3_wal_checkpoint_v2(w.d.h, nil, C.CHECKPOINT_TRUNCATE, &left, &copied)); err != nil {
		return err
	}
	if left != 0 || copied != 0 {
		return &hrana.Error{Code: "SQLITE_BUSY", Message: "the log could not be emptied"}
	}
	return nil
}

// close rolls an open transaction back.
func (w *writer) close() {
	if w.open {
		C.libsql_wal_insert_end(w.d.h)
	}
	w.d.close()
}

// check is the error of a result code.
func (d *database) check(rc C.int) error {
	if rc == 0 {
		return nil
	}
	return d.failure(int(rc))
}
