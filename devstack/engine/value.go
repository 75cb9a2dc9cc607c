package engine

import (
	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	lib "modernc.org/sqlite/lib"
)

// Kind is a storage class of SQLite.
type Kind uint8

// The storage classes.
const (
	Null Kind = iota
	Integer
	Float
	Text
	Blob
)

// Value is an SQL value, as it is stored. The zero Value is NULL.
type Value struct {
	Kind  Kind
	Int   int64
	Float float64
	// Bytes is the content of a Text or a Blob. In a row that a [Sink] is given it
	// is SQLite's own memory and valid until Row returns.
	Bytes []byte
}

// column reads a value of the current row, without copying its bytes.
func (s *stmt) column(i int32) Value {
	tls := s.conn.tls
	switch lib.Xsqlite3_column_type(tls, s.handle, i) {
	case lib.SQLITE_INTEGER:
		return Value{Kind: Integer, Int: lib.Xsqlite3_column_int64(tls, s.handle, i)}
	case lib.SQLITE_FLOAT:
		return Value{Kind: Float, Float: lib.Xsqlite3_column_double(tls, s.handle, i)}
	case lib.SQLITE_TEXT:
		p := lib.Xsqlite3_column_text(tls, s.handle, i)
		return Value{Kind: Text, Bytes: view(p, int(lib.Xsqlite3_column_bytes(tls, s.handle, i)))}
	case lib.SQLITE_BLOB:
		p := lib.Xsqlite3_column_blob(tls, s.handle, i)
		return Value{Kind: Blob, Bytes: view(p, int(lib.Xsqlite3_column_bytes(tls, s.handle, i)))}
	}
	return Value{}
}

// bind sets parameter i, counted from 1.
func (s *stmt) bind(i int32, v Value) error {
	tls := s.conn.tls
	var rc int32
	switch v.Kind {
	case Null:
		rc = lib.Xsqlite3_bind_null(tls, s.handle, i)
	case Integer:
		rc = lib.Xsqlite3_bind_int64(tls, s.handle, i, v.Int)
	case Float:
		rc = lib.Xsqlite3_bind_double(tls, s.handle, i, v.Float)
	case Text, Blob:
		// One byte more, since a null pointer would bind NULL instead of "".
		p := libc.Xmalloc(tls, types.Size_t(len(v.Bytes)+1))
		if p == 0 {
			return errNoMemory
		}
		copy(view(p, len(v.Bytes)), v.Bytes)
		if v.Kind == Text {
			rc = lib.Xsqlite3_bind_text64(tls, s.handle, i, p, uint64(len(v.Bytes)), freePointer, lib.SQLITE_UTF8)
		} else {
			rc = lib.Xsqlite3_bind_blob64(tls, s.handle, i, p, uint64(len(v.Bytes)), freePointer)
		}
	}
	return s.conn.lastError(rc)
}
