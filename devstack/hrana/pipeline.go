package hrana

import (
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/zen-auth/zen/devstack/engine"
)

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxPooled bounds a buffer that is kept for the next response, in bytes.
const maxPooled = 1 << 20

func (s *Server) pipeline(w http.ResponseWriter, r *http.Request, database string, v version, protobuf bool) error {
	db, rights, err := s.backend.Authorize(r, database)
	if err != nil {
		return err
	}
	var req pipelineRequest
	if err := s.read(w, r, &req, when(protobuf, pipelineForm)); err != nil {
		return err
	}
	st, err := s.acquire(db, database, req.Baton)
	if err != nil {
		return err
	}
	keep := false
	defer func() {
		if !keep {
			st.close()
			s.release(st)
		}
	}()

	buf := buffers.Get().(*[]byte)
	e := &executor{server: s, ctx: r.Context(), stream: st, rights: rights, version: v, overHTTP: true, b: append((*buf)[:0], longestHead...)}
	defer func() {
		if cap(e.b) <= maxPooled {
			*buf = e.b
			buffers.Put(buf)
		}
	}()
	for i := range req.Requests {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		if err := e.request(&req.Requests[i]); err != nil {
			return err
		}
	}
	keep = true
	e.b = append(e.b, `]}`...)
	answer := withHead(e.b, s.release(st))
	w.Header().Set("Content-Type", "application/json")
	if protobuf {
		w.Header().Set("Content-Type", "application/x-protobuf")
		answer = pipelineAnswer.fromJSON(nil, answer)
	}
	_, _ = w.Write(answer) // the client is gone: its stream expires
	return nil
}

// when returns the form if it is wanted, or nil.
func when(wanted bool, f *form) *form {
	if wanted {
		return f
	}
	return nil
}

// longestHead is the beginning of an answer with a baton. The baton is known when the
// rest was written.
var longestHead = appendHead(nil, strings.Repeat("A", batonLength))

func appendHead(b []byte, baton string) []byte {
	b = append(b, `{"baton":`...)
	b = appendOptional(b, baton)
	return append(b, `,"base_url":null,"results":[`...)
}

// withHead puts the head into its place before an answer that begins with the longest.
func withHead(b []byte, baton string) []byte {
	var buf [len(`{"baton":"","base_url":null,"results":[`) + batonLength]byte
	head := appendHead(buf[:0], baton)
	from := len(longestHead) - len(head)
	copy(b[from:], head)
	return b[from:]
}

// request runs one request of a pipeline and appends its result. An error that it
// returns ends the whole pipeline.
func (e *executor) request(req *streamRequest) error {
	start := len(e.b)
	e.b = append(e.b, `{"type":"ok","response":{"type":"`...)
	e.b = append(e.b, req.Type...)
	e.b = append(e.b, '"')
	err := e.dispatch(req)
	if inBand := (*SQLError)(nil); errors.As(err, &inBand) {
		e.b = append(e.b[:start], `{"type":"error","error":`...)
		e.b = appendError(e.b, inBand)
		e.b = append(e.b, '}')
		return nil
	}
	e.b = append(e.b, `}}`...)
	return err
}

func (e *executor) dispatch(req *streamRequest) error {
	switch req.Type {
	case "execute":
		return e.execute(req)
	case "batch":
		return e.batch(req)
	case "sequence":
		return e.sequence(req)
	case "describe":
		return e.describe(req)
	case "store_sql":
		return e.storeSQL(req)
	case "close_sql":
		return e.closeSQL(req)
	case "get_autocommit":
		return e.getAutocommit()
	case "close":
		e.stream.close()
		return nil
	}
	panic("hrana: request of type " + req.Type) // decoding lets no other pass
}

// query makes what the engine runs out of a statement.
func (e *executor) query(s *stmt) (engine.Query, error) {
	if e.version < 2 && s.SQLID != nil {
		return engine.Query{}, protocolErrorf("`sql_id` is only supported in protocol version hrana2 and higher")
	}
	sql, err := e.sql(s.SQL, s.SQLID)
	if err != nil {
		return engine.Query{}, err
	}
	if len(s.Args) > 0 && len(s.NamedArgs) > 0 {
		return engine.Query{}, errArgsBoth
	}
	q := engine.Query{SQL: sql, Positional: s.Args, NoRows: s.NoRows && e.server.opts.LeavesRowsOut != nil && e.server.opts.LeavesRowsOut()}
	for _, a := range s.NamedArgs {
		q.Named = append(q.Named, engine.NamedValue{Name: a.Name, Value: a.Value})
	}
	return q, nil
}

// sql returns the text itself, or the stored one with the id.
func (e *executor) sql(sql *string, id *int32) (string, error) {
	switch {
	case sql != nil && id != nil:
		return "", protocolErrorf("Either `sql` or `sql_id` are required, but not both")
	case sql != nil:
		return *sql, nil
	case id == nil:
		return "", protocolErrorf("Either `sql` or `sql_id` are required")
	}
	stored, ok := e.stream.sqls[*id]
	if !ok {
		return "", protocolErrorf("SQL text %d not found", *id)
	}
	return stored, nil
}
