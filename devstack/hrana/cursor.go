package hrana

import (
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/zen-auth/zen/devstack/engine"
)

// cursor runs a batch and streams its result, a JSON document a line. As in
// libsql-server the stream waits for its next request from the first line on: while
// rows are sent its idle time passes, and when it is over the rows go on, but the
// transaction that they were read in can't.
func (s *Server) cursor(w http.ResponseWriter, r *http.Request, database string, protobuf bool) error {
	db, rights, err := s.backend.Authorize(r, database)
	if err != nil {
		return err
	}
	var req cursorRequest
	if err := s.read(w, r, &req, when(protobuf, cursorForm)); err != nil {
		return err
	}
	st, err := s.acquire(db, database, req.Baton)
	if err != nil {
		return err
	}
	e := &executor{server: s, ctx: r.Context(), stream: st, rights: rights, version: 3}
	p, conn, err := e.open(req.Batch)
	if err != nil {
		st.close()
		s.release(st)
		return err
	}
	held := st.conn.hold()
	defer held.drop()
	w.Header().Set("Content-Type", "text/plain")
	out := newLines(w)
	defer out.timer.Stop()
	if protobuf {
		w.Header().Set("Content-Type", "application/octet-stream")
		out.form = cursorAnswer
	}
	out.b = append(out.b, `{"baton":`...)
	out.b = appendOptional(out.b, s.release(st))
	out.b = append(out.b, `,"base_url":null}`...)
	out.end()
	out.form = when(protobuf, entryForm)
	if err := e.stepAll(p, conn, out); err != nil {
		out.flush()
		panic(http.ErrAbortHandler) // what was sent can't be taken back
	}
	out.index(conn)
	out.flush()
	return nil
}

// open prepares a cursor. A batch that cannot run at all is an error of the request.
func (e *executor) open(b *batch) (*program, *engine.Conn, error) {
	conn, err := e.stream.use(e.ctx)
	if err != nil {
		return nil, nil, err
	}
	p, err := e.compile(b, conn)
	if inBand := (*SQLError)(nil); errors.As(err, &inBand) {
		err = internal(inBand.Message)
	}
	return p, conn, err
}

func (e *executor) stepAll(p *program, conn *engine.Conn, out *lines) error {
	var timedOut error
	for i, q := range p.queries {
		if timedOut == nil && !p.enabled(i, conn) {
			p.results = append(p.results, false)
			continue
		}
		out.step = i
		err := timedOut
		var res engine.Result
		if err == nil {
			res, err = conn.Run(e.ctx, q, e.rights, out)
			err = asSQLError(err, q.SQL)
		}
		p.results = append(p.results, err == nil)
		if err == nil {
			out.b = append(out.b, `{"type":"step_end","affected_row_count":`...)
			out.b = strconv.AppendInt(out.b, res.Affected, 10)
			out.b = append(out.b, `,"last_insert_rowid":`...)
			if res.Inserted {
				out.b = strconv.AppendInt(out.b, res.LastInsertID, 10)
			} else {
				out.b = append(out.b, "null"...)
			}
			out.b = append(out.b, '}')
			out.end()
			continue
		}
		inBand := (*SQLError)(nil)
		if !errors.As(err, &inBand) {
			return err
		}
		if inBand == errTimedOut {
			timedOut = inBand
		}
		out.b = append(out.b, `{"type":"step_error","step":`...)
		out.b = strconv.AppendInt(out.b, int64(i), 10)
		out.b = append(out.b, `,"error":`...)
		out.b = appendError(out.b, inBand)
		out.b = append(out.b, '}')
		out.end()
	}
	return nil
}

// lines writes what a cursor yields.
type lines struct {
	w       http.ResponseWriter
	flusher *http.ResponseController
	each    func([]byte) error // takes the entries of a socket's cursor, one by one
	form    *form              // of an entry, where it is sent in Protobuf
	step    int
	b       []byte
	start   int   // of the entry that b ends with
	err     error // of writing: the client is gone
	timer   *time.Timer
	due     atomic.Bool // set by timer: the next row is sent at once
}

// newLines returns lines that are sent over HTTP. Its timer is the caller's to stop.
func newLines(w http.ResponseWriter) *lines {
	l := &lines{w: w, flusher: http.NewResponseController(w)}
	l.timer = time.AfterFunc(lineDelay, func() { l.due.Store(true) })
	return l
}

// Entries are collected until there are lineBuffer bytes of them, or an entry comes
// lineDelay after those before were sent: libsql-server sends each as it comes, and a slow
// query's rows are there one by one.
const (
	lineBuffer = 32 << 10
	lineDelay  = 10 * time.Millisecond
)

func (l *lines) end() {
	switch {
	case l.form != nil:
		entry := l.form.fromJSON(nil, l.b[l.start:])
		l.b = protowire.AppendBytes(l.b[:l.start], entry)
		l.start = len(l.b)
		return
	case l.each == nil:
		l.b = append(l.b, '\n')
		return
	}
	if l.err == nil {
		l.err = l.each(l.b)
	}
	l.b = nil // it is the receiver's now
}

// index writes the last line of a cursor.
func (l *lines) index(conn *engine.Conn) {
	l.b = append(l.b, `{"type":"replication_index","replication_index":`...)
	if n, ok := conn.LastFrame(); ok {
		l.b = strconv.AppendUint(l.b, n, 10)
	} else {
		l.b = append(l.b, "null"...)
	}
	l.b = append(l.b, '}')
	l.end()
}

func (l *lines) flush() {
	if l.err == nil {
		_, l.err = l.w.Write(l.b)
	}
	if l.err == nil {
		l.err = l.flusher.Flush()
	}
	l.b, l.start = l.b[:0], 0
	l.due.Store(false)
	l.timer.Reset(lineDelay)
}

func (l *lines) Columns(cols []engine.Column) error {
	l.b = append(l.b, `{"type":"step_begin","step":`...)
	l.b = strconv.AppendInt(l.b, int64(l.step), 10)
	l.b = append(l.b, `,"cols":`...)
	l.b = appendColumns(l.b, cols)
	l.b = append(l.b, '}')
	l.end()
	return l.err
}

func (l *lines) Row(row []engine.Value) error {
	for _, v := range row {
		if v.Kind != engine.Text {
			continue
		}
		if err := checkUTF8(v.Bytes); err != nil {
			return err
		}
	}
	l.b = append(l.b, `{"type":"row","row":`...)
	l.b = appendRow(l.b, row)
	l.b = append(l.b, '}')
	l.end()
	if len(l.b) >= lineBuffer || l.due.Load() {
		l.flush()
	}
	return l.err
}

// Interface guards
var _ engine.Sink = (*lines)(nil)
