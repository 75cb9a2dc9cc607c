package hrana

import (
	"context"
	"fmt"
	"strconv"

	"github.com/zen-auth/zen/devstack/engine"
)

// executor runs the requests of one HTTP request and appends the response to b.
type executor struct {
	server  *Server
	ctx     context.Context
	stream  *stream
	rights  *engine.Rights
	version version
	b       []byte
	rows    int // bytes of rows so far, which are bounded
}

func (e *executor) execute(req *streamRequest) error {
	q, err := e.query(req.Stmt)
	if err != nil {
		return err
	}
	conn, err := e.stream.use(e.ctx)
	if err != nil {
		return err
	}
	e.b = append(e.b, `,"result":`...)
	return asParseError(e.run(conn, q), q.SQL)
}

// run appends the result of a statement. After an error, what was appended is of
// no use.
func (e *executor) run(conn *engine.Conn, q engine.Query) error {
	sink := resultSink{e: e}
	res, err := conn.Run(e.ctx, q, e.rights, &sink)
	if err != nil {
		return err
	}
	e.b = append(e.b, `],"affected_row_count":`...)
	e.b = strconv.AppendInt(e.b, res.Affected, 10)
	e.b = append(e.b, `,"last_insert_rowid":`...)
	e.b = appendRowID(e.b, res)
	e.b = append(e.b, `,"replication_index":null`...)
	if e.version >= 3 {
		e.b = append(e.b, `,"rows_read":`...)
		e.b = strconv.AppendInt(e.b, res.RowsRead, 10)
		e.b = append(e.b, `,"rows_written":`...)
		e.b = strconv.AppendInt(e.b, res.RowsWritten, 10)
		e.b = append(e.b, `,"query_duration_ms":`...)
		e.b = appendFloat(e.b, float64(res.Duration.Microseconds())/1000)
	}
	e.b = append(e.b, '}')
	return nil
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
	return nil
}

func (s *resultSink) Row(row []engine.Value) error {
	start := len(s.e.b)
	if s.some {
		s.e.b = append(s.e.b, ',')
	}
	s.some = true
	s.e.b = appendRow(s.e.b, row)
	s.e.rows += len(s.e.b) - start
	if s.e.rows > s.e.server.opts.MaxResponse {
		return errResponseTooLarge
	}
	return nil
}

func (e *executor) sequence(req *streamRequest) error {
	sql, err := e.sql(req.SQL, req.SQLID)
	if err != nil {
		return err
	}
	conn, err := e.stream.use(e.ctx)
	if err != nil {
		return err
	}
	return asParseError(conn.Script(e.ctx, sql, e.rights), sql)
}

func (e *executor) describe(req *streamRequest) error {
	sql, err := e.sql(req.SQL, req.SQLID)
	if err != nil {
		return err
	}
	conn, err := e.stream.use(e.ctx)
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
	if req.SQL == nil || req.SQLID == nil {
		return protocolErrorf("Cannot deserialize client message from JSON: store_sql needs `sql` and `sql_id`")
	}
	st := e.stream
	if _, ok := st.sqls[*req.SQLID]; ok {
		return protocolErrorf("SQL text %d already exists", *req.SQLID)
	}
	if n := len(st.sqls); n >= maxStored {
		return &SQLError{fmt.Sprintf("The server already stores %d SQL texts, it cannot store more", n), "SQL_STORE_TOO_MANY"}
	}
	if n := len(*req.SQL); n > maxStoredSize {
		return &SQLError{fmt.Sprintf("The statement is too large to be stored: %d B/5.0 KB", n), "SQL_STORE_TOO_LARGE"}
	}
	if st.sqls == nil {
		st.sqls = make(map[int32]string)
	}
	st.sqls[*req.SQLID] = *req.SQL
	return nil
}

func (e *executor) closeSQL(req *streamRequest) error {
	if req.SQLID == nil {
		return protocolErrorf("Cannot deserialize client message from JSON: close_sql needs `sql_id`")
	}
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
