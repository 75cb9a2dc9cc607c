package hrana

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"

	"github.com/zen-auth/zen/devstack/engine"
)

// The messages, with the names that libsql-server's serde has for them.

type pipelineRequest struct {
	Baton    *string
	Requests []streamRequest
}

type cursorRequest struct {
	Baton *string
	Batch *batch
}

// streamRequest is any request of a pipeline; Type says which fields count.
type streamRequest struct {
	Type  string
	Stmt  *stmt
	Batch *batch
	SQL   *string
	SQLID *int32
}

type stmt struct {
	SQL       *string
	SQLID     *int32
	Args      []value
	NamedArgs []namedArg
	NoRows    bool // they aren't wanted
}

type namedArg struct {
	Name  string
	Value value
}

type batch struct {
	Steps []step
}

type step struct {
	Condition *condition
	Stmt      *stmt
}

type condition struct {
	Type  string
	Step  uint32
	Cond  *condition
	Conds []condition
}

// value is an SQL value as JSON has it: an integer is a string, since JavaScript
// cannot hold 64 bits.
type value = engine.Value

var pipelineFields = []string{"baton", "requests"}

func (r *pipelineRequest) decode(d *decoder) error {
	return d.structure("struct PipelineReqBody", pipelineFields, 1<<1, func(field int) error {
		if field == 0 {
			return d.optional(&r.Baton)
		}
		return sequence(d, &r.Requests, (*streamRequest).decode)
	})
}

// sequence reads a list into a slice.
func sequence[T any](d *decoder, into *[]T, decode func(*T, *decoder) error) error {
	if d.peek() != '[' {
		return d.wrongType("a sequence")
	}
	return d.list(func() error {
		*into = append(*into, *new(T))
		return decode(&(*into)[len(*into)-1], d)
	})
}

var cursorFields = []string{"baton", "batch"}

func (r *cursorRequest) decode(d *decoder) error {
	return d.structure("struct CursorReqBody", cursorFields, 1<<1, func(field int) error {
		if field == 0 {
			return d.optional(&r.Baton)
		}
		r.Batch = new(batch)
		return r.Batch.decode(d)
	})
}

var requestTypes = []string{"close", "execute", "batch", "sequence", "describe", "store_sql", "close_sql", "get_autocommit"}

var (
	stmtField     = []string{"stmt"}
	batchField    = []string{"batch"}
	textFields    = []string{"sql", "sql_id", "replication_index"}
	storeFields   = []string{"sql_id", "sql"}
	closeSQLField = []string{"sql_id"}
)

func (r *streamRequest) decode(d *decoder) error {
	variant, body, err := d.tagged("StreamRequest", requestTypes)
	if err != nil {
		return err
	}
	r.Type = requestTypes[variant]
	switch r.Type {
	case "close":
		err = body.structure("struct CloseStreamReq", nil, 0, nil)
	case "get_autocommit":
		err = body.structure("struct GetAutocommitStreamReq", nil, 0, nil)
	case "execute":
		err = body.structure("struct ExecuteStreamReq", stmtField, 1, func(int) error {
			r.Stmt = new(stmt)
			return r.Stmt.decode(body)
		})
	case "batch":
		err = body.structure("struct BatchStreamReq", batchField, 1, func(int) error {
			r.Batch = new(batch)
			return r.Batch.decode(body)
		})
	case "sequence", "describe":
		name := "struct SequenceStreamReq"
		if r.Type == "describe" {
			name = "struct DescribeStreamReq"
		}
		err = body.structure(name, textFields, 0, func(field int) error {
			switch field {
			case 0:
				return body.optional(&r.SQL)
			case 1:
				return body.optionalSQLID(&r.SQLID)
			}
			return body.replicationIndex()
		})
	case "store_sql":
		err = body.structure("struct StoreSqlStreamReq", storeFields, 3, func(field int) error {
			if field == 0 {
				return body.sqlID(&r.SQLID)
			}
			s, err := body.string(false)
			r.SQL = &s
			return err
		})
	case "close_sql":
		err = body.structure("struct CloseSqlStreamReq", closeSQLField, 1, func(int) error { return body.sqlID(&r.SQLID) })
	}
	return displaced(err)
}

var stmtFields = []string{"sql", "sql_id", "args", "named_args", "want_rows", "replication_index"}

