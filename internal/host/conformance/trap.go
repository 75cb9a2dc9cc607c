package conformance

import (
	"net"
	"sync"
	"time"
)

// trap is the provider's proxy. It counts the connections and forwards nothing: it refuses
// them, or leaves them hanging.
type trap struct {
	listener net.Listener
	serving  sync.WaitGroup

	// mu guards what is below.
	mu      sync.Mutex
	hanging bool
	count   int
	open    map[net.Conn]bool
}

func newTrap() (*trap, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &trap{listener: listener, open: make(map[net.Conn]bool)}
	t.serving.Go(t.serve)
	return t, nil
}

func (t *trap) url() string { return "http://" + t.listener.Addr().String() }

func (t *trap) serve() {
	for {
		conn, err := t.listener.Accept()
		if err != nil {
			return
		}
		t.mu.Lock()
		t.count++
		if t.hanging {
			t.open[conn] = true
		} else {
			// A client that is still writing gets an answer instead of a reset.
			_ = conn.SetDeadline(time.Now().Add(time.Second))
			_, _ = conn.Write([]byte("HTTP/1.1 503 no network here\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
			_ = conn.Close()
		}
		t.mu.Unlock()
	}
}

// hang sets whether connections are left hanging from now on. If not, those that hang are
// closed.
func (t *trap) hang(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hanging = on
	if !on {
		for conn := range t.open {
			_ = conn.Close()
		}
		clear(t.open)
	}
}

// connections returns the number of connections so far.
func (t *trap) connections() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count
}

func (t *trap) close() {
	_ = t.listener.Close()
	t.serving.Wait()
	t.hang(false)
}
