package hrana

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Protobuf is read and written as JSON that is translated: what a message means is written
// down once, and only its form here. The numbers are those of libsql-hrana/src/proto.rs and
// libsql-server/src/hrana/ws/proto.rs.

// form is the encoding of a message.
type form struct {
	fields []field
	// tagged messages have one field, whose name is the member "type" in JSON. Beside it
	// are the members of the field's message, or the one that field.member names.
	tagged bool
	// what an unknown tagged message is, in an error.
	what string
	// list messages are in JSON the list in their only field.
	list bool
}

type kind int

const (
	aString kind = iota
	aBlob        // base64 in JSON
	anInt32
	aUint32
	aUint64
	aSint64 // a string in JSON
	aDouble
	aBool
	aMessage
	aMap   // from the place in a list, which has null if there is no entry
	aOneof // a tagged message whose fields are this one's
	nothing
)

type field struct {
	number protowire.Number
	name   string
	kind   kind
	of     *form  // of a message
	member string // of a variant that is no message in JSON
	how    int    // optional, repeated
}

const (
	required = iota
	optional
	repeated
)

var (
	errorForm   = &form{fields: []field{{1, "message", aString, nil, "", 0}, {2, "code", aString, nil, "", 0}}}
	emptyForm   = &form{}
	valueForm   = &form{tagged: true, what: "Value", fields: []field{{1, "null", nothing, nil, "", 0}, {2, "integer", aSint64, nil, "value", 0}, {3, "float", aDouble, nil, "value", 0}, {4, "text", aString, nil, "value", 0}, {5, "blob", aBlob, nil, "base64", 0}}}
	namedForm   = &form{fields: []field{{1, "name", aString, nil, "", 0}, {2, "value", aMessage, valueForm, "", 0}}}
	stmtForm    = &form{fields: []field{{1, "sql", aString, nil, "", optional}, {2, "sql_id", anInt32, nil, "", optional}, {3, "args", aMessage, valueForm, "", repeated}, {4, "named_args", aMessage, namedForm, "", repeated}, {5, "want_rows", aBool, nil, "", optional}, {6, "replication_index", aUint64, nil, "", optional}}}
	condForm    = &form{tagged: true, what: "BatchCond"}
	condsForm   = &form{fields: []field{{1, "conds", aMessage, condForm, "", repeated}}}
	stepForm    = &form{fields: []field{{1, "condition", aMessage, condForm, "", optional}, {2, "stmt", aMessage, stmtForm, "", 0}}}
	batchForm   = &form{fields: []field{{1, "steps", aMessage, stepForm, "", repeated}, {2, "replication_index", aUint64, nil, "", optional}}}
	onStmt      = &form{fields: []field{{1, "stmt", aMessage, stmtForm, "", 0}}}
	onBatch     = &form{fields: []field{{1, "batch", aMessage, batchForm, "", 0}}}
	onSQL       = &form{fields: []field{{1, "sql", aString, nil, "", optional}, {2, "sql_id", anInt32, nil, "", optional}, {3, "replication_index", aUint64, nil, "", optional}}}
	onStore     = &form{fields: []field{{1, "sql_id", anInt32, nil, "", 0}, {2, "sql", aString, nil, "", 0}}}
	onCloseSQL  = &form{fields: []field{{1, "sql_id", anInt32, nil, "", 0}}}
	requestForm = &form{tagged: true, what: "StreamRequest", fields: []field{
		{1, "close", aMessage, emptyForm, "", 0}, {2, "execute", aMessage, onStmt, "", 0}, {3, "batch", aMessage, onBatch, "", 0}, {4, "sequence", aMessage, onSQL, "", 0},
		{5, "describe", aMessage, onSQL, "", 0}, {6, "store_sql", aMessage, onStore, "", 0}, {7, "close_sql", aMessage, onCloseSQL, "", 0}, {8, "get_autocommit", aMessage, emptyForm, "", 0}}}
	pipelineForm = &form{fields: []field{{1, "baton", aString, nil, "", optional}, {2, "requests", aMessage, requestForm, "", repeated}}}
	cursorForm   = &form{fields: []field{{1, "baton", aString, nil, "", optional}, {2, "batch", aMessage, batchForm, "", 0}}}

	colForm       = &form{fields: []field{{1, "name", aString, nil, "", optional}, {2, "decltype", aString, nil, "", optional}}}
	rowForm       = &form{list: true, fields: []field{{1, "values", aMessage, valueForm, "", repeated}}}
	resultForm    = &form{fields: []field{{1, "cols", aMessage, colForm, "", repeated}, {2, "rows", aMessage, rowForm, "", repeated}, {3, "affected_row_count", aUint64, nil, "", 0}, {4, "last_insert_rowid", aSint64, nil, "", optional}, {5, "replication_index", aUint64, nil, "", optional}, {6, "rows_read", aUint64, nil, "", 0}, {7, "rows_written", aUint64, nil, "", 0}, {8, "query_duration_ms", aDouble, nil, "", 0}}}
	batchResult   = &form{fields: []field{{1, "step_results", aMap, resultForm, "", 0}, {2, "step_errors", aMap, errorForm, "", 0}}}
	paramForm     = &form{fields: []field{{1, "name", aString, nil, "", optional}}}
	describeForm  = &form{fields: []field{{1, "params", aMessage, paramForm, "", repeated}, {2, "cols", aMessage, colForm, "", repeated}, {3, "is_explain", aBool, nil, "", 0}, {4, "is_readonly", aBool, nil, "", 0}}}
	executed      = &form{fields: []field{{1, "result", aMessage, resultForm, "", 0}}}
	batched       = &form{fields: []field{{1, "result", aMessage, batchResult, "", 0}}}
	described     = &form{fields: []field{{1, "result", aMessage, describeForm, "", 0}}}
	autocommitted = &form{fields: []field{{1, "is_autocommit", aBool, nil, "", 0}}}
	responseForm  = &form{tagged: true, fields: []field{
		{1, "close", aMessage, emptyForm, "", 0}, {2, "execute", aMessage, executed, "", 0}, {3, "batch", aMessage, batched, "", 0}, {4, "sequence", aMessage, emptyForm, "", 0},
		{5, "describe", aMessage, described, "", 0}, {6, "store_sql", aMessage, emptyForm, "", 0}, {7, "close_sql", aMessage, emptyForm, "", 0}, {8, "get_autocommit", aMessage, autocommitted, "", 0}}}
	streamResult   = &form{tagged: true, fields: []field{{1, "ok", aMessage, responseForm, "response", 0}, {2, "error", aMessage, errorForm, "error", 0}}}
	pipelineAnswer = &form{fields: []field{{1, "baton", aString, nil, "", optional}, {2, "base_url", aString, nil, "", optional}, {3, "results", aMessage, streamResult, "", repeated}}}
	cursorAnswer   = &form{fields: []field{{1, "baton", aString, nil, "", optional}, {2, "base_url", aString, nil, "", optional}}}
	entryForm      = &form{tagged: true, fields: []field{
		{1, "step_begin", aMessage, &form{fields: []field{{1, "step", aUint32, nil, "", 0}, {2, "cols", aMessage, colForm, "", repeated}}}, "", 0},
		{2, "step_end", aMessage, &form{fields: []field{{1, "affected_row_count", aUint64, nil, "", 0}, {2, "last_insert_rowid", aSint64, nil, "", optional}}}, "", 0},
		{3, "step_error", aMessage, &form{fields: []field{{1, "step", aUint32, nil, "", 0}, {2, "error", aMessage, errorForm, "", 0}}}, "", 0},
		{4, "row", aMessage, rowForm, "row", 0}, {5, "error", aMessage, errorForm, "error", 0},
		{6, "replication_index", aMessage, &form{fields: []field{{1, "replication_index", aUint64, nil, "", 0}}}, "", 0}}}

	// Of a socket.
	onStream   = field{1, "stream_id", anInt32, nil, "", 0}
	streamForm = &form{fields: []field{onStream}}
	onText     = &form{fields: []field{onStream, {2, "sql", aString, nil, "", optional}, {3, "sql_id", anInt32, nil, "", optional}, {4, "replication_index", aUint64, nil, "", optional}}}
	socketForm = &form{tagged: true, what: "Request", fields: []field{
		{2, "open_stream", aMessage, streamForm, "", 0}, {3, "close_stream", aMessage, streamForm, "", 0},
		{4, "execute", aMessage, &form{fields: []field{onStream, {2, "stmt", aMessage, stmtForm, "", 0}, {3, "replication_index", aUint64, nil, "", optional}}}, "", 0},
		{5, "batch", aMessage, &form{fields: []field{onStream, {2, "batch", aMessage, batchForm, "", 0}}}, "", 0},
		{6, "open_cursor", aMessage, &form{fields: []field{onStream, {2, "cursor_id", anInt32, nil, "", 0}, {3, "batch", aMessage, batchForm, "", 0}}}, "", 0},
		{7, "close_cursor", aMessage, &form{fields: []field{{1, "cursor_id", anInt32, nil, "", 0}}}, "", 0},
		{8, "fetch_cursor", aMessage, &form{fields: []field{{1, "cursor_id", anInt32, nil, "", 0}, {2, "max_count", aUint32, nil, "", 0}}}, "", 0},
		{9, "sequence", aMessage, onText, "", 0}, {10, "describe", aMessage, onText, "", 0},
		{11, "store_sql", aMessage, onStore, "", 0}, {12, "close_sql", aMessage, onCloseSQL, "", 0}, {13, "get_autocommit", aMessage, streamForm, "", 0}}}
	clientForm = &form{tagged: true, what: "ClientMsg", fields: []field{
		{1, "hello", aMessage, &form{fields: []field{{1, "jwt", aString, nil, "", optional}}}, "", 0},
		{2, "request", aMessage, &form{fields: []field{{1, "request_id", anInt32, nil, "", 0}, {0, "request", aOneof, socketForm, "", 0}}}, "", 0}}}
	answerForm = &form{tagged: true, fields: []field{
		{2, "open_stream", aMessage, emptyForm, "", 0}, {3, "close_stream", aMessage, emptyForm, "", 0}, {4, "execute", aMessage, executed, "", 0}, {5, "batch", aMessage, batched, "", 0},
		{6, "open_cursor", aMessage, emptyForm, "", 0}, {7, "close_cursor", aMessage, emptyForm, "", 0},
		{8, "fetch_cursor", aMessage, &form{fields: []field{{1, "entries", aMessage, entryForm, "", repeated}, {2, "done", aBool, nil, "", 0}}}, "", 0},
		{9, "sequence", aMessage, emptyForm, "", 0}, {10, "describe", aMessage, described, "", 0}, {11, "store_sql", aMessage, emptyForm, "", 0}, {12, "close_sql", aMessage, emptyForm, "", 0}, {13, "get_autocommit", aMessage, autocommitted, "", 0}}}
	onID       = field{1, "request_id", anInt32, nil, "", 0}
	serverForm = &form{tagged: true, fields: []field{
		{1, "hello_ok", aMessage, emptyForm, "", 0}, {2, "hello_error", aMessage, &form{fields: []field{{1, "error", aMessage, errorForm, "", 0}}}, "", 0},
		{3, "response_ok", aMessage, &form{fields: []field{onID, {0, "response", aOneof, answerForm, "", 0}}}, "", 0},
		{4, "response_error", aMessage, &form{fields: []field{onID, {2, "error", aMessage, errorForm, "", 0}}}, "", 0}}}
)