func (s *stmt) decode(d *decoder) error {
	return d.structure("struct Stmt", stmtFields, 0, func(field int) (err error) {
		switch field {
		case 0:
			return d.optional(&s.SQL)
		case 1:
			return d.optionalSQLID(&s.SQLID)
		case 2:
			return sequence(d, &s.Args, decodeValue)
		case 3:
			return sequence(d, &s.NamedArgs, (*namedArg).decode)
		case 4:
			s.NoRows, err = d.denied()
			return err
		}
		return d.replicationIndex()
	})
}

var namedFields = []string{"name", "value"}

func (a *namedArg) decode(d *decoder) error {
	return d.structure("struct NamedArg", namedFields, 3, func(field int) (err error) {
		if field == 0 {
			a.Name, err = d.string(false)
			return err
		}
		return decodeValue(&a.Value, d)
	})
}

var batchFields = []string{"steps", "replication_index"}

func (b *batch) decode(d *decoder) error {
	return d.structure("struct Batch", batchFields, 1, func(field int) error {
		if field == 0 {
			return sequence(d, &b.Steps, (*step).decode)
		}
		return d.replicationIndex()
	})
}

var stepFields = []string{"condition", "stmt"}

func (s *step) decode(d *decoder) error {
	return d.structure("struct BatchStep", stepFields, 1<<1, func(field int) error {
		if field == 1 {
			s.Stmt = new(stmt)
			return s.Stmt.decode(d)
		}
		if null, err := d.null(); null || err != nil {
			return err
		}
		s.Condition = new(condition)
		return s.Condition.decode(d)
	})
}

var (
	conditionTypes = []string{"ok", "error", "not", "and", "or", "is_autocommit"}
	stepField      = []string{"step"}
	condField      = []string{"cond"}
	condsField     = []string{"conds"}
)

func (c *condition) decode(d *decoder) error {
	variant, body, err := d.tagged("BatchCond", conditionTypes)
	if err != nil {
		return err
	}
	c.Type = conditionTypes[variant]
	switch c.Type {
	case "ok", "error":
		name := "struct variant BatchCond::Ok"
		if c.Type == "error" {
			name = "struct variant BatchCond::Error"
		}
		err = body.structure(name, stepField, 1, func(int) error {
			n, err := body.integer("u32", 0, math.MaxUint32)
			c.Step = uint32(n)
			return err
		})
	case "not":
		err = body.structure("struct variant BatchCond::Not", condField, 1, func(int) error {
			c.Cond = new(condition)
			return c.Cond.decode(body)
		})
	case "and", "or":
		err = body.structure("struct BatchCondList", condsField, 1, func(int) error {
			return sequence(body, &c.Conds, (*condition).decode)
		})
	}
	return displaced(err)
}

var (
	valueTypes  = []string{"null", "integer", "float", "text", "blob"}
	valueField  = []string{"value"}
	base64Field = []string{"base64"}
)

func decodeValue(v *value, d *decoder) error {
	variant, body, err := d.tagged("Value", valueTypes)
	if err != nil {
		return err
	}
	switch valueTypes[variant] {
	case "null":
		*v = value{}
	case "integer":
		err = body.structure("struct variant Value::Integer", valueField, 1, func(int) error {
			s, err := body.string(true)
			if err != nil {
				return err
			}
			i, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				return errorText("invalid value: string %s, expected decimal integer as a string", rustQuote(s))
			}
			*v = value{Kind: engine.Integer, Int: i}
			return nil
		})
	case "float":
		err = body.structure("struct variant Value::Float", valueField, 1, func(int) error {
			f, err := body.float()
			*v = value{Kind: engine.Float, Float: f}
			return err
		})
	case "text":
		err = body.structure("struct variant Value::Text", valueField, 1, func(int) error {
			s, err := body.string(false)
			*v = value{Kind: engine.Text, Bytes: []byte(s)}
			return err
		})
	case "blob":
		err = body.structure("struct variant Value::Blob", base64Field, 1, func(int) error { return decodeBase64(v, body) })
	}
	return displaced(err)
}

func decodeBase64(v *value, d *decoder) error {
	s, err := d.string(true)
	if err != nil {
		return err
	}
	s = strings.TrimRight(s, "=")
	b, err := base64.RawStdEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return errorText("invalid value: string %s, expected binary data encoded as base64", rustQuote(s))
	}
	*v = value{Kind: engine.Blob, Bytes: b}
	return nil
}
