package hrana

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/coder/websocket"

	"github.com/zen-auth/zen/devstack/engine"
)

// subprotocol is a version and an encoding of Hrana over WebSockets.
type subprotocol struct {
	version  version
	protobuf bool
}

// subprotocolNames are in the order in which libsql-server prefers them.
var subprotocolNames = []string{"hrana3-protobuf", "hrana3", "hrana2", "hrana1"}

var subprotocols = map[string]subprotocol{
	"hrana3-protobuf": {version: 3, protobuf: true}, "hrana3": {version: 3}, "hrana2": {version: 2}, "hrana1": {version: 1},
}

const (
	// maxMessage is the largest client message, in bytes, as in libsql-server's library.
	maxMessage = 64 << 20
	// maxQueued limits the requests of a stream that wait for it. Then no more is read.
	maxQueued = 8
	// maxSocketStored limits the SQL texts that a socket may store.
	maxSocketStored = 150
	// maxReason is the longest reason for closing a socket (RFC 6455 section 5.5).
	maxReason = 123
)

// closing ends a socket with a close frame. Other failures in a request end it without
// one, as in libsql-server.
type closing struct {
	code   websocket.StatusCode
	reason string
}

func (c *closing) Error() string { return c.reason }

// socket is a client's connection. Its fields below the line are the reader's alone.
type socket struct {
	server   *Server
	conn     *websocket.Conn
	request  *http.Request // of the handshake
	database string
	subprotocol
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup // streams and cursors

	jwt     *string // of the last hello
	db      *engine.DB
	rights  *engine.Rights // nil before the first hello
	streams map[int32]*socketStream
	stored  stream          // for its SQL texts, which a socket's streams share
	cursors map[int32]int32 // the stream of each
}

// socketStream runs the requests of a stream in their order.
type socketStream struct {
	jobs   chan func(*stream, *socketStream)
	cursor *int32        // the reader's
	open   *socketCursor // the stream's own
}

