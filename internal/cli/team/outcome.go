package team

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
)

// step is one of the things that a command does, to one person.
type step struct {
	email, role string
	// do does it, or looks whether it can be done, and completes the outcome with what is
	// known then.
	do func(context.Context, *outcome) error
}

// outcome is the result of a step.
type outcome struct {
	Email string `json:"email"`
	Role  string `json:"role,omitempty"`
	// Result is the word for what was done, "would be" and that word, "refused" where the
	// next ones could go on, "failed" where they couldn't, or "not tried".
	Result    string     `json:"result"`
	ID        string     `json:"id,omitempty"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	// Reason is why it was not done.
	Reason string `json:"reason,omitempty"`
}

const (
	refused  = "refused"
	failed   = "failed"
	notTried = "not tried"
)

// job is the work of a command, step by step.
type job struct {
	// done is the word for a step that was done: "invited".
	done string
	// dry has the steps looked at only.
	dry   bool
	steps []step
}

type outcomeDocument struct {
	SchemaVersion int                  `json:"schema_version"`
	Organization  organizationDocument `json:"organization"`
	DryRun        bool                 `json:"dry_run"`
	Results       []outcome            `json:"results"`
}

// run does the steps one after the other. A refusal of one person is told, and the others go
// on; what would stop the others as well ends it: no right to do so, no more seats, a limit,
// a network that is gone. What was done and what wasn't is the answer either way.
func (j job) run(ctx context.Context, e *app.Env, g group) error {
	outcomes := make([]outcome, len(j.steps))
	var stopped error
	for i, s := range j.steps {
		o := &outcomes[i]
		*o = outcome{Email: s.email, Role: s.role, Result: notTried}
		if stopped != nil {
			continue
		}
		err := s.do(ctx, o)
		switch {
		case err == nil:
			o.Result = j.word()
		case stops(ctx, err):
			stopped, o.Result, o.Reason = err, failed, app.OneLine(err.Error())
		default:
			o.Result, o.Reason = refused, app.OneLine(err.Error())
		}
	}
	return errors.Join(j.summary(outcomes, stopped), j.print(e, g, outcomes))
}

// word describes a step that was done, or could be.
func (j job) word() string {
	if j.dry {
		return "would be " + j.done
	}
	return j.done
}

// stops reports whether an error is about more than one person: it has a class, or the
// provider can't do this at all.
func stops(ctx context.Context, err error) bool {
	return ctx.Err() != nil || provider.Kind(err) != nil || errors.Is(err, errors.ErrUnsupported)
}

// summary returns the error where not all was done.
func (j job) summary(outcomes []outcome, stopped error) error {
	counts := map[string]int{}
	for _, o := range outcomes {
		counts[o.Result]++
	}
	kept := counts[j.word()]
	if kept == len(outcomes) {
		return nil
	}
	text := fmt.Sprintf("%d of %d %s", kept, len(outcomes), j.word())
	if counts[refused] > 0 {
		text += fmt.Sprintf(", %d refused", counts[refused])
	}
	if stopped == nil {
		i := slices.IndexFunc(outcomes, func(o outcome) bool { return o.Result == refused })
		return &provider.Error{Message: fmt.Sprintf("%s: %s: %s", text, outcomes[i].Email, outcomes[i].Reason)}
	}
	if counts[notTried] > 0 {
		text += fmt.Sprintf(", %d not tried", counts[notTried])
	}
	i := slices.IndexFunc(outcomes, func(o outcome) bool { return o.Result == failed })
	err := &provider.Error{
		Kind: provider.Kind(stopped), Message: fmt.Sprintf("%s: %s: %s", text, outcomes[i].Email, outcomes[i].Reason),
		Hint: provider.Hint(stopped), RetryAfter: provider.RetryAfter(stopped), Err: stopped,
	}
	switch {
	case err.Kind == nil && errors.Is(stopped, errors.ErrUnsupported):
		err.Kind = app.ErrUsage
	case err.RetryAfter > 0 && err.Hint == "":
		err.Hint = fmt.Sprintf("the server asks to wait %s; then run it again for those that are not %s", err.RetryAfter, j.done)
	}
	return err
}

func (j job) print(e *app.Env, g group, outcomes []outcome) error {
	if e.JSON {
		return e.PrintJSON(outcomeDocument{app.SchemaVersion, g.org, j.dry, outcomes})
	}
	table := tabwriter.NewWriter(e.Out, 0, 0, 2, ' ', 0)
	for _, o := range outcomes {
		text := o.Result + day(" until ", o.ExpiresAt)
		if o.Reason != "" {
			text += ": " + o.Reason
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", o.Email, orDash(o.Role), text)
	}
	return table.Flush()
}
