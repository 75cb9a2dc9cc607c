package team

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
)

// A refusal for one person doesn't affect the others. A failure that would affect the others,
// too, stops the command with the exit code of its kind.
func TestSeveral(t *testing.T) {
	refusal := &provider.Error{Message: "invited already"}
	for name, tt := range map[string]struct {
		errs []error
		want string // a letter per person
		code int
		text string
		hint string
	}{
		"all are invited":         {[]error{nil, nil}, "ii", app.ExitOK, "", ""},
		"one is refused":          {[]error{nil, refusal, nil}, "iri", app.ExitOther, "2 of 3 invited, 1 refused: 1@x.test: invited already", ""},
		"all are refused":         {[]error{refusal, refusal}, "rr", app.ExitOther, "0 of 2 invited, 2 refused: 0@x.test: invited already", ""},
		"no permission to invite": {[]error{&provider.Error{Kind: provider.ErrPermission, Message: "no", Hint: "ask"}, nil}, "fn", app.ExitPermission, "0 of 2 invited, 1 not tried: 0@x.test: no", "ask"},
		"a rate limit":            {[]error{nil, refusal, &provider.Error{Kind: provider.ErrUnavailable, RetryAfter: 2 * time.Second}, nil, nil}, "irfnn", app.ExitUnavailable, "1 of 5 invited, 1 refused, 2 not tried: 2@x.test: unavailable", "asks to wait 2s"},
		"the last fails":          {[]error{nil, provider.ErrRejected}, "if", app.ExitSignIn, "1 of 2 invited: 1@x.test: rejected by the server", ""},
		"unsupported option":      {[]error{&provider.Error{Kind: errors.ErrUnsupported, Message: "no redirect URL", Hint: "leave it out"}, nil}, "fn", app.ExitUsage, "no redirect URL", "leave it out"},
	} {
		t.Run(name, func(t *testing.T) {
			j := job{done: "invited"}
			for i, err := range tt.errs {
				j.steps = append(j.steps, step{email: string(rune('0'+i)) + "@x.test", do: func(context.Context, *outcome) error { return err }})
			}
			var out strings.Builder
			err := j.run(t.Context(), &app.Env{Out: &out}, group{})
			got := ""
			for line := range strings.Lines(out.String()) {
				for word, letter := range map[string]string{"  invited": "i", "  refused": "r", "  failed": "f", "  not tried": "n"} {
					if strings.Contains(line, word) {
						got += letter
					}
				}
			}
			if got != tt.want || app.ExitCode(t.Context(), err) != tt.code {
				t.Errorf("%s with exit code %d (%v), want %s and %d\n%s", got, app.ExitCode(t.Context(), err), err, tt.want, tt.code, out.String())
			}
			if err != nil && (!strings.Contains(err.Error(), tt.text) || !strings.Contains(provider.Hint(err), tt.hint)) {
				t.Errorf("error %v (hint %q)", err, provider.Hint(err))
			}
		})
	}
}

// An interrupt stops the command, and what was done before is reported.
func TestSeveralInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	j := job{done: "invited", steps: []step{
		{email: "a@x.test", do: func(context.Context, *outcome) error { return nil }},
		{email: "b@x.test", do: func(context.Context, *outcome) error { cancel(); return errors.New("cut") }},
		{email: "c@x.test", do: func(context.Context, *outcome) error { t.Error("the third invitation was tried"); return nil }},
	}}
	var out strings.Builder
	err := j.run(ctx, &app.Env{Out: &out, JSON: true}, group{})
	if app.ExitCode(ctx, err) != app.ExitInterrupted || !strings.Contains(out.String(), `"result": "not tried"`) {
		t.Errorf("run() = %v\n%s", err, out.String())
	}
}