func init() {
	condForm.fields = []field{
		{1, "ok", aUint32, nil, "step", 0}, {2, "error", aUint32, nil, "step", 0}, {3, "not", aMessage, condForm, "cond", 0},
		{4, "and", aMessage, condsForm, "", 0}, {5, "or", aMessage, condsForm, "", 0}, {6, "is_autocommit", nothing, nil, "", 0}}
}

// maxNested bounds messages inside of messages, as prost does.
const maxNested = 100

var (
	errDepth    = errors.New("recursion limit reached")
	errWireType = errors.New("invalid wire type")
	errUTF8     = errors.New("invalid string value: data is not UTF-8 encoded")
)

// unknown is a tagged message without a variant that is known.
type unknown struct{ what string }

func (u unknown) Error() string { return u.what + " type not recognized" }

// raw is a field as it came.
type raw struct {
	number protowire.Number
	kind   protowire.Type
	n      uint64
	bytes  []byte
}

func rawFields(b []byte) (fields []raw, err error) {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		b = b[n:]
		f := raw{number: number, kind: kind}
		switch kind {
		case protowire.VarintType:
			f.n, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			f.n, n = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(number, kind, b)
		}
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		b = b[n:]
		fields = append(fields, f)
	}
	return fields, nil
}

// toJSON appends a message as JSON.
func (m *form) toJSON(out, b []byte, depth int) ([]byte, error) {
	if depth > maxNested {
		return nil, errDepth
	}
	fields, err := rawFields(b)
	if err != nil {
		return nil, err
	}
	if m.tagged {
		return m.taggedToJSON(out, fields, depth)
	}
	out = append(out, '{')
	first := true
	for _, f := range m.fields {
		var mine []raw
		for _, r := range fields {
			if r.number == f.number {
				mine = append(mine, r)
			}
		}
		if len(mine) == 0 && f.how == optional {
			continue
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = append(appendString(out, f.name), ':')
		switch {
		case f.kind == aOneof:
			out, err = f.of.taggedToJSON(out, fields, depth)
		case f.how == repeated:
			out = append(out, '[')
			for i, r := range mine {
				if i > 0 {
					out = append(out, ',')
				}
				if out, err = f.toJSON(out, r, depth); err != nil {
					return nil, err
				}
			}
			out = append(out, ']')
		case len(mine) == 0:
			out, err = f.toJSON(out, raw{kind: f.wireType()}, depth)
		default:
			out, err = f.toJSON(out, mine[len(mine)-1], depth)
		}
		if err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

// taggedToJSON takes the last variant, as prost does.
func (m *form) taggedToJSON(out []byte, fields []raw, depth int) ([]byte, error) {
	for i := len(fields) - 1; i >= 0; i-- {
		for _, f := range m.fields {
			if f.number != fields[i].number {
				continue
			}
			out = append(appendString(append(out, `{"type":`...), f.name), ',')
			var err error
			switch {
			case f.kind == nothing:
			case f.member != "":
				out = append(appendString(out, f.member), ':')
				if out, err = f.toJSON(out, fields[i], depth); err == nil {
					return append(out, '}'), nil
				}
				return nil, err
			default:
				at := len(out)
				if out, err = f.toJSON(out, fields[i], depth); err != nil {
					return nil, err
				}
				out = append(out[:at], out[at+1:]...) // the members alone
				if out[len(out)-2] != ',' {
					return out, nil
				}
				out = out[:len(out)-1]
			}
			out[len(out)-1] = '}'
			return out, nil
		}
	}
	return nil, unknown{m.what}
}

func (f field) wireType() protowire.Type {
	switch f.kind {
	case aString, aBlob, aMessage, nothing, aMap, aOneof:
		return protowire.BytesType
	case aDouble:
		return protowire.Fixed64Type
	}
	return protowire.VarintType
}

func (f field) toJSON(out []byte, r raw, depth int) ([]byte, error) {
	if r.kind != f.wireType() {
		return nil, errWireType
	}
	switch f.kind {
	case aString:
		if !utf8.Valid(r.bytes) {
			return nil, errUTF8
		}
		return appendString(out, r.bytes), nil
	case aBlob:
		out = base64.RawStdEncoding.AppendEncode(append(out, '"'), r.bytes)
		return append(out, '"'), nil
	case anInt32:
		return strconv.AppendInt(out, int64(int32(r.n)), 10), nil
	case aUint32:
		return strconv.AppendUint(out, uint64(uint32(r.n)), 10), nil
	case aUint64:
		return strconv.AppendUint(out, r.n, 10), nil
	case aSint64:
		out = strconv.AppendInt(append(out, '"'), protowire.DecodeZigZag(r.n), 10)
		return append(out, '"'), nil
	case aDouble:
		return appendFloat(out, math.Float64frombits(r.n)), nil
	case aBool:
		return strconv.AppendBool(out, r.n != 0), nil
	}
	return f.of.toJSON(out, r.bytes, depth+1)
}

// fromJSON appends a message that is JSON of ours.
func (m *form) fromJSON(out, text []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic(fmt.Sprintf("hrana: %v in %s", err, text))
	}
	return m.encode(out, v)
}

func (m *form) encode(out []byte, v any) []byte {
	if m.list {
		v = map[string]any{m.fields[0].name: v}
	}
	members := v.(map[string]any)
	if !m.tagged {
		for _, f := range m.fields {
			out = f.encode(out, members[f.name])
		}
		return out
	}
	for _, f := range m.fields {
		if f.name != members["type"] {
			continue
		}
		switch {
		case f.kind == nothing:
			return protowire.AppendBytes(protowire.AppendTag(out, f.number, protowire.BytesType), nil)
		case f.member != "":
			v = members[f.member]
		case f.name == "replication_index" && members[f.name] == nil:
			return out
		}
		f.how = optional // a variant is there also where it is zero
		if v == nil {    // a float that JSON doesn't have is NULL, as in JSON
			return m.encode(out, map[string]any{"type": "null"})
		}
		return f.encode(out, v)
	}
	panic(fmt.Sprintf("hrana: no form of %v", members["type"]))
}

// encode appends a field. What isn't there, and zero where it is required, is left out.
func (f field) encode(out []byte, v any) []byte {
	if v == nil {
		return out
	}
	if f.how == repeated {
		one := f
		one.how = optional
		for _, v := range v.([]any) {
			out = one.encode(out, v)
		}
		return out
	}
	switch f.kind {
	case aOneof:
		return f.of.encode(out, v)
	case aMap:
		for i, v := range v.([]any) {
			if v == nil {
				continue
			}
			entry := field{number: 1, kind: aUint32}.encode(nil, json.Number(strconv.Itoa(i)))
			entry = field{number: 2, kind: aMessage, of: f.of}.encode(entry, v)
			out = protowire.AppendBytes(protowire.AppendTag(out, f.number, protowire.BytesType), entry)
		}
		return out
	case aMessage:
		return protowire.AppendBytes(protowire.AppendTag(out, f.number, protowire.BytesType), f.of.encode(nil, v))
	case aString, aBlob:
		text := []byte(v.(string))
		if f.kind == aBlob {
			text, _ = base64.RawStdEncoding.DecodeString(v.(string))
		}
		if len(text) == 0 && f.how == required {
			return out
		}
		return protowire.AppendBytes(protowire.AppendTag(out, f.number, protowire.BytesType), text)
	}
	n := f.bits(v)
	if n == 0 && f.how == required {
		return out
	}
	out = protowire.AppendTag(out, f.number, f.wireType())
	if f.kind == aDouble {
		return protowire.AppendFixed64(out, n)
	}
	return protowire.AppendVarint(out, n)
}

// bits returns a number's, which JSON has as a number or a string.
func (f field) bits(v any) uint64 {
	if b, ok := v.(bool); ok {
		return protowire.EncodeBool(b)
	}
	text := fmt.Sprint(v)
	switch f.kind {
	case aDouble:
		n, _ := strconv.ParseFloat(text, 64)
		return math.Float64bits(n)
	case aUint64, aUint32:
		n, _ := strconv.ParseUint(text, 10, 64)
		return n
	}
	n, _ := strconv.ParseInt(text, 10, 64)
	if f.kind == aSint64 {
		return protowire.EncodeZigZag(n)
	}
	return uint64(n)
}
