package gateway

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	// maxHeld limits how much of a request's body is kept, so that the transport can
	// send it again with another token. A longer one is streamed, and sent once.
	maxHeld = 4 << 20
	// maxRequest bounds a request's body. A push of the sync protocol has at most
	// 128 frames of 4,120 bytes; a pipeline is as long as its arguments.
	maxRequest = 256 << 20
	// streamTimeout limits how long a body may take that is passed on while it comes.
	streamTimeout = 10 * time.Minute
)

// held is a body that can be read twice.
type held struct {
	head []byte
	rest io.ReadCloser // what was not held, or nil
	size int64         // -1 if it is not known
}

// hold reads the beginning of a body; it returns nil for a request without one.
func hold(w http.ResponseWriter, r *http.Request) (*held, error) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil, nil
	}
	if r.ContentLength > maxRequest {
		return nil, fmt.Errorf("the request has %d bytes, more than %d", r.ContentLength, maxRequest)
	}
	limited := http.MaxBytesReader(w, r.Body, maxRequest)
	var head bytes.Buffer
	if r.ContentLength > 0 {
		head.Grow(int(min(r.ContentLength, maxHeld)) + bytes.MinRead)
	}
	if _, err := io.CopyN(&head, limited, maxHeld+1); err == io.EOF {
		return &held{head: head.Bytes(), size: int64(head.Len())}, nil
	} else if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	return &held{head: head.Bytes(), rest: limited, size: r.ContentLength}, nil
}

func (h *held) open() io.ReadCloser {
	if h.rest == nil {
		return io.NopCloser(bytes.NewReader(h.head))
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(h.head), h.rest), h.rest}
}

// again is http.Request.GetBody.
func (h *held) again() (io.ReadCloser, error) {
	if h.rest != nil {
		return nil, fmt.Errorf("the request has more than %d bytes, which is not kept for a second try", maxHeld)
	}
	return h.open(), nil
}

// buffers is an httputil.BufferPool.
type buffers struct{}

const bufferSize = 32 << 10

var bufferPool = sync.Pool{New: func() any { return new([bufferSize]byte) }}

func (buffers) Get() []byte { return bufferPool.Get().(*[bufferSize]byte)[:] }

func (buffers) Put(b []byte) { bufferPool.Put((*[bufferSize]byte)(b)) }
