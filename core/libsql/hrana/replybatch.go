package hrana

func (r *reply) batchResult() error {
	return r.s.object(func(key []byte) error {
		switch string(key) {
		case "step_results":
			r.step = 0
			if err := r.s.open('['); err != nil {
				return err
			}
			return r.stepResults()
		case "step_errors":
			return r.stepErrors()
		}
		return r.s.skip()
	})
}

func (r *reply) stepResults() error {
	for {
		more, err := r.s.more(']')
		if err != nil {
			return err
		}
		if !more {
			return r.allSteps(r.step)
		}
		if r.step == len(r.steps) {
			return protocolError("more than %d step results", r.step)
		}
		null, err := r.s.null()
		if err == nil && !null {
			if err = r.s.open('{'); err == nil {
				err = r.stmt()
			}
		}
		if err != nil {
			return err
		}
		r.step++
	}
}

func (r *reply) stepErrors() error {
	if err := r.s.open('['); err != nil {
		return err
	}
	for i := 0; ; i++ {
		more, err := r.s.more(']')
		if err != nil {
			return err
		}
		if !more {
			return r.allSteps(i)
		}
		if i == len(r.steps) {
			return protocolError("more than %d step errors", i)
		}
		null, err := r.s.null()
		if err == nil && !null {
			r.steps[i].err, err = r.s.hranaError()
		}
		if err != nil {
			return err
		}
	}
}

func (r *reply) allSteps(n int) error {
	if n != len(r.steps) {
		return protocolError("%d results for %d steps", n, len(r.steps))
	}
	return nil
}
