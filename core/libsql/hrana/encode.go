package hrana

import (
	"database/sql/driver"
	"encoding/base64"
	"strconv"

	"github.com/zen-auth/zen/internal/sqlite"
)

// Request bodies are appended by hand: the shapes are few and fixed, and this
// takes a fraction of the time that encoding/json needs.

// step is one statement with its arguments and the condition to run it under.
type step struct {
	sql       string
	params    sqlite.Params
	args      []driver.NamedValue
	wantRows  bool
	condition string // JSON, empty for none
	setting   string // of one of a connection's settings, its name
}

// Requests of a pipeline beside execute and batch.
const (
	closeRequest = `{"type":"close"}`

	// probeRequest asks whether a transaction is open. Hrana 3.
	probeRequest = `{"type":"get_autocommit"}`

	// inTransaction guards a statement against running by itself after the
	// server has ended its transaction. Hrana 3.
	inTransaction = `{"type":"not","cond":{"type":"is_autocommit"}}`
)

// ok returns the condition that an earlier step of the batch succeeded.
func ok(step int) string { return `{"type":"ok","step":` + strconv.Itoa(step) + `}` }

func and(a, b string) string { return `{"type":"and","conds":[` + a + "," + b + `]}` }

// appendPipeline appends the body of a pipeline request: one execute, or a
// batch if there are several steps or a condition, then the probe and close.
func appendPipeline(b []byte, baton string, k *call) []byte {
	b = appendBaton(b, baton)
	b = append(b, `,"requests":[`...)
	switch {
	case k.describe != "":
		b = append(b, `{"type":"describe","sql":`...)
		b = append(appendString(b, k.describe), '}')
	case len(k.steps) == 1 && k.steps[0].condition == "":
		b = append(b, `{"type":"execute","stmt":`...)
		b = append(appendStmt(b, &k.steps[0]), '}')
	case len(k.steps) > 0:
		b = append(b, `{"type":"batch","batch":`...)
		b = append(appendBatch(b, k.steps), '}')
	}
	if k.probe {
		b = append(append(b, ','), probeRequest...)
	}
	if k.closing {
		if len(k.steps) > 0 || k.describe != "" {
			b = append(b, ',')
		}
		b = append(b, closeRequest...)
	}
	return append(b, `]}`...)
}

// appendCursor appends the body of a cursor request.
func appendCursor(b []byte, baton string, steps []step) []byte {
	b = append(appendBaton(b, baton), `,"batch":`...)
	return append(appendBatch(b, steps), '}')
}

func appendBaton(b []byte, baton string) []byte {
	b = append(b, `{"baton":`...)
	if baton == "" {
		return append(b, "null"...)
	}
	return appendString(b, baton)
}

func appendBatch(b []byte, steps []step) []byte {
	b = append(b, `{"steps":[`...)
	for i := range steps {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		if c := steps[i].condition; c != "" {
			b = append(append(b, `"condition":`...), c...)
			b = append(b, ',')
		}
		b = append(b, `"stmt":`...)
		b = append(appendStmt(b, &steps[i]), '}')
	}
	return append(b, `]}`...)
}

func appendStmt(b []byte, s *step) []byte {
	b = append(b, `{"sql":`...)
	b = appendString(b, s.sql)
	switch {
	case len(s.args) == 0:
	case len(s.params.Names()) > 0:
		b = append(b, `,"named_args":[`...)
		for i, name := range s.params.Names() {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, `{"name":`...)
			b = append(appendString(b, name), `,"value":`...)
			b = append(appendValue(b, s.args[sqlite.Argument(name, 0, s.args)].Value), '}')
		}
		b = append(b, ']')
	default:
		b = append(b, `,"args":[`...)
		for i := range s.args {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, s.args[i].Value)
		}
		b = append(b, ']')
	}
	b = append(b, `,"want_rows":`...)
	return append(strconv.AppendBool(b, s.wantRows), '}')
}

// appendValue appends a value that checkValue let through.
func appendValue(b []byte, v driver.Value) []byte {
	switch v := v.(type) {
	case int64:
		b = append(b, `{"type":"integer","value":"`...)
		return append(strconv.AppendInt(b, v, 10), `"}`...)
	case float64:
		b = append(b, `{"type":"float","value":`...)
		return append(strconv.AppendFloat(b, v, 'g', -1, 64), '}')
	case string:
		b = append(b, `{"type":"text","value":`...)
		return append(appendString(b, v), '}')
	case []byte:
		b = append(b, `{"type":"blob","base64":"`...)
		return append(base64.StdEncoding.AppendEncode(b, v), `"}`...)
	}
	return append(b, `{"type":"null"}`...)
}

// appendString appends valid UTF-8 as a JSON string.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\t':
			b = append(b, '\\', 't')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(b, s[from:]...), '"')
}
