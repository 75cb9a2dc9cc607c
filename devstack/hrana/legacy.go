package hrana

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"

	"github.com/zen-auth/zen/devstack/engine"
)

// The older endpoints: a statement or a batch without a stream (/v1), and the first
// API (/), with plain JSON values.

type executeRequest struct{ stmt stmt }

func (r *executeRequest) decode(d *decoder) error {
	return d.structure("struct ReqBody", stmtField, 1, func(int) error { return r.stmt.decode(d) })
}

type batchRequest struct{ batch batch }

func (r *batchRequest) decode(d *decoder) error {
	return d.structure("struct ReqBody", batchField, 1, func(int) error { return r.batch.decode(d) })
}

// once runs f with a stream that ends with it, and sends what f appended.
func (s *Server) once(w http.ResponseWriter, r *http.Request, database string, req message, f func(*executor) error) error {
	db, rights, err := s.backend.Authorize(r, database)
	if err != nil {
		return err
	}
	if err := s.read(w, r, req, nil); err != nil {
		return err
	}
	st, err := s.acquire(db, database, nil)
	if err != nil {
		return err
	}
	defer func() {
		st.close()
		s.release(st)
	}()
	e := &executor{server: s, ctx: r.Context(), stream: st, rights: rights, version: 1}
	if err := f(e); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(e.b) // the client is gone
	return nil
}

func (s *Server) execute1(w http.ResponseWriter, r *http.Request, database string) error {
	var req executeRequest
	return s.once(w, r, database, &req, func(e *executor) error {
		e.b = append(e.b, `{"result":`...)
		err := func() error {
			q, err := e.query(&req.stmt)
			if err != nil {
				return err
			}
			conn, err := e.stream.use(e.ctx)
			if err != nil {
				return err
			}
			return asSQLError(e.run(conn, q, true), q.SQL)
		}()
		e.b = append(e.b, '}')
		return statusOf(err)
	})
}

func (s *Server) batch1(w http.ResponseWriter, r *http.Request, database string) error {
	var req batchRequest
	return s.once(w, r, database, &req, func(e *executor) error {
		conn, err := e.stream.use(e.ctx)
		if err != nil {
			return err
		}
		p, err := e.compile(&req.batch, conn)
		if err != nil {
			return statusOf(err)
		}
		e.b = append(e.b, `{"result":`...)
		if err := e.runAll(p, conn); err != nil {
			return err
		}
		e.b = append(e.b, '}')
		return nil
	})
}

// statusOf gives an error of a statement the status that the endpoints without streams
// answer it with.
func statusOf(err error) error {
	inBand := (*SQLError)(nil)
	if !errors.As(err, &inBand) {
		return err
	}
	status := http.StatusInternalServerError
	switch inBand.Code {
	case "SQL_PARSE_ERROR", "SQL_NO_STATEMENT", "SQL_MANY_STATEMENTS", "ARGS_INVALID", "SQL_INPUT_ERROR", "RESPONSE_TOO_LARGE", "BLOCKED":
		status = http.StatusBadRequest
	case errArgsBoth.Code:
		status = http.StatusNotImplemented
	case errTimedOut.Code:
		status = http.StatusServiceUnavailable
	}
	return &StatusError{Status: status, Origin: "*", Body: struct {
		Message string `json:"message"`
		Code    string `json:"code"`
	}{inBand.Message, inBand.Code}}
}

// queryRequest is the body of the first API.
type queryRequest struct{ queries []engine.Query }

var (
	queryFields  = []string{"statements", "replication_index"}
	objectFields = []string{"q", "params"}
)

func (r *queryRequest) decode(d *decoder) error {
	return d.structure("struct HttpQuery", queryFields, 1, func(field int) error {
		if field == 1 {
			if null, err := d.null(); null || err != nil {
				return err
			}
			_, err := d.integer("u64", 0, 1<<63-1)
			return err
		}
		return sequence(d, &r.queries, decodeQuery)
	})
}

// decodeQuery reads a statement, which is a string or an object.
func decodeQuery(q *engine.Query, d *decoder) (err error) {
	if d.peek() == '"' {
		q.SQL, err = d.string(false)
		return err
	}
	if d.peek() != '{' {
		return d.wrongType("a string or an object")
	}
	return d.structure("a string or an object", objectFields, 1, func(field int) (err error) {
		if field == 0 {
			q.SQL, err = d.string(false)
			return err
		}
		switch d.peek() {
		case '[':
			return d.list(func() error {
				q.Positional = append(q.Positional, value{})
				return decodePlain(&q.Positional[len(q.Positional)-1], d)
			})
		case '{':
			return d.object(func(key []byte) error {
				q.Named = append(q.Named, engine.NamedValue{Name: string(key)})
				if err := d.colon(); err != nil {
					return err
				}
				return decodePlain(&q.Named[len(q.Named)-1].Value, d)
			})
		}
		return d.wrongType("an array or a map of parameters")
	})
}

