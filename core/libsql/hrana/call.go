package hrana

import "context"

// call is one pipeline request: steps, as an execute or a batch, then the probe
// for an open transaction, then a close.
type call struct {
	st         *stream // nil: a stream that lives for this request
	describe   string  // SQL to be described, in place of steps
	steps      []step
	mode       rowMode
	target     int  // step whose rows are wanted in streamRows
	probe      bool // with steps only
	closing    bool
	repeatable bool // it reads and nothing else
}

// run sends a call and reads the answer up to the target's rows, or all of it:
// then reply.paused is false and the exchange is closed.
func (c *Connector) run(ctx context.Context, k call) (*reply, *exchange, error) {
	base, baton := c.at(k.st)
	size := 128
	for i := range k.steps {
		size += 128 + len(k.steps[i].sql) + 64*len(k.steps[i].args)
	}
	body := appendPipeline(make([]byte, 0, size), baton, &k)
	x, err := c.pipeline(ctx, base, message{body: body, onStream: baton != "", repeatable: k.repeatable})
	if err != nil {
		return nil, nil, err
	}
	r := &reply{
		s: x.s, mode: k.mode, target: k.target, probe: k.probe, closing: k.closing, describes: k.describe != "",
		batch: len(k.steps) > 1 || len(k.steps) == 1 && k.steps[0].condition != "",
		steps: make([]outcome, len(k.steps)),
	}
	err = r.start()
	if !r.paused {
		x.close(err != nil)
	}
	if err != nil {
		return nil, nil, err
	}
	return r, x, nil
}

// at returns where the next request on a stream goes, and the baton that it shows; nil is
// one that lives for the request.
func (c *Connector) at(st *stream) (base *endpoints, baton string) {
	if st == nil {
		return &c.base, ""
	}
	return &st.base, st.baton
}

// verdict finds the first failure among a program's steps. What goes before
// first is the driver's own.
func verdict(failed *Error, steps []outcome, first int) error {
	if failed != nil {
		return failed
	}
	for i := range steps {
		switch o := &steps[i]; {
		case o.err != nil:
			if len(steps)-first > 1 && i >= first {
				o.err.Statement = i - first + 1
			}
			return o.err
		case !o.done:
			return ErrNoTransaction
		}
	}
	return nil
}
