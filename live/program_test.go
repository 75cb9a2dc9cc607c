package live

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// answer is what came out, by kind: status, error, code, rows, claims.
type answer map[string]string

// String has the kinds in order, the status first.
func (a answer) String() string {
	var parts []string
	for _, kind := range a.kinds() {
		parts = append(parts, kind+" "+a[kind])
	}
	return strings.Join(parts, ", ")
}

func (a answer) kinds() []string {
	return slices.SortedFunc(maps.Keys(a), func(x, y string) int {
		order := func(kind string) int {
			if i := slices.Index([]string{"status", "error", "code"}, kind); i >= 0 {
				return i
			}
			return 3
		}
		if order(x) != order(y) {
			return order(x) - order(y)
		}
		return strings.Compare(x, y)
	})
}

// question is one thing that is asked.
type question struct {
	id, name string
	// asked is the question as a person would put it.
	asked string
	needs []string
	// expected is what zen's authors believe; a kind that isn't in it may be anything.
	expected answer
	answer   func(*run) answer
}

// result is what became of a question.
type result struct {
	question
	got answer
	// lacking are the needs that aren't met, and skipped says how to meet them, or why
	// else the question was not asked.
	lacking []string
	skipped string
	// differences name the kinds in which the answer is not as expected, or not the local
	// stack's.
	differences []string
	took        time.Duration
}

// report is a run's.
type report struct {
	started  time.Time
	recorder *recorder
	results  []result
	// left says what could not be removed, foreign what earlier runs left in accounts
	// that this one can't reach.
	left, foreign error
	interrupted   bool
	lacks         map[string]string // as the run's
}

// answers returns those that came, by the questions' ids.
func (d report) answers() map[string]answer {
	all := map[string]answer{}
	for _, r := range d.results {
		if r.skipped == "" {
			all[r.id] = r.got
		}
	}
	return all
}

// failed reports whether something has to be done.
func (d report) failed() bool { return d.left != nil || d.interrupted }

// cleaningTimeout bounds what is done after an interrupt.
const cleaningTimeout = 2 * time.Minute

// options of a run.
type options struct {
	recorder *recorder
	// reference is what the local stack answered.
	reference map[string]answer
	// each calls ask, once, for the question of that name, or doesn't.
	each func(name string, ask func() result)
}

// ask runs the program: it removes what an earlier run left, asks all questions, and removes
// what it made, whatever ended it.
func ask(ctx context.Context, b bed, o options) (report, error) {
	if err := b.check(); err != nil {
		return report{}, err
	}
	r, err := newRun(ctx, b, o.recorder)
	if err != nil {
		return report{}, err
	}
	if r.journal, err = openJournal(b.journal); err != nil {
		return report{}, err
	}
	r.dir = b.journal + ".files"
	done := report{started: b.now(), recorder: o.recorder, lacks: b.lacks}
	o.recorder.ask("before")
	before := r.sweep(ctx, prefix)
	for _, e := range r.journal.entries {
		if r.lacks[r.needOf(e.Kind)] != "" || e.Account != r.account(e.Kind) {
			done.foreign = errors.Join(done.foreign, fmt.Errorf("an earlier run left the %s %s at another account: %s", e.Kind, e.Name, e.Account))
		}
	}
	for _, q := range questions {
		o.each(q.id+"_"+q.name, func() result {
			res := r.ask(q, o.reference[q.id])
			done.results = append(done.results, res)
			return res
		})
	}
	done.interrupted = ctx.Err() != nil
	for _, end := range r.closing {
		_ = end() // of a database that was read enough
	}
	o.recorder.ask("after")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleaningTimeout)
	defer cancel()
	// By the prefix once more: what an earlier run was killed while it asked for may have
	// been made in the meantime.
	if done.left = r.sweep(ctx, prefix); done.left == nil && before != nil {
		done.left = fmt.Errorf("of an earlier run: %w", before)
	}
	return done, r.journal.close()
}

func (r *run) needOf(of string) string {
	for _, k := range r.kinds() {
		if k.name == of {
			return k.need
		}
	}
	return ""
}

// ask asks one question.
func (r *run) ask(q question, reference answer) (res result) {
	res.question = q
	if r.end.Err() != nil {
		res.skipped = "the run was interrupted"
		return res
	}
	for _, need := range q.needs {
		if how := r.lacks[need]; how != "" {
			res.lacking = append(res.lacking, need)
			res.skipped = strings.TrimPrefix(res.skipped+"; "+how, "; ")
		}
	}
	if res.skipped != "" {
		return res
	}
	r.recorder.ask(q.id)
	defer r.recorder.ask("between")
	began := time.Now()
	if err := caught(func() { res.got = q.answer(r) }); err != nil {
		res.got = answer{"failed": err.Error()}
	}
	res.took = time.Since(began)
	for kind, value := range res.got {
		res.got[kind] = r.normal(value)
	}
	res.differences = differences(q.expected, res.got, reference)
	return res
}

// differences compares an answer with what was expected, and with all of the stack's.
func differences(expected, got, reference answer) (all []string) {
	both := answer{}
	maps.Copy(both, expected)
	maps.Copy(both, got)
	maps.Copy(both, reference)
	for _, kind := range both.kinds() {
		wanted, isExpected := expected[kind]
		stacks, isStacks := reference[kind]
		value, ok := got[kind]
		if !ok {
			value = "nothing"
		}
		var texts []string
		if isExpected && wanted != value {
			texts = append(texts, "expected "+wanted)
		}
		if reference != nil && stacks != value && (isStacks || ok) {
			if !isStacks {
				stacks = "nothing"
			}
			texts = append(texts, "the local stack has "+stacks)
		}
		if texts != nil {
			all = append(all, fmt.Sprintf("%s: %s; answered %s", kind, strings.Join(texts, ", "), value))
		}
	}
	return all
}
