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

// answer is the parts of an answer by kind: status, error, code, rows, claims.
type answer map[string]string

// String lists the kinds in order, the status first.
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

// question is one question.
type question struct {
	id, name string
	// asked is the question in words.
	asked string
	needs []string
	// expected is what zen's authors expect; a missing kind may have any value.
	expected answer
	answer   func(*run) answer
}

// result is the result of a question.
type result struct {
	question
	got answer
	// lacking are the unmet needs, and skipped says how to meet them, or why else the
	// question was skipped.
	lacking []string
	skipped string
	// differences list the kinds in which the answer differs from the expected one or the
	// local stack's.
	differences []string
	took        time.Duration
}

// report is the report of a run.
type report struct {
	started  time.Time
	recorder *recorder
	results  []result
	// left is what could not be removed, foreign what earlier runs left in accounts that this
	// run can't access.
	left, foreign error
	interrupted   bool
	lacks         map[string]string // as in the run
}

// answers returns the answers by the questions' ids.
func (d report) answers() map[string]answer {
	all := map[string]answer{}
	for _, r := range d.results {
		if r.skipped == "" {
			all[r.id] = r.got
		}
	}
	return all
}

// failed reports whether the run was interrupted or left objects behind.
func (d report) failed() bool { return d.left != nil || d.interrupted }

// cleaningTimeout limits the cleanup after an interrupt.
const cleaningTimeout = 2 * time.Minute

// options are the options of a run.
type options struct {
	recorder *recorder
	// reference has the local stack's answers.
	reference map[string]answer
	// each is called with each question's name, and calls ask once or not at all.
	each func(name string, ask func() result)
}

// ask performs a run: it removes what earlier runs left behind, asks all questions, and
// removes what it created, however it ended.
func ask(ctx context.Context, b testbed, o options) (report, error) {
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
		_ = end() // a close error doesn't matter after reading
	}
	o.recorder.ask("after")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleaningTimeout)
	defer cancel()
	// By the prefix again: a request of an earlier, killed run may have created an object in
	// the meantime.
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

// differences compares an answer with the expected one, and with the local stack's.
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
