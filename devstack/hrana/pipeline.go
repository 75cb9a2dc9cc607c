package hrana

import (
	"errors"
	"net/http"
	"sync"

	"github.com/zen-auth/zen/devstack/engine"
)

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxPooled bounds a buffer that is kept for the next response, in bytes.
const maxPooled = 1 << 20

func (s *Server) pipeline(w http.ResponseWriter, r *http.Request, database string, v version) error {
	db, rights, err := s.backend.Authorize(r, database)
	if err != nil {
		return err
	}
	var req pipelineRequest
	if err := s.read(w, r, &req); err != nil {
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
	e := &executor{server: s, ctx: r.Context(), stream: st, rights: rights, version: v, b: (*buf)[:0]}
	defer func() {
		if cap(e.b) <= maxPooled {
			*buf = e.b
			buffers.Put(buf)
		}
	}()
	e.b = append(e.b, `{"results":[`...)
	for i := range req.Requests {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		if err := e.request(&req.Requests[i]); err != nil {
			return err
		}
	}
	keep = true
	e.b = append(e.b, `],"baton":`...)
	e.b = appendOptional(e.b, s.release(st))
	e.b = append(e.b, `,"base_url":null}`...)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(e.b) // the client is gone: its stream expires
	return nil
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
	return protocolErrorf("Cannot deserialize client message from JSON: unknown request type %q", req.Type)
}

// query makes what the engine runs out of a statement.
func (e *executor) query(s *stmt) (engine.Query, error) {
	if s == nil {
		return engine.Query{}, protocolErrorf("Cannot deserialize client message from JSON: missing field `stmt`")
	}
	sql, err := e.sql(s.SQL, s.SQLID)
	if err != nil {
		return engine.Query{}, err
	}
	if len(s.Args) > 0 && len(s.NamedArgs) > 0 {
		return engine.Query{}, errArgsBoth
	}
	q := engine.Query{SQL: sql}
	if len(s.Args) > 0 {
		q.Positional = make([]engine.Value, len(s.Args))
		for i, a := range s.Args {
			q.Positional[i] = engine.Value(a)
		}
	}
	for _, a := range s.NamedArgs {
		q.Named = append(q.Named, engine.NamedValue{Name: a.Name, Value: engine.Value(a.Value)})
	}
	return q, nil
}

// sql is the text itself, or the stored one with the id.
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
