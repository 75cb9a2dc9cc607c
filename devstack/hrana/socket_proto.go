package hrana

import "math"

// The messages of a socket's client.

type clientMessage struct {
	Hello   bool
	JWT     *string
	ID      int32
	Request *socketRequest // nil for a hello
}

// socketRequest is any request on a socket; Type says which fields count.
type socketRequest struct {
	streamRequest
	Stream, Cursor int32
	Max            uint32
}

var (
	clientTypes   = []string{"hello", "request"}
	helloFields   = []string{"jwt"}
	requestFields = []string{"request_id", "request"}
)

func (m *clientMessage) decode(d *decoder) error {
	variant, body, err := d.tagged("ClientMsg", clientTypes)
	if err != nil {
		return err
	}
	if m.Hello = variant == 0; m.Hello {
		return displaced(body.structure("struct HelloMsg", helloFields, 0, func(int) error { return body.optional(&m.JWT) }))
	}
	return displaced(body.structure("struct RequestMsg", requestFields, 1, func(field int) error {
		if field == 0 {
			return body.int32(&m.ID)
		}
		if null, err := body.null(); null || err != nil {
			return err
		}
		m.Request = new(socketRequest)
		return m.Request.decode(body)
	}))
}

// socketRequests has the fields of each request. Those whose bit is set are required.
var socketRequests = []struct {
	name     string // of Rust's type
	fields   []string
	required uint
}{
	{"struct OpenStreamReq", []string{"stream_id"}, 1},
	{"struct CloseStreamReq", []string{"stream_id"}, 1},
	{"struct ExecuteReq", []string{"stream_id", "stmt", "replication_index"}, 3},
	{"struct BatchReq", []string{"stream_id", "batch"}, 3},
	{"struct OpenCursorReq", []string{"stream_id", "cursor_id", "batch"}, 7},
	{"struct CloseCursorReq", []string{"cursor_id"}, 1},
	{"struct FetchCursorReq", []string{"cursor_id", "max_count"}, 3},
	{"struct SequenceReq", []string{"stream_id", "sql", "sql_id", "replication_index"}, 1},
	{"struct DescribeReq", []string{"stream_id", "sql", "sql_id", "replication_index"}, 1},
	{"struct StoreSqlReq", []string{"sql_id", "sql"}, 3},
	{"struct CloseSqlReq", []string{"sql_id"}, 1},
	{"struct GetAutocommitReq", []string{"stream_id"}, 1},
}

// socketTypes are the names of socketRequests.
var socketTypes = []string{
	"open_stream", "close_stream", "execute", "batch", "open_cursor", "close_cursor", "fetch_cursor",
	"sequence", "describe", "store_sql", "close_sql", "get_autocommit",
}

func (r *socketRequest) decode(d *decoder) error {
	variant, body, err := d.tagged("Request", socketTypes)
	if err != nil {
		return err
	}
	r.Type = socketTypes[variant]
	kind := socketRequests[variant]
	return displaced(body.structure(kind.name, kind.fields, kind.required, func(field int) error {
		switch kind.fields[field] {
		case "stream_id":
			return body.int32(&r.Stream)
		case "cursor_id":
			return body.int32(&r.Cursor)
		case "max_count":
			n, err := body.integer("u32", 0, math.MaxUint32)
			r.Max = uint32(n)
			return err
		case "stmt":
			r.Stmt = new(stmt)
			return r.Stmt.decode(body)
		case "batch":
			r.Batch = new(batch)
			return r.Batch.decode(body)
		case "sql_id":
			if kind.required != 1 || r.Type == "close_sql" {
				return body.sqlID(&r.SQLID)
			}
			return body.optionalSQLID(&r.SQLID)
		case "sql":
			return body.optional(&r.SQL)
		}
		return body.replicationIndex()
	}))
}
