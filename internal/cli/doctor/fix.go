package doctor

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/doctor"
)

// fix repairs what can be repaired, after asking. It returns whether something was, and
// what failed.
func fix(c *cli.Context, findings []doctor.Finding) (repaired bool, failed []doctor.Finding) {
	ui := app.NewUI(app.EnvOf(c))
	done := map[string]bool{}
	for _, f := range findings {
		if f.Fix == nil || f.Severity == provider.SeverityOK || done[f.Fix.Text] {
			continue
		}
		done[f.Fix.Text] = true
		if !c.Bool("yes") {
			yes, err := ui.Confirm(c.Context, f.ID+": "+f.Fix.Text+"?")
			if err != nil || !yes {
				continue
			}
		}
		answers, err := ask(c, ui, f.Fix.Questions)
		if err == nil {
			err = f.Fix.Do(c.Context, answers, func(step string) { fmt.Fprintln(app.Notes(c), app.OneLine(step)) })
		}
		if err == nil {
			repaired = true
			continue
		}
		id := f.ID
		if named := (*doctor.FixError)(nil); errors.As(err, &named) {
			id = named.ID
		}
		failed = append(failed, doctor.Finding{
			ID: id, Layer: f.Layer, Severity: provider.SeverityError, Kind: provider.Kind(err), Observed: err.Error(), Next: provider.Hint(err),
		})
	}
	return repaired, failed
}

// ask gets the answers to the questions of a repair: from the environment, or typed
// without an echo. They are kept nowhere.
func ask(c *cli.Context, ui *app.UI, questions []provider.Question) (map[string]provider.Secret, error) {
	answers := map[string]provider.Secret{}
	for _, q := range questions {
		for _, name := range q.Env {
			if value := os.Getenv(name); value != "" && answers[q.Key].IsZero() {
				answers[q.Key] = provider.NewSecret(value)
			}
		}
		if !answers[q.Key].IsZero() {
			continue
		}
		answer, err := ui.AskSecret(c.Context, q.Text)
		if errors.Is(err, provider.ErrNoCredential) && len(q.Env) > 0 {
			err = &provider.Error{
				Kind: provider.ErrNoCredential, Message: "this repair asks a question, and there is no one to answer it: " + q.Text, Hint: "set " + strings.Join(q.Env, " or "), Err: err,
			}
		}
		if err != nil {
			return nil, err
		}
		answers[q.Key] = answer
	}
	return answers, nil
}
