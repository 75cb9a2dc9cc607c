package hrana

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"

	"github.com/zen-auth/zen/devstack/engine"
)

// executor runs the requests of one HTTP request and appends the response to b.
type executor struct {
	server   *Server
	ctx      context.Context
	stream   *stream
	rights   *engine.Rights
	version  version
	overHTTP bool
	b        []byte
	size     int // of the result so far, by libsql-server's own estimate, which is bounded
}

func (e *executor) execute(req *streamRequest) error {
	conn, err := e.stream.use(e.ctx)
	if err != nil {
		return err
	}
	q, err := e.query(req.Stmt)
	if err != nil {
		return err
	}
	e.size = 0
	e.b = append(e.b, `,"result":`...)
	return asSQLError(e.run(conn, q, true), q.SQL)
}

// run appends the result of a statement; of a batch the index comes once, at its end.
// After an error, what was appended is of no use.
func (e *executor) run(conn *engine.Conn, q engine.Query, index bool) error {
	sink := resultSink{e: e}
	res, err := conn.Run(e.ctx, q, e.rights, &sink)
	if err != nil {
		return err
	}
	e.b = append(e.b, `],"affected_row_count":`...)
	e.b = strconv.AppendInt(e.b, res.Affected, 10)
	e.b = append(e.b, `,"last_insert_rowid":`...)
	if res.Inserted {
		e.b = append(e.b, '"')
		e.b = strconv.AppendInt(e.b, res.LastInsertID, 10)
		e.b = append(e.b, '"')
	} else {
		e.b = append(e.b, "null"...)
	}
	e.b = append(e.b, `,"replication_index":`...)
	if index {
		e.b = appendIndex(e.b, conn)
	} else {
		e.b = append(e.b, "null"...)
	}
	e.b = append(e.b, `,"rows_read":`...)
	e.b = strconv.AppendInt(e.b, res.RowsRead, 10)
	e.b = append(e.b, `,"rows_written":`...)
	e.b = strconv.AppendInt(e.b, res.RowsWritten, 10)
	e.b = append(e.b, `,"query_duration_ms":`...)
	e.b = appendFloat(e.b, float64(res.Duration.Microseconds())/1000)
	e.b = append(e.b, '}')
	return nil
}

// appendIndex writes the number of the last frame that was committed, as a string.
func appendIndex(b []byte, conn *engine.Conn) []byte {
	n, ok := conn.LastFrame()
	if !ok {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = strconv.AppendUint(b, n, 10)
	return append(b, '"')
}

// resultSink appends the columns and rows of a statement's result.
type resultSink struct {
	e    *executor
	some bool
}

func (s *resultSink) Columns(cols []engine.Column) error {
	s.e.b = append(s.e.b, `{"cols":`...)
	s.e.b = appendColumns(s.e.b, cols)
	s.e.b = append(s.e.b, `,"rows":[`...)
	for _, c := range cols {
		s.e.size += len(`{"name":"","decltype":""}`) + len(c.Name) + max(len(c.DeclType), len("null"))
	}
	return s.e.bounded()
}

func (e *executor) bounded() error {
	if e.size > e.server.opts.MaxResponse {
		return errResponseTooLarge
	}
	return nil
}

func (s *resultSink) Row(row []engine.Value) error {
	if s.some {
		s.e.b = append(s.e.b, ',')
	}
	s.some = true
	start := len(s.e.b)
	s.e.b = appendRow(s.e.b, row)
	s.e.size += len(s.e.b) - start - len("[]") - max(0, len(row)-1)
	for _, v := range row {
		switch v.Kind {
		case engine.Text:
			if err := checkUTF8(v.Bytes); err != nil {
				return err
			}
		case engine.Blob: // counted as it is, without what is around it
			s.e.size -= len(`{"type":"blob","base64":""}`) + base64.RawStdEncoding.EncodedLen(len(v.Bytes)) - len(v.Bytes)
		case engine.Float:
			s.e.size++ // sic
		}
	}
	return s.e.bounded()
}

func (e *executor) sequence(req *streamRequest) error {
	conn, err := e.stream.use(e.ctx)
	if err != nil {
		return err
	}
	sql, err := e.sql(req.SQL, req.SQLID)
	if err != nil {
		return err
	}
	return asSQLError(conn.Script(e.ctx, sql, e.rights), sql)
}

func (e *executor) describe(req *streamRequest) error {
	conn, err := e.stream.use(e.ctx)
	if err != nil {
		return err
	}
	sql, err := e.sql(req.SQL, req.SQLID)
	if err != nil {
		return err
	}
	d, err := conn.Describe(e.ctx, sql, e.rights)
	if err != nil {
		return asSQLError(err, sql)
	}
	e.b = append(e.b, `,"result":{"params":[`...)
	for i, name := range d.Params {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		e.b = append(e.b, `{"name":`...)
		e.b = appendOptional(e.b, name)
		e.b = append(e.b, '}')
	}
	e.b = append(e.b, `],"cols":`...)
	e.b = appendColumns(e.b, d.Columns)
	e.b = append(e.b, `,"is_explain":`...)
	e.b = strconv.AppendBool(e.b, d.Explain)
	e.b = append(e.b, `,"is_readonly":`...)
	e.b = strconv.AppendBool(e.b, d.ReadOnly)
	e.b = append(e.b, '}')
	return nil
}

// What a stream may store, as in libsql-server.
const (
	maxStored     = 50
	maxStoredSize = 5000
)

func (e *executor) storeSQL(req *streamRequest) error {
	return e.store(req, maxStored, maxStoredSize)
}

// store keeps one of at most so many texts of at most so many bytes.
func (e *executor) store(req *streamRequest, most, longest int) error {
	st := e.stream
	if _, ok := st.sqls[*req.SQLID]; ok {
		return protocolErrorf("SQL text %d already exists", *req.SQLID)
	}
	if n := len(st.sqls); n >= most {
		return &SQLError{fmt.Sprintf("The server already stores %d SQL texts, it cannot store more", n), "SQL_STORE_TOO_MANY"}
	}
	if n := len(*req.SQL); n > longest {
		return &SQLError{fmt.Sprintf("The statement is too large to be stored: %d B/5.0 KB", n), "SQL_STORE_TOO_LARGE"}
	}
	if st.sqls == nil {
		st.sqls = make(map[int32]string)
	}
	st.sqls[*req.SQLID] = *req.SQL
	return nil
}

func (e *executor) closeSQL(req *streamRequest) error {
	delete(e.stream.sqls, *req.SQLID)
	return nil
}

func (e *executor) getAutocommit() error {
	if e.version < 3 {
		return protocolErrorf("The `get_autocommit` request is only supported in protocol version hrana3 and higher")
	}
	conn, err := e.stream.use(e.ctx)
	if err != nil {
		return err
	}
	e.b = append(e.b, `,"is_autocommit":`...)
	e.b = strconv.AppendBool(e.b, conn.Autocommit())
	return nil
}

// Interface guards
var _ engine.Sink = (*resultSink)(nil)
