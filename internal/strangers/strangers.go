// Package strangers bounds what those may take of a local server who have not shown that
// they may use it: any program of the machine can connect.
package strangers

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// grace limits how long the body of a stranger's request may take to come, which no one
// reads. Before an answer net/http waits for the rest of it, for ever without an end; with
// none at all, a client that is still sending would miss the answer.
const grace = 500 * time.Millisecond

// Guard keeps a server's connections of strangers below a number: of more, the oldest
// one is closed.
type Guard struct {
	max int

	mu sync.Mutex // guards order
	// order are the connections of strangers, the oldest first.
	order list.List
}

// Protect makes a server one that keeps at most max connections of strangers, and ends
// requests whose body doesn't come. It is called before the server serves. Requests that
// may use the server are told by [Admit].
func Protect(server *http.Server, max int) {
	g := &Guard{max: max}
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		s := &stranger{guard: g, conn: c}
		g.add(s)
		return context.WithValue(ctx, key{}, s)
	}
	server.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateClosed { // of one that is hijacked see Leave
			g.gone(c)
		}
	}
	next := server.Handler
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(grace))
			if r.ProtoMajor == 1 && !admitted(r) {
				w.Header().Set("Connection", "close")
			}
		}
		next.ServeHTTP(w, r)
	})
}

// key is the key of a connection's stranger in its context.
type key struct{}

type stranger struct {
	guard *Guard
	conn  net.Conn
	// element is the place in the guard's order; nil for one who was admitted, or left.
	element *list.Element
}

func (g *Guard) add(s *stranger) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s.element = g.order.PushBack(s)
	if g.order.Len() > g.max {
		oldest := g.order.Front().Value.(*stranger)
		g.remove(oldest)
		_ = oldest.conn.Close()
	}
}

func (g *Guard) remove(s *stranger) {
	if s.element != nil {
		g.order.Remove(s.element)
		s.element = nil
	}
}

func (g *Guard) gone(c net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for e := g.order.Front(); e != nil; e = e.Next() {
		if s := e.Value.(*stranger); s.conn == c {
			g.remove(s)
			return
		}
	}
}

func admitted(r *http.Request) bool {
	s, ok := r.Context().Value(key{}).(*stranger)
	if !ok {
		return true
	}
	s.guard.mu.Lock()
	defer s.guard.mu.Unlock()
	return s.element == nil
}

// Admit counts a request's connection as a stranger's no more, and gives its body as long
// as within to come; 0 means no limit. Once the body is read, call it with 0: the deadline
// would end the request else.
func Admit(w http.ResponseWriter, r *http.Request, within time.Duration) {
	Leave(r)
	w.Header().Del("Connection")
	if r.ContentLength == 0 {
		return
	}
	var deadline time.Time
	if within > 0 {
		deadline = time.Now().Add(within)
	}
	_ = http.NewResponseController(w).SetReadDeadline(deadline)
}

// Leave forgets the connection of a request, which was hijacked and has ended.
func Leave(r *http.Request) {
	if s, ok := r.Context().Value(key{}).(*stranger); ok {
		s.guard.mu.Lock()
		s.guard.remove(s)
		s.guard.mu.Unlock()
	}
}
