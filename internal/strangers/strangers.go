// Package strangers limits how much of a local server's resources unauthorized clients can
// use: every program on the machine can connect to it.
package strangers

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// grace is how long the unread body of an unauthorized request may take to arrive. Before an
// answer net/http waits for the rest of it, without a limit of its own; without any wait, a
// client that is still sending would miss the answer.
const grace = 500 * time.Millisecond

// Guard limits the number of a server's unauthorized connections: beyond it, the oldest one
// is closed.
type Guard struct {
	max int

	mu sync.Mutex // guards order
	// order lists the unauthorized connections, oldest first.
	order list.List
}

// Protect makes a server keep at most max unauthorized connections, and end requests whose
// body doesn't arrive. It must be called before the server serves. [Admit] marks a request as
// authorized.
func Protect(server *http.Server, max int) {
	g := &Guard{max: max}
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		s := &stranger{guard: g, conn: c}
		g.add(s)
		return context.WithValue(ctx, key{}, s)
	}
	server.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateClosed { // for a hijacked connection see Leave
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

// key is the context key of a connection's stranger.
type key struct{}

type stranger struct {
	guard *Guard
	conn  net.Conn
	// element is the place in the guard's order, or nil if the client was admitted or has
	// left.
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

// Admit marks a request's connection as authorized, and gives its body the time within to
// arrive; 0 means no limit. Once the body is read, Admit must be called with 0: otherwise the
// deadline would end the request.
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

// Leave forgets the connection of a request that was hijacked and has ended.
func Leave(r *http.Request) {
	if s, ok := r.Context().Value(key{}).(*stranger); ok {
		s.guard.mu.Lock()
		s.guard.remove(s)
		s.guard.mu.Unlock()
	}
}
