package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// The write-ahead log, as https://sqlite.org/fileformat2.html section 4 has it.
const (
	walHeaderSize   = 32
	frameHeaderSize = 24
	pageSize        = PageSize
	// PageSize is the size of a page, in bytes: the only one that the sync protocols know.
	PageSize = 4096
	// FrameSize is the size of a frame of the log: a header and a page, in bytes.
	FrameSize = frameHeaderSize + pageSize
)

// wal follows the write-ahead log of a database, from outside SQLite. It is not safe for
// concurrent use; SQLite may write the log at the same time.
type wal struct {
	path string
	file *os.File // nil until there is a log

	salt  [8]byte // of the header, "" before the first
	order binary.ByteOrder
	sum   [2]uint32 // running checksum after the last committed frame
	// pages has the page number of each committed frame. A frame that is valid but
	// not committed may still be written anew.
	pages []uint32
}

// scan reads what was committed since the last scan. It reports whether the log
// began anew, in which case pages are those of the new one.
func (w *wal) scan() (restarted bool, err error) {
	var header [walHeaderSize]byte
	if ok, err := w.read(header[:], 0); !ok {
		return false, err
	}
	if salt := [8]byte(header[16:24]); salt != w.salt {
		order := binary.ByteOrder(binary.LittleEndian)
		if header[3]&1 == 1 {
			order = binary.BigEndian
		}
		sum := checksum(order, [2]uint32{}, header[:24])
		if sum != [2]uint32{binary.BigEndian.Uint32(header[24:]), binary.BigEndian.Uint32(header[28:])} {
			return false, nil // being written
		}
		if size := binary.BigEndian.Uint32(header[8:]); size != pageSize {
			return false, fmt.Errorf("read log: pages have %d bytes, the sync protocol wants %d", size, pageSize)
		}
		restarted = w.salt != [8]byte{}
		w.salt, w.order, w.sum, w.pages = salt, order, sum, nil
	}
	var (
		frame [FrameSize]byte
		sum   = w.sum
		fresh []uint32
	)
	for {
		n := len(w.pages) + len(fresh)
		if ok, err := w.read(frame[:], n); !ok {
			return restarted, err
		}
		if [8]byte(frame[8:16]) != w.salt {
			return restarted, nil
		}
		sum = checksum(w.order, checksum(w.order, sum, frame[:8]), frame[frameHeaderSize:])
		if sum != [2]uint32{binary.BigEndian.Uint32(frame[16:]), binary.BigEndian.Uint32(frame[20:])} {
			return restarted, nil
		}
		fresh = append(fresh, binary.BigEndian.Uint32(frame[:4]))
		if binary.BigEndian.Uint32(frame[4:8]) != 0 { // commits
			w.pages, w.sum, fresh = append(w.pages, fresh...), sum, fresh[:0]
		}
	}
}

// frames returns the committed frames from on, counted from 0, up to but not
// including to. The log may have begun anew since the scan: then they are gone and
// ok is false.
func (w *wal) frames(from, to int) (b []byte, ok bool, err error) {
	b = make([]byte, (to-from)*FrameSize)
	if ok, err := w.read(b, from); !ok {
		return nil, false, err
	}
	// A log that begins anew has its header written before its frames.
	var header [walHeaderSize]byte
	ok, err = w.read(header[:], 0)
	return b, ok && [8]byte(header[16:24]) == w.salt, err
}

// read fills b from the log: with its header, or with frames from the given one
// on. It reports false if the log is not that long.
func (w *wal) read(b []byte, frame int) (bool, error) {
	if w.file == nil {
		f, err := os.Open(w.path)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("read log: %w", err)
		}
		w.file = f
	}
	offset := int64(0)
	if len(b) != walHeaderSize {
		offset = walHeaderSize + int64(frame)*FrameSize
	}
	_, err := w.file.ReadAt(b, offset)
	if err == io.EOF {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read log: %w", err)
	}
	return true, nil
}

func (w *wal) close() error {
	if w.file == nil {
		return nil
	}
	return w.file.Close()
}

// checksum continues a checksum of the log over b, whose length is a multiple of 8.
func checksum(order binary.ByteOrder, s [2]uint32, b []byte) [2]uint32 {
	for ; len(b) >= 8; b = b[8:] {
		s[0] += order.Uint32(b) + s[1]
		s[1] += order.Uint32(b[4:]) + s[0]
	}
	return s
}
