package hrana

import (
	"errors"

	"github.com/zen-auth/zen/devstack/engine"
)

// program is a batch that was found to be well formed.
type program struct {
	queries []engine.Query
	conds   []*condition
	results []bool // of the steps so far: ran without an error
}

// compile checks a batch as a whole, as libsql-server does: bad SQL in any step is
// an error of the batch, and nothing of it runs.
func (e *executor) compile(b *batch, conn *engine.Conn) (*program, error) {
	if b == nil {
		return nil, protocolErrorf("Cannot deserialize client message from JSON: missing field `batch`")
	}
	p := &program{results: make([]bool, 0, len(b.Steps))}
	for i, s := range b.Steps {
		q, err := e.query(s.Stmt)
		if err != nil {
			return nil, err
		}
		refusal, err := conn.Check(e.ctx, q.SQL, e.rights)
		if err != nil {
			return nil, asParseError(err, q.SQL)
		}
		if errors.As(refusal, new(*StatusError)) {
			return nil, refusal
		}
		if s.Condition != nil {
			if err := s.Condition.check(i, e.version, 0); err != nil {
				return nil, err
			}
		}
		p.queries = append(p.queries, q)
		p.conds = append(p.conds, s.Condition)
	}
	return p, nil
}

// enabled reports whether step i is to run.
func (p *program) enabled(i int, conn *engine.Conn) bool {
	return p.conds[i] == nil || p.conds[i].eval(p.results, conn)
}

func (e *executor) batch(req *streamRequest) error {
	conn, err := e.stream.use(e.ctx)
	if err != nil {
		return err
	}
	p, err := e.compile(req.Batch, conn)
	if err != nil {
		return err
	}
	var failures []byte
	e.b = append(e.b, `,"result":{"step_results":[`...)
	for i, q := range p.queries {
		if i > 0 {
			e.b = append(e.b, ',')
			failures = append(failures, ',')
		}
		if !p.enabled(i, conn) {
			e.b = append(e.b, "null"...)
			failures = append(failures, "null"...)
			p.results = append(p.results, false)
			continue
		}
		start := len(e.b)
		err := asParseError(e.run(conn, q), q.SQL)
		if err == nil {
			failures = append(failures, "null"...)
			p.results = append(p.results, true)
			continue
		}
		inBand := (*SQLError)(nil)
		if !errors.As(err, &inBand) || endsBatch(inBand) {
			return err
		}
		e.b = append(e.b[:start], "null"...)
		failures = appendError(failures, inBand)
		p.results = append(p.results, false)
	}
	e.b = append(e.b, `],"step_errors":[`...)
	e.b = append(e.b, failures...)
	e.b = append(e.b, `],"replication_index":null}`...)
	return nil
}

// endsBatch reports whether an error is one of the batch, not of the step.
func endsBatch(err *SQLError) bool {
	return err == errResponseTooLarge || err.Code == "TRANSACTION_TIMEOUT"
}

// maxDepth bounds how deep conditions nest, as serde_json does.
const maxDepth = 100

// check refuses a condition that makes no sense for step i.
func (c *condition) check(i int, v version, depth int) error {
	if depth > maxDepth {
		return protocolErrorf("Cannot deserialize client message from JSON: recursion limit exceeded")
	}
	switch c.Type {
	case "ok", "error":
		if c.Step == nil {
			return protocolErrorf("Cannot deserialize client message from JSON: missing field `step`")
		}
		if int64(*c.Step) >= int64(i) {
			return protocolErrorf("Invalid reference to step in a batch condition")
		}
	case "not":
		if c.Cond == nil {
			return protocolErrorf("Cannot deserialize client message from JSON: missing field `cond`")
		}
		return c.Cond.check(i, v, depth+1)
	case "and", "or":
		for _, sub := range c.Conds {
			if err := sub.check(i, v, depth+1); err != nil {
				return err
			}
		}
	case "is_autocommit":
		if v < 3 {
			return protocolErrorf("BatchCond of type `is_autocommit` is only supported in protocol version hrana3 and higher")
		}
	default:
		return protocolErrorf("Cannot deserialize client message from JSON: unknown condition type %q", c.Type)
	}
	return nil
}

// eval evaluates a condition. As in libsql-server a step that was skipped counts
// as one that failed.
func (c *condition) eval(results []bool, conn *engine.Conn) bool {
	switch c.Type {
	case "ok":
		return results[*c.Step]
	case "error":
		return !results[*c.Step]
	case "not":
		return !c.Cond.eval(results, conn)
	case "and":
		for _, sub := range c.Conds {
			if !sub.eval(results, conn) {
				return false
			}
		}
		return true
	case "or":
		for _, sub := range c.Conds {
			if sub.eval(results, conn) {
				return true
			}
		}
		return false
	}
	return conn.Autocommit() // is_autocommit: check lets no other pass
}
