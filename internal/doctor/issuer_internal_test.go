package doctor

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/provider"
)

// fixer is a provider that repairs in one step.
type fixer struct{ Provider }

func (fixer) Fix(_ context.Context, _ provider.FixRequest, report func(provider.Progress) error) (*provider.Credential, error) {
	return nil, report(provider.Progress{Text: "step"})
}

// The questions and steps of a provider's repair carry its name, and only the provider's own
// variables can answer a question.
func TestRepairOfAProvider(t *testing.T) {
	e := &exam{Options: Options{WithCredential: func(_ context.Context, name string, use func(context.Context, *provider.Credential) (*provider.Credential, error)) error {
		if name != "my-vault" {
			return errors.New("another's credential")
		}
		_, err := use(t.Context(), nil)
		return err
	}}}
	asked := []provider.Question{{Key: "k", Text: "Token", Env: []string{"AWS_SECRET_ACCESS_KEY", "MY_VAULT_TOKEN"}}}
	fix := e.providerFix(fixer{}, "my-vault", provider.Fix{ID: "f", Text: "repair", Questions: asked}, provider.Purpose{})
	want := []provider.Question{{Key: "k", Text: "my-vault: Token", Env: []string{"MY_VAULT_TOKEN"}}}
	if diff := cmp.Diff(want, fix.Questions); diff != "" {
		t.Error(diff)
	}
	var told []string
	if err := fix.Do(t.Context(), nil, func(step string) { told = append(told, step) }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"my-vault: step"}, told); diff != "" {
		t.Error(diff)
	}
}
