package conformance

import (
	"net"
	"sync"
	"time"
)

// trap is the proxy through which a provider would reach the network. It counts,
// and answers nothing: it closes a connection, or leaves it hanging.
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
			// A client that is still writing hears of it, instead of a reset.
			_ = conn.SetDeadline(time.Now().Add(time.Second))
			_, _ = conn.Write([]byte("HTTP/1.1 503 no network here\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
			_ = conn.Close()
		}
		t.mu.Unlock()
	}
}

// hang says whether connections are left hanging from now on; those that hang are
// closed where not.
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

// connections counts the connections so far.
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
