package hrana

import (
	"errors"
	"slices"

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
	p := &program{results: make([]bool, 0, len(b.Steps))}
	for i, s := range b.Steps {
		q, err := e.query(s.Stmt)
		if err != nil {
			return nil, err
		}
		refusal, err := conn.Check(e.ctx, q.SQL, e.rights)
		if err != nil {
			return nil, asSQLError(err, q.SQL)
		}
		if errors.As(refusal, new(*StatusError)) {
			return nil, refusal
		}
		if s.Condition != nil {
			if err := s.Condition.check(i, e.conditions()); err != nil {
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
	e.b = append(e.b, `,"result":`...)
	return e.runAll(p, conn)
}

// runAll runs a batch and appends its result.
func (e *executor) runAll(p *program, conn *engine.Conn) error {
	var (
		failures []byte
		timedOut error
	)
	e.size = 0
	e.b = append(e.b, `{"step_results":[`...)
	for i, q := range p.queries {
		if i > 0 {
			e.b = append(e.b, ',')
			failures = append(failures, ',')
		}
		if timedOut == nil && !p.enabled(i, conn) {
			e.b = append(e.b, "null"...)
			failures = append(failures, "null"...)
			p.results = append(p.results, false)
			continue
		}
		start := len(e.b)
		err := timedOut
		if err == nil {
			err = asSQLError(e.run(conn, q, false), q.SQL)
		}
		if err == nil {
			failures = append(failures, "null"...)
			p.results = append(p.results, true)
			continue
		}
		inBand := (*SQLError)(nil)
		if !errors.As(err, &inBand) || inBand == errResponseTooLarge {
			return err
		}
		if inBand == errTimedOut {
			timedOut = inBand // and with it all that follows
		}
		e.b = append(e.b[:start], "null"...)
		failures = appendError(failures, inBand)
		p.results = append(p.results, false)
	}
	e.b = append(e.b, `],"step_errors":[`...)
	e.b = append(e.b, failures...)
	e.b = append(e.b, `],"replication_index":`...)
	e.b = appendIndex(e.b, conn)
	e.b = append(e.b, '}')
	return nil
}

// conditions is the version whose conditions a batch may have.
func (e *executor) conditions() version {
	if e.overHTTP && e.version == 2 && e.server.opts.AutocommitIn2 != nil && e.server.opts.AutocommitIn2() {
		return 3
	}
	return e.version
}

// check refuses a condition that makes no sense for step i.
func (c *condition) check(i int, v version) error {
	switch c.Type {
	case "ok", "error":
		if int64(c.Step) >= int64(i) {
			return protocolErrorf("Invalid reference to step in a batch condition")
		}
	case "not":
		return c.Cond.check(i, v)
	case "and", "or":
		for _, sub := range c.Conds {
			if err := sub.check(i, v); err != nil {
				return err
			}
		}
	case "is_autocommit":
		if v < 3 {
			return protocolErrorf("BatchCond of type `is_autocommit` is only supported in protocol version hrana3 and higher")
		}
	}
	return nil
}

// eval evaluates a condition. As in libsql-server a step that was skipped counts
// as one that failed.
func (c *condition) eval(results []bool, conn *engine.Conn) bool {
	switch c.Type {
	case "ok":
		return results[c.Step]
	case "error":
		return !results[c.Step]
	case "not":
		return !c.Cond.eval(results, conn)
	case "and":
		return !slices.ContainsFunc(c.Conds, func(sub condition) bool { return !sub.eval(results, conn) })
	case "or":
		return slices.ContainsFunc(c.Conds, func(sub condition) bool { return sub.eval(results, conn) })
	}
	return conn.Autocommit() // is_autocommit: check lets no other pass
}