// decodePlain reads a value as JSON has it by itself, and a blob as {"base64": …}.
func decodePlain(v *value, d *decoder) error {
	c := d.peek()
	switch {
	case c == '"':
		s, err := d.string(false)
		*v = value{Kind: engine.Text, Bytes: []byte(s)}
		return err
	case d.isNumber():
		n, err := d.number()
		switch {
		case !n.integer:
			*v = value{Kind: engine.Float, Float: n.float}
		case n.negative < 0:
			*v = value{Kind: engine.Integer, Int: n.negative}
		default:
			*v = value{Kind: engine.Integer, Int: int64(n.positive)}
		}
		return err
	case c == '{':
		return d.structure("a valid SQLite value", base64Field, 1, func(int) error { return decodeBase64(v, d) })
	case c == '[':
		return d.wrongType("a valid SQLite value")
	}
	word, err := d.other("")
	switch word {
	case "boolean `true`":
		*v = value{Kind: engine.Integer, Int: 1}
	case "boolean `false`":
		*v = value{Kind: engine.Integer}
	}
	return err
}

// queries runs statements one after the other until one fails, and then rolls back.
func (s *Server) queries(w http.ResponseWriter, r *http.Request, database string) error {
	var req queryRequest
	return s.once(w, r, database, &req, func(e *executor) error {
		conn, err := e.stream.use(e.ctx)
		if err != nil {
			return err
		}
		for _, q := range req.queries {
			refusal, err := conn.Check(e.ctx, q.SQL, e.rights)
			if errors.Is(err, engine.ErrManyStatements) {
				return badRequest("Failed to parse query: `found more than one command in a single statement string. It is allowed to issue only one command per string.`")
			}
			if err != nil && !errors.Is(err, engine.ErrNoStatement) {
				inBand := (*SQLError)(nil)
				if errors.As(asSQLError(err, q.SQL), &inBand) {
					return internal(inBand.Message[len("SQL string could not be parsed: "):])
				}
				return err
			}
			if errors.As(refusal, new(*StatusError)) {
				return refusal
			}
		}
		e.b = append(e.b, '[')
		failed := false
		for i, q := range req.queries {
			if i > 0 {
				e.b = append(e.b, ',')
			}
			if failed {
				e.b = append(e.b, "null"...)
				continue
			}
			start := len(e.b)
			sink := plainSink{e: e}
			res, err := conn.Run(e.ctx, q, e.rights, &sink)
			if err = asSQLError(err, q.SQL); err == nil {
				e.b = append(e.b, `],"rows_read":`...)
				e.b = strconv.AppendInt(e.b, res.RowsRead, 10)
				e.b = append(e.b, `,"rows_written":`...)
				e.b = strconv.AppendInt(e.b, res.RowsWritten, 10)
				e.b = append(e.b, `,"query_duration_ms":`...)
				e.b = appendFloat(e.b, float64(res.Duration.Microseconds())/1000)
				e.b = append(e.b, "}}"...)
				continue
			}
			inBand := (*SQLError)(nil)
			if !errors.As(err, &inBand) {
				return err
			}
			failed = true
			e.b = append(append(e.b[:start], `{"error":`...), appendString(nil, inBand.Message)...)
			e.b = append(e.b, '}')
		}
		e.b = append(e.b, ']')
		if !conn.Autocommit() && !failed {
			return badRequest("Query error: `interactive transaction not allowed in HTTP queries`")
		}
		return nil // the stream ends here, and with it what is open
	})
}

func badRequest(text string) error {
	return &StatusError{Status: http.StatusBadRequest, Body: errorBody{text}, Origin: "*"}
}

// plainSink appends columns and rows as plain JSON.
type plainSink struct {
	e    *executor
	some bool
}

func (s *plainSink) Columns(cols []engine.Column) error {
	s.e.b = append(s.e.b, `{"results":{"columns":[`...)
	for i, c := range cols {
		if i > 0 {
			s.e.b = append(s.e.b, ',')
		}
		s.e.b = appendString(s.e.b, c.Name)
	}
	s.e.b = append(s.e.b, `],"rows":[`...)
	return nil
}

func (s *plainSink) Row(row []engine.Value) error {
	b := s.e.b
	if s.some {
		b = append(b, ',')
	}
	s.some = true
	b = append(b, '[')
	for i, v := range row {
		if i > 0 {
			b = append(b, ',')
		}
		switch v.Kind {
		case engine.Null:
			b = append(b, "null"...)
		case engine.Integer:
			b = strconv.AppendInt(b, v.Int, 10)
		case engine.Float:
			b = appendFloat(b, v.Float)
		case engine.Text:
			b = appendString(b, v.Bytes)
		case engine.Blob:
			b = append(b, `{"base64":"`...)
			b = base64.RawStdEncoding.AppendEncode(b, v.Bytes)
			b = append(b, `"}`...)
		}
	}
	s.e.b = append(b, ']')
	if len(s.e.b) > s.e.server.opts.MaxResponse {
		return errResponseTooLarge
	}
	return nil
}

// Interface guards
var (
	_ engine.Sink = (*plainSink)(nil)
	_ message     = (*queryRequest)(nil)
)
