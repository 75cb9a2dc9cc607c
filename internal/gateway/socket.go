package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/strangers"
	"github.com/zen-auth/zen/internal/text"
	"github.com/zen-auth/zen/internal/transport"
)

const (
	// helloTimeout limits how long a client's hello may take to come.
	helloTimeout = 10 * time.Second
	// maxHello bounds a hello, in bytes: a token is no longer than a header.
	maxHello = 64 << 10
	// maxMessage bounds a message, in bytes, as libsql-server does.
	maxMessage = 64 << 20
	// maxPiece limits how much of a message goes into a frame. libsql-server takes 16 MiB.
	maxPiece = 1 << 20
	// pingInterval is the time between two signs of life that both ends have to give.
	pingInterval = 30 * time.Second
	// maxReason bounds why a socket is closed (RFC 6455 section 5.5).
	maxReason = 123
	// leastPause is between two attempts to renew a token.
	leastPause = 20 * time.Millisecond
)

// Greeter is a Transport that sockets are opened through, too: transport.RoundTripper.
type Greeter interface {
	http.RoundTripper
	// Greet calls greet with tokens until the server takes one, and returns that.
	Greet(ctx context.Context, greet func(provider.Token) (refusal string, err error)) (provider.Token, error)
}

// isSocket reports whether a request asks for a WebSocket.
func isSocket(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// socket serves Hrana over a WebSocket, until it is closed.
func (h *Handler) socket(x *exchange, r *http.Request) {
	greeter, ok := h.config.Transport.(Greeter)
	if !ok {
		x.refuse(http.StatusNotImplemented, "WEBSOCKET_NOT_SUPPORTED", "this gateway speaks HTTP alone: use an http:// URL, not ws://")
		return
	}
	if path := clean(r.URL.Path); path != "/" {
		x.refuse(http.StatusNotFound, "NOT_FOUND", "sockets are at the path /, and not at "+short(path))
		return
	}
	name := subprotocol(r)
	if name == "" {
		x.refuse(http.StatusBadRequest, "SUBPROTOCOL_NOT_SUPPORTED", "this gateway speaks only the WebSocket subprotocols "+strings.Join(subprotocols, ", "))
		return
	}
	x.route = route{name: "socket"}
	defer strangers.Leave(r)
	// Origins were looked at. The writer of x keeps interim statuses back.
	client, err := websocket.Accept(x.ResponseWriter, r, &websocket.AcceptOptions{InsecureSkipVerify: true, Subprotocols: []string{name}})
	if err != nil {
		x.status, x.err = http.StatusBadRequest, err // it has answered
		return
	}
	x.status = http.StatusSwitchingProtocols
	defer client.CloseNow()
	s := &socket{h: h, greeter: greeter, request: r, client: client, name: name, encoding: jsonMessages, quiet: make(chan struct{}, 1), answers: make(chan string, 1), ended: make(chan ending, 3)}
	if name == "hrana3-protobuf" {
		s.encoding = protobufMessages
	}
	s.life, s.cancel = context.WithCancel(context.WithoutCancel(r.Context()))
	defer s.cancel()
	defer context.AfterFunc(h.cut, s.cancel)()
	if !s.greeted() {
		return
	}
	strangers.Leave(r)
	client.SetReadLimit(maxMessage)
	if x.err = s.open(); x.err != nil {
		return
	}
	s.run()
}

// subprotocol returns the one of ours that is spoken, or "".
func subprotocol(r *http.Request) string {
	asked := strings.Split(strings.Join(r.Header.Values("Sec-Websocket-Protocol"), ","), ",")
	for _, ours := range subprotocols {
		for _, name := range asked {
			if strings.EqualFold(strings.TrimSpace(name), ours) {
				return ours
			}
		}
	}
	return ""
}

// ending says how a socket ends, and to which of its ends that is said.
type ending struct {
	code     websocket.StatusCode
	reason   string
	byClient bool // and the database is told
}

// socket is a client's connection and the database's.
type socket struct {
	h       *Handler
	greeter Greeter
	request *http.Request // of the handshake
	name    string        // of the subprotocol
	*encoding
	life           context.Context // of both connections
	cancel         context.CancelFunc
	client, server *websocket.Conn
	until, due     time.Time // the token's end, and its renewal

	answers chan string // the database's to hellos: a refusal, or ""
	ended   chan ending
	quiet   chan struct{} // no request is under way any more
	gate    sync.Mutex    // is held while a request is written, or another token is awaited
	mu      sync.Mutex    // guards waiting
	waiting int           // requests without an answer
}

// greeted waits for the client's hello, and looks at the bearer in it.
func (s *socket) greeted() bool {
	ctx, cancel := context.WithTimeout(s.life, helloTimeout)
	defer cancel()
	defer context.AfterFunc(s.h.leaving, cancel)()
	s.client.SetReadLimit(maxHello)
	kind, message, err := s.client.Read(ctx)
	if err != nil {
		return false
	}
	hello, jwt, err := s.read(kind, message)
	switch {
	case err != nil:
		s.tell(ending{code: websocket.StatusInvalidFramePayloadData, reason: err.Error()})
		return false
	case !hello:
		s.tell(ending{code: websocket.StatusPolicyViolation, reason: "Received a request before hello message"})
		return false
	}
	return s.admitted(jwt)
}

// read finds out what a client's message is.
func (s *socket) read(kind websocket.MessageType, message []byte) (hello bool, jwt string, err error) {
	if kind != s.kind {
		return false, "", errors.New("the message is text where it should be binary, or the other way round")
	}
	return s.fromClient(message)
}

// admitted looks at a hello as at the header Authorization of a request.
func (s *socket) admitted(jwt string) bool {
	if s.h.bearerShown(s.request) || s.h.config.Bearer.Equal(provider.NewSecret(jwt)) {
		return true
	}
	s.refuse("AUTH_JWT_INVALID", bearerWanted)
	return false
}

// refuse answers to a hello, and ends the socket as libsql-server does.
func (s *socket) refuse(code, message string) {
	if s.write(s.client, s.helloError(message, code)) == nil {
		s.tell(ending{code: websocket.StatusNormalClosure})
	}
}

// tell closes the client's connection.
func (s *socket) tell(e ending) {
	_ = s.client.Close(e.code, text.Line(e.reason, maxReason-len("…")))
}

// write sends a message in pieces.
func (s *socket) write(to *websocket.Conn, message []byte) error {
	ctx, cancel := context.WithTimeout(s.life, s.h.config.Timeout)
	defer cancel()
	if len(message) <= maxPiece {
		return to.Write(ctx, s.kind, message)
	}
	w, err := to.Writer(ctx, s.kind)
	if err != nil {
		return err
	}
	for len(message) > 0 {
		n, err := w.Write(message[:min(len(message), maxPiece)])
		if err != nil {
			return err
		}
		message = message[n:]
	}
	return w.Close()
}

// open connects to the database with a token that it takes, and answers to the client's
// hello.
func (s *socket) open() error {
	token, err := s.greeter.Greet(s.life, func(token provider.Token) (string, error) {
		if s.server != nil {
			s.server.CloseNow()
		}
		var err error
		if s.server, err = s.dial(); err != nil {
			return "", err
		}
		if err := s.write(s.server, s.hello(token.Value.Reveal())); err != nil {
			return "", err
		}
		ctx, cancel := context.WithTimeout(s.life, s.h.config.Timeout)
		defer cancel()
		_, message, err := s.server.Read(ctx)
		if err != nil {
			return "", fmt.Errorf("the database doesn't answer to a hello: %w", err)
		}
		hello, refusal, err := s.fromServer(message)
		if err == nil && !hello {
			err = errors.New("the database answers before the hello")
		}
		return refusal, err
	})
	if err == nil {
		s.schedule(token)
		err = s.write(s.client, s.helloOK)
	}
	if err == nil {
		return nil
	}
	if s.server != nil {
		s.server.CloseNow()
	}
	if s.life.Err() == nil {
		_, code := failureStatus(err)
		s.refuse(code, described(err))
	}
	return err
}

// dial opens a WebSocket to the database. It follows no redirect.
func (s *socket) dial() (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(s.life, s.h.config.Timeout)
	defer cancel()
	client := &http.Client{Transport: s.greeter, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	header := make(http.Header)
	for _, name := range []string{"X-Libsql-Client-Version", "X-Turso-Encryption-Key", "X-Namespace", "User-Agent"} {
		if values := s.request.Header[name]; len(values) > 0 {
			header[name] = values
		}
	}
	conn, resp, err := websocket.Dial(ctx, s.h.upstream("/").String(), &websocket.DialOptions{HTTPClient: client, HTTPHeader: header, Subprotocols: []string{s.name}})
	inner := (*url.Error)(nil)
	switch {
	case errors.As(err, &inner):
		return nil, inner.Err
	case err != nil && resp != nil && resp.StatusCode != http.StatusSwitchingProtocols:
		return nil, fmt.Errorf("the database opens no WebSocket: it answers with HTTP status %d", resp.StatusCode)
	case err != nil:
		return nil, fmt.Errorf("the database opens no WebSocket: %w", err)
	case conn.Subprotocol() != s.name:
		conn.CloseNow()
		return nil, fmt.Errorf("the database doesn't speak %s", s.name)
	}
	conn.SetReadLimit(maxMessage)
	return conn, nil
}

// schedule notes when the token has to be renewed: while there is left the smaller of a
// minute and a fifth.
func (s *socket) schedule(token provider.Token) {
	s.until, s.due = token.Expires.Round(0), time.Time{}
	if !s.until.IsZero() {
		left := time.Until(s.until)
		s.due = s.until.Add(-min(time.Minute, left/5))
	}
}

// run passes messages on until one of the two ends, or the token has.
func (s *socket) run() {
	var pumps sync.WaitGroup
	pumps.Go(s.fromClientOn)
	pumps.Go(s.fromServerOn)
	pumps.Go(s.keepAlive)
	e := s.supervise()
	e.reason = text.Line(e.reason, maxReason-len("…"))
	closed := make(chan struct{})
	go func() { // both at once: each waits for the other side's answer
		defer close(closed)
		if e.byClient {
			_ = s.server.Close(e.code, e.reason)
		} else {
			_ = s.server.Close(websocket.StatusGoingAway, "")
		}
	}()
	if !e.byClient {
		s.tell(e)
	}
	s.client.CloseNow()
	<-closed
	s.cancel()
	pumps.Wait()
}

// supervise renews the token and returns how the socket ends.
func (s *socket) supervise() ending {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	leaving := s.h.leaving.Done()
	for {
		if !s.due.IsZero() {
			timer.Reset(time.Until(s.due))
		}
		select {
		case e := <-s.ended:
			return e
		case <-leaving:
			leaving = nil
		case <-s.quiet:
		case <-timer.C:
			if s.due.IsZero() {
				continue
			}
		}
		if leaving == nil && s.isQuiet() {
			return ending{code: websocket.StatusGoingAway, reason: "the gateway ends"}
		}
		if s.due.IsZero() || time.Now().Before(s.due) {
			continue
		}
		if e, over := s.renew(); over {
			return e
		}
	}
}

// renew has the session's current token take the place of the last one. Requests may be
// under way; further ones wait, as those over HTTP do, until the hello is on its way. So
// what the database reads before the hello was in time, and neither the token nor the
// answer has to come before the last token's end.
func (s *socket) renew() (e ending, over bool) {
	ctx, cancel := context.WithTimeout(s.life, s.h.config.Timeout)
	defer cancel()
	open := sync.OnceFunc(s.gate.Unlock)
	s.gate.Lock()
	defer open()
	ended, said := false, false
	refused := ""
	token, err := s.greeter.Greet(ctx, func(token provider.Token) (string, error) {
		if !token.Expires.After(s.until) {
			return "", errSameToken
		}
		if err := s.write(s.server, s.hello(token.Value.Reveal())); err != nil {
			return "", err
		}
		said = true
		open()
		silence := time.NewTimer(s.h.config.Timeout)
		defer silence.Stop()
		select {
		case refused = <-s.answers:
			if refused != "" { // and with that the database closes the socket
				return "", errors.New(refused)
			}
			return "", nil
		case e = <-s.ended:
			ended = true
			return "", errEnded
		case <-silence.C:
			return "", transport.ErrSilent
		}
	})
	switch {
	case err == nil:
		s.schedule(token)
		return e, false
	case ended:
		return e, true
	case !said && time.Now().Before(s.until):
		s.due = time.Now().Add(max(time.Until(s.until)/3, leastPause))
		return e, false
	}
	return ending{code: websocket.StatusPolicyViolation, reason: "the token of this socket has ended: " + described(err)}, true
}

var (
	errSameToken = errors.New("there is no newer token")
	errEnded     = errors.New("the socket has ended")
)

// fromClientOn passes the client's requests on, and answers to its hellos: the database
// needs none of them.
func (s *socket) fromClientOn() {
	for {
		kind, message, err := s.client.Read(s.life)
		if err != nil {
			e := closeOf(err)
			e.byClient = true
			s.ended <- e
			return
		}
		hello, jwt, err := s.read(kind, message)
		switch {
		case err != nil:
			s.ended <- ending{code: websocket.StatusInvalidFramePayloadData, reason: err.Error()}
			return
		case !hello:
			s.count(1)
			s.gate.Lock()
			err = s.write(s.server, message)
			s.gate.Unlock()
		case s.admitted(jwt):
			err = s.write(s.client, s.helloOK)
		default:
			err = errEnded
		}
		if err != nil {
			s.ended <- ending{code: websocket.StatusBadGateway, reason: "the connection was cut"}
			return
		}
	}
}

// fromServerOn passes the database's answers on, but those to the gateway's own hellos.
func (s *socket) fromServerOn() {
	for {
		_, message, err := s.server.Read(s.life)
		if err != nil {
			s.ended <- closeOf(err)
			return
		}
		hello, refusal, err := s.fromServer(message)
		switch {
		case err != nil:
			s.ended <- ending{code: websocket.StatusBadGateway, reason: err.Error()}
			return
		case hello:
			select {
			case s.answers <- refusal:
			default: // no one has asked so much
			}
			continue
		}
		if s.write(s.client, message) != nil {
			s.ended <- ending{code: websocket.StatusGoingAway, byClient: true}
			return
		}
		s.count(-1)
	}
}

// keepAlive ends a socket one of whose ends is no longer there.
func (s *socket) keepAlive() {
	ticker := time.NewTicker(pingInterval)
	defer ticker.Stop()
	for {
		select {
		case <-s.life.Done():
			return
		case <-ticker.C:
		}
		ctx, cancel := context.WithTimeout(s.life, s.h.config.Timeout)
		err := cmp.Or(s.client.Ping(ctx), s.server.Ping(ctx))
		cancel()
		if err != nil {
			s.ended <- ending{code: websocket.StatusBadGateway, reason: "the other end is silent"}
			return
		}
	}
}

func (s *socket) count(n int) {
	s.mu.Lock()
	s.waiting += n
	quiet := s.waiting <= 0
	s.mu.Unlock()
	if quiet {
		select {
		case s.quiet <- struct{}{}:
		default:
		}
	}
}

func (s *socket) isQuiet() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting <= 0
}

// closeOf says how a connection ended. One without a close frame is a gateway's failure.
func closeOf(err error) ending {
	if c := (websocket.CloseError{}); errors.As(err, &c) {
		if c.Code == websocket.StatusNoStatusRcvd {
			return ending{code: c.Code}
		}
		return ending{code: c.Code, reason: c.Reason}
	}
	if errors.Is(err, websocket.ErrMessageTooBig) {
		return ending{code: websocket.StatusMessageTooBig, reason: fmt.Sprintf("a message has more than %d bytes", maxMessage)}
	}
	return ending{code: websocket.StatusBadGateway, reason: "the connection was cut"}
}
