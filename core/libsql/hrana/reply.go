package hrana

import (
	"database/sql/driver"
	"errors"
)

// rowMode says what to do with rows.
type rowMode uint8

const (
	dropRows   rowMode = iota // Exec: read over them
	keepRows                  // batches: all of them, in memory
	streamRows                // Query: stop at the first row of the target step
)

// reply reads the answer to a pipeline of at most one execute or batch, one probe
// and one close. In streamRows it stops where the target's rows begin and
// goes on when they are used up: the rest of the answer may hold the baton.
type reply struct {
	s         *scanner
	mode      rowMode
	target    int // step whose rows are wanted
	batch     bool
	probe     bool
	closing   bool
	describes bool // in place of steps, and what it says is of no interest

	baton   string
	baseURL string
	err     *Error // of the request as a whole
	steps   []outcome
	// ended says that the probe found no transaction open.
	ended bool

	at     int // result being read
	step   int // step being read
	answer bool
	paused bool
}

// errPaused is no error: the walk has stopped at the target's rows.
var errPaused = errors.New("paused at rows")

// start reads to the target's rows, or to the end if there are none.
func (r *reply) start() error {
	err := r.s.open('{')
	if err == nil {
		err = r.top()
	}
	if err == errPaused {
		r.paused = true
		return nil
	}
	return err
}

// row reads the target's next row, or skips it if dest is nil. It returns false
// after the last one, when the rest of the answer is read, too.
func (r *reply) row(dest []driver.Value) (bool, error) {
	if !r.paused {
		return false, nil
	}
	more, err := r.s.more(']')
	if err != nil {
		return false, err
	}
	if more && dest == nil {
		return true, r.s.skip()
	}
	if more {
		return true, r.s.row(dest)
	}
	r.paused = false
	if err = r.resume(); err == errPaused {
		err = protocolError("rows twice")
	}
	return false, err
}

// resume walks from the end of the rows outwards.
func (r *reply) resume() error {
	walk := []func() error{r.stmt}
	if r.batch {
		walk = append(walk, func() error { r.step++; return r.stepResults() }, r.batchResult)
	}
	for _, rest := range append(walk, r.response, r.result, r.results, r.top) {
		if err := rest(); err != nil {
			return err
		}
	}
	return nil
}

// top reads the answer's keys, results among them.
func (r *reply) top() error {
	err := r.s.object(func(key []byte) (err error) {
		switch string(key) {
		case "baton":
			r.baton, err = r.s.text()
		case "base_url":
			r.baseURL, err = r.s.text()
		case "results":
			if err = r.s.open('['); err == nil {
				err = r.results()
			}
		default:
			err = r.s.skip()
		}
		return err
	})
	if err != nil {
		return err
	}
	if want := r.requests(); r.at != want {
		return protocolError("%d results for %d requests", r.at, want)
	}
	return r.s.finish()
}

func (r *reply) requests() int {
	n := 0
	if len(r.steps) > 0 || r.describes {
		n++
	}
	if r.probe {
		n++
	}
	if r.closing {
		n++
	}
	return n
}

func (r *reply) results() error {
	for {
		more, err := r.s.more(']')
		if err != nil || !more {
			return err
		}
		if r.at == r.requests() {
			return protocolError("more than %d results", r.at)
		}
		r.answer = false
		if err := r.s.open('{'); err != nil {
			return err
		}
		if err := r.result(); err != nil {
			return err
		}
	}
}

// result reads one {"type":"ok","response":…} or {"type":"error","error":…}.
// That the close failed is of no interest: what it closes is gone either way.
func (r *reply) result() error {
	err := r.s.object(func(key []byte) error {
		switch string(key) {
		case "response":
			r.answer = true
			if err := r.s.open('{'); err != nil {
				return err
			}
			return r.response()
		case "error":
			r.answer = true
			e, err := r.s.hranaError()
			if err == nil && r.at == 0 && (len(r.steps) > 0 || r.describes) {
				r.err = e
			}
			return err
		}
		return r.s.skip()
	})
	if err != nil {
		return err
	}
	if !r.answer {
		return protocolError("result %d is neither a response nor an error", r.at)
	}
	r.at++
	return nil
}

func (r *reply) response() error {
	return r.s.object(func(key []byte) error {
		switch {
		case string(key) == "type":
			name, err := r.s.str()
			if err == nil && string(name) != r.requestType() {
				err = protocolError("response of type %.20q to a request of type %s", name, r.requestType())
			}
			return err
		case string(key) == "result" && r.at == 0 && len(r.steps) > 0:
			if err := r.s.open('{'); err != nil {
				return err
			}
			if r.batch {
				return r.batchResult()
			}
			return r.stmt()
		case string(key) == "is_autocommit":
			value, err := r.s.bare()
			r.ended = err == nil && string(value) == "true"
			return err
		}
		return r.s.skip()
	})
}

func (r *reply) requestType() string {
	switch {
	case r.at == 1 && r.probe:
		return "get_autocommit"
	case r.at == 0 && r.describes:
		return "describe"
	case r.at > 0 || len(r.steps) == 0:
		return "close"
	case r.batch:
		return "batch"
	}
	return "execute"
}