// isSocket reports whether a request asks for a WebSocket.
func isSocket(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// socket serves Hrana over a WebSocket, until it is closed.
func (s *Server) socket(w http.ResponseWriter, r *http.Request, database string) error {
	// Origin checks are for servers that authenticate with cookies.
	options := &websocket.AcceptOptions{InsecureSkipVerify: true, Subprotocols: subprotocolNames}
	asked := r.Header.Get("Sec-WebSocket-Protocol")
	known := func(name string) bool { _, ok := subprotocols[strings.ToLower(strings.TrimSpace(name))]; return ok }
	if asked != "" && !slices.ContainsFunc(strings.Split(asked, ","), known) {
		return protocolErrorf("Only these WebSocket subprotocols are supported: %s", strings.Join(subprotocolNames, " "))
	}
	conn, err := websocket.Accept(w, r, options)
	if err != nil {
		return nil // it has answered
	}
	conn.SetReadLimit(maxMessage)
	k := &socket{
		server: s, conn: conn, request: r, database: database, subprotocol: subprotocol{version: 1},
		streams: map[int32]*socketStream{}, cursors: map[int32]int32{},
	}
	if name := conn.Subprotocol(); name != "" {
		k.subprotocol = subprotocols[strings.ToLower(name)]
	}
	k.ctx, k.cancel = context.WithCancel(context.WithoutCancel(r.Context())) // which has no meaning after the handshake
	s.sockets.Store(k, nil)
	defer s.sockets.Delete(k)
	k.serve()
	return nil
}

// serve reads until the socket ends.
func (k *socket) serve() {
	defer k.conn.CloseNow()
	defer k.work.Wait()
	defer func() {
		k.cancel()
		for _, st := range k.streams {
			close(st.jobs)
		}
	}()
	for {
		kind, message, err := k.conn.Read(k.ctx)
		if err != nil {
			return
		}
		if err = k.message(kind, message); err == nil {
			continue
		}
		if c := (*closing)(nil); errors.As(err, &c) {
			_ = k.conn.Close(c.code, c.reason[:min(len(c.reason), maxReason)])
		}
		return
	}
}

func (k *socket) message(kind websocket.MessageType, message []byte) error {
	if k.protobuf != (kind == websocket.MessageBinary) {
		return &closing{websocket.StatusUnsupportedData, "Received a " + strings.TrimPrefix(strings.ToLower(kind.String()), "message") + " WebSocket message, which is not supported in this encoding"}
	}
	var m clientMessage
	if err := decode(message, &m, when(k.protobuf, clientForm)); err != nil {
		reason := fmt.Sprint(err.(*StatusError).Body)
		if strings.HasSuffix(reason, "not recognized") {
			return &closing{websocket.StatusPolicyViolation, reason}
		}
		return &closing{websocket.StatusInvalidFramePayloadData, reason}
	}
	switch {
	case m.Hello:
		return k.hello(m.JWT)
	case m.Request == nil:
		return &closing{websocket.StatusPolicyViolation, "Request type not recognized"}
	case k.rights == nil:
		return &closing{websocket.StatusPolicyViolation, "Received a request before hello message"}
	}
	if s := k.server; s.opts.Reauthorize != nil && s.opts.Reauthorize() {
		if err := k.authorize(); err != nil {
			return &closing{websocket.StatusPolicyViolation, asHelloError(err).Message}
		}
	}
	return k.answer(m.ID, k.dispatch(m.ID, m.Request))
}

// authorize lets the backend check the token of the last hello, as if it had come with
// the handshake.
func (k *socket) authorize() error {
	r := k.request.Clone(k.ctx)
	r.Header.Del("Authorization")
	if k.jwt != nil {
		r.Header.Set("Authorization", "Bearer "+*k.jwt)
	}
	db, rights, err := k.server.backend.Authorize(r, k.database)
	if err == nil {
		k.db, k.rights = db, rights
	}
	return err
}

func (k *socket) hello(jwt *string) error {
	if k.rights != nil && k.version < 2 {
		return &closing{websocket.StatusPolicyViolation, "Repeated hello message is only supported in protocol version hrana2 and higher"}
	}
	k.jwt = jwt
	err := k.authorize()
	status := (*StatusError)(nil)
	switch {
	case err == nil:
		return k.send([]byte(`{"type":"hello_ok"}`))
	case !errors.As(err, &status) || status.Status == http.StatusNotFound:
		return &closing{websocket.StatusInternalError, "Internal server error"}
	}
	b := appendError([]byte(`{"type":"hello_error","error":`), asHelloError(err))
	if err := k.send(append(b, '}')); err != nil {
		return err
	}
	return &closing{websocket.StatusNormalClosure, "Thank you for using sqld"}
}

// helloCodes are the codes of libsql-server/src/auth/errors.rs.
var helloCodes = []struct{ text, code string }{
	{"authorization header", "AUTH_HEADER_NOT_FOUND"},
	{"xpired", "AUTH_JWT_EXPIRED"}, {"JWT", "AUTH_JWT_INVALID"},
}

// asHelloError says in band what over HTTP is a status.
func asHelloError(err error) *SQLError {
	text := err.Error()
	if status := (*StatusError)(nil); errors.As(err, &status) {
		var body errorBody
		if raw, err := json.Marshal(status.Body); err == nil && json.Unmarshal(raw, &body) == nil {
			text = body.Error
		}
	}
	if inner, ok := strings.CutPrefix(text, "Unauthorized: `"); ok {
		text = strings.TrimSuffix(inner, "`")
	}
	e := &SQLError{"Authentication failed: " + text, "AUTH_FAILED"}
	for _, known := range helloCodes {
		if strings.Contains(text, known.text) {
			e.Code = known.code
			break
		}
	}
	return e
}

// send writes a message of the server, which is made in JSON.
func (k *socket) send(b []byte) error {
	if k.protobuf {
		return k.conn.Write(k.ctx, websocket.MessageBinary, serverForm.fromJSON(nil, b))
	}
	return k.conn.Write(k.ctx, websocket.MessageText, b)
}

// answer sends an error in band.
func (k *socket) answer(id int32, err error) error {
	inBand := (*SQLError)(nil)
	if !errors.As(err, &inBand) {
		return err
	}
	b := strconv.AppendInt([]byte(`{"type":"response_error","request_id":`), int64(id), 10)
	b = appendError(append(b, `,"error":`...), inBand)
	return k.send(append(b, '}'))
}

// respond sends the answer that f appends, or its error.
func (k *socket) respond(id int32, kind string, st *stream, rights *engine.Rights, f func(*executor) error) error {
	e := &executor{server: k.server, ctx: k.ctx, stream: st, rights: rights, version: k.version}
	e.b = strconv.AppendInt(append(e.b, `{"type":"response_ok","request_id":`...), int64(id), 10)
	e.b = append(append(append(e.b, `,"response":{"type":"`...), kind...), '"')
	if err := f(e); err != nil {
		return k.answer(id, err)
	}
	return k.send(append(e.b, `}}`...))
}

// leastVersion is the first version of the protocol that has a request.
var leastVersion = map[string]version{
	"sequence": 2, "describe": 2, "store_sql": 2, "close_sql": 2,
	"open_cursor": 3, "close_cursor": 3, "fetch_cursor": 3, "get_autocommit": 3,
}

func (k *socket) dispatch(id int32, req *socketRequest) error {
	if v := leastVersion[req.Type]; k.version < v {
		return protocolErrorf("The `%s` request is only supported in protocol version hrana%d and higher", req.Type, v)
	}
	if err := k.resolve(&req.streamRequest); err != nil {
		return err
	}
	switch req.Type {
	case "store_sql":
		return k.respond(id, req.Type, &k.stored, k.rights, func(e *executor) error { return e.store(&req.streamRequest, maxSocketStored, maxMessage) })
	case "close_sql":
		return k.respond(id, req.Type, &k.stored, k.rights, func(e *executor) error { return e.closeSQL(&req.streamRequest) })
	case "open_stream":
		return k.openStream(id, req)
	case "close_cursor", "fetch_cursor":
		stream, ok := k.cursors[req.Cursor]
		if !ok {
			return protocolErrorf("Cursor %d not found", req.Cursor)
		}
		req.Stream = stream
	}
	st := k.streams[req.Stream]
	if st == nil {
		return protocolErrorf("Stream %d not found", req.Stream)
	}
	run := (*executor).dispatch
	switch req.Type {
	case "close_stream":
		if st.cursor != nil {
			delete(k.cursors, *st.cursor)
		}
		delete(k.streams, req.Stream)
		defer close(st.jobs)
		return k.queue(id, req, st, func(*executor, *socketStream) error { return nil })
	case "open_cursor":
		if st.cursor != nil {
			return protocolErrorf("Stream %d already has an open cursor", req.Stream)
		}
		if _, ok := k.cursors[req.Cursor]; ok {
			return protocolErrorf("Cursor %d already exists", req.Cursor)
		}
		k.cursors[req.Cursor], st.cursor = req.Stream, &req.Cursor
		return k.queue(id, req, st, func(e *executor, st *socketStream) error { return k.openCursor(e, st, req.Batch) })
	case "close_cursor":
		delete(k.cursors, req.Cursor)
		st.cursor = nil
		return k.queue(id, req, st, func(_ *executor, st *socketStream) error { st.closeCursor(); return nil })
	case "fetch_cursor":
		return k.queue(id, req, st, func(e *executor, st *socketStream) error { return e.fetch(st.open, req) })
	}
	return k.queue(id, req, st, func(e *executor, _ *socketStream) error { return run(e, &req.streamRequest) })
}

// resolve inserts the stored texts into a request, since later requests may change them.
func (k *socket) resolve(req *streamRequest) error {
	e := &executor{stream: &k.stored, version: k.version}
	resolve := func(s *stmt) error {
		if s == nil || s.SQLID == nil {
			return nil
		}
		q, err := e.query(s)
		s.SQL, s.SQLID = &q.SQL, nil
		return err
	}
	if err := resolve(req.Stmt); err != nil {
		return err
	}
	if req.Batch != nil {
		for _, step := range req.Batch.Steps {
			if err := resolve(step.Stmt); err != nil {
				return err
			}
		}
	}
	if req.Type == "sequence" || req.Type == "describe" {
		sql, err := e.sql(req.SQL, req.SQLID)
		req.SQL, req.SQLID = &sql, nil
		return err
	}
	return nil
}

func (k *socket) openStream(id int32, req *socketRequest) error {
	if k.streams[req.Stream] != nil {
		return protocolErrorf("Stream %d already exists", req.Stream)
	}
	inner, err := k.server.acquire(k.db, k.database, nil)
	if err != nil {
		return err
	}
	st := &socketStream{jobs: make(chan func(*stream, *socketStream), maxQueued)}
	k.streams[req.Stream] = st
	k.work.Go(func() {
		for job := range st.jobs {
			job(inner, st)
		}
		st.closeCursor()
		inner.close()
		k.server.release(inner)
	})
	return k.queue(id, req, st, func(e *executor, _ *socketStream) error { _, err := e.stream.use(e.ctx); return err })
}

// queue makes a stream run f after everything before it.
func (k *socket) queue(id int32, req *socketRequest, st *socketStream, f func(*executor, *socketStream) error) error {
	rights := k.rights
	job := func(inner *stream, st *socketStream) {
		if k.ctx.Err() != nil {
			return
		}
		if k.respond(id, req.Type, inner, rights, func(e *executor) error { return f(e, st) }) != nil {
			k.cancel()
		}
	}
	select {
	case st.jobs <- job:
		return nil
	case <-k.ctx.Done():
		return k.ctx.Err()
	}
}

// socketCursor runs a batch at the speed at which its entries are fetched.
type socketCursor struct {
	cancel  context.CancelFunc
	entries chan []byte // closed at the end
	err     error       // read it after that
}

func (k *socket) openCursor(e *executor, st *socketStream, b *batch) error {
	conn, err := e.stream.use(e.ctx)
	if err != nil {
		return err
	}
	p, err := e.compile(b, conn)
	if err != nil {
		return err
	}
	c := &socketCursor{entries: make(chan []byte)}
	run := *e
	run.ctx, c.cancel = context.WithCancel(k.ctx)
	st.open = c
	held := e.stream.conn.hold()
	out := &lines{each: func(entry []byte) error {
		select {
		case c.entries <- entry:
			return nil
		case <-run.ctx.Done():
			return run.ctx.Err()
		}
	}}
	k.work.Go(func() {
		defer held.drop()
		defer close(c.entries)
		c.err = run.stepAll(p, conn, out)
		if c.err == nil {
			out.index(conn)
			c.err = out.err
		}
	})
	return nil
}

func (st *socketStream) closeCursor() {
	if st.open == nil {
		return
	}
	st.open.cancel()
	for range st.open.entries { // until the batch has ended
	}
	st.open = nil
}

// fetch appends what a cursor yields next.
func (e *executor) fetch(c *socketCursor, req *socketRequest) error {
	if c == nil {
		return &SQLError{fmt.Sprintf("Cursor %d has failed to open", req.Cursor), "CURSOR_NOT_OPEN"}
	}
	e.b = append(e.b, `,"entries":[`...)
	start, done := len(e.b), false
	for n := uint32(0); n < req.Max && len(e.b)-start < e.server.opts.MaxResponse/8; n++ {
		entry, ok := <-c.entries
		if !ok {
			if c.err != nil {
				return c.err
			}
			done = true
			break
		}
		if n > 0 {
			e.b = append(e.b, ',')
		}
		e.b = append(e.b, entry...)
	}
	e.b = strconv.AppendBool(append(e.b, `],"done":`...), done)
	return nil
}

// endSockets ends the sockets of a database, or of all.
func (s *Server) endSockets(which func(database string) bool) {
	s.sockets.Range(func(k, _ any) bool {
		if k := k.(*socket); which(k.database) {
			k.cancel()
		}
		return true
	})
}
