package engine

import (
	"strings"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	lib "modernc.org/sqlite/lib"
)

// pointer turns an address in C memory, which Go's collector neither moves nor
// frees, into a pointer.
func pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// cstring copies s into memory that C code may read. The caller frees it.
func cstring(tls *libc.TLS, s string) (uintptr, error) {
	p := libc.Xmalloc(tls, types.Size_t(len(s)+1))
	if p == 0 {
		return 0, errNoMemory
	}
	mem := view(p, len(s)+1)
	copy(mem, s)
	mem[len(s)] = 0
	return p, nil
}

func freeC(tls *libc.TLS, p uintptr) { libc.Xfree(tls, p) }

// view is n bytes of C memory, without a copy. It is valid until C frees them.
func view(p uintptr, n int) []byte {
	if p == 0 || n == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(pointer(p)), n)
}

// str copies a C string. A null pointer is the empty string.
func str(p uintptr) string {
	if p == 0 {
		return ""
	}
	return libc.GoString(p)
}

// funcPointer turns a declared function, never a closure, into a C function
// pointer. See https://golang.org/s/go11func for the representation it relies on.
func funcPointer[T any](f T) uintptr {
	return *(*uintptr)(unsafe.Pointer(&struct{ f T }{f}))
}

var freePointer = funcPointer(libc.Xfree)

// lastError returns what the connection knows about the call that returned rc.
func (c *Conn) lastError(rc int32) error {
	if rc == lib.SQLITE_OK {
		return nil
	}
	msg := str(lib.Xsqlite3_errmsg(c.tls, c.handle))
	if msg == "" || msg == "not an error" {
		msg = str(lib.Xsqlite3_errstr(c.tls, rc))
	}
	return &Error{
		Code:    int(rc),
		Message: strings.ToValidUTF8(msg, "\uFFFD"),
		Offset:  int(lib.Xsqlite3_error_offset(c.tls, c.handle)),
	}
}
