package provider_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// holder has an unexported field, which fmt prints by reflection.
type holder struct{ secret provider.Secret }

func TestSecretIsNeverPrinted(t *testing.T) {
	const planted = "planted-s3cret"
	s := provider.NewSecret(planted)
	encoded, err := json.Marshal(map[string]any{"a": s, "b": provider.Credential{Data: s}, "c": provider.Settings{"k": s}})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", s, "token", provider.Token{Value: s}, "holder", holder{s})
	outputs := []string{string(encoded), log.String(), fmt.Sprint(errors.New("x"), s)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{s, &s, holder{s}, []provider.Secret{s}, provider.SignIn{Credential: provider.Credential{Data: s}}} {
			outputs = append(outputs, fmt.Sprintf(verb, value))
		}
	}
	for _, out := range outputs {
		if strings.Contains(out, planted) || strings.Contains(out, fmt.Sprintf("%x", planted)) {
			t.Errorf("secret printed: %s", out)
		}
	}
	if s.Reveal() != planted || !s.Equal(provider.NewSecret(planted)) || s.Equal(provider.Secret{}) {
		t.Error("Reveal or Equal is wrong")
	}
}

func TestErrorHasKindCauseAndHint(t *testing.T) {
	cause := errors.New("dial tcp: refused")
	err := fmt.Errorf("mint: %w", &provider.Error{
		Kind: provider.ErrUnavailable, Message: "clerk: no answer", Hint: "try again", RetryAfter: time.Second, Err: cause,
	})
	if !errors.Is(err, provider.ErrUnavailable) || !errors.Is(err, cause) || provider.Kind(err) != provider.ErrUnavailable {
		t.Errorf("chain is wrong: %v", err)
	}
	if got := provider.Hint(fmt.Errorf("outer: %w", &provider.Error{Kind: provider.ErrRejected, Err: err})); got != "try again" {
		t.Errorf("hint = %q", got)
	}
	if got := provider.RetryAfter(fmt.Errorf("outer: %w", &provider.Error{Err: err})); got != time.Second {
		t.Errorf("retry after = %v", got)
	}
	if provider.Kind(cause) != nil || provider.Hint(cause) != "" || provider.RetryAfter(cause) != 0 {
		t.Error("a foreign error has a kind, a hint or a wait")
	}
	named := map[string]bool{}
	for _, kind := range provider.Kinds() {
		if got := (&provider.Error{Kind: kind}).Error(); got != kind.Error() {
			t.Errorf("empty message: got %q", got)
		}
		if name := provider.KindName(&provider.Error{Kind: kind}); name == "" || named[name] {
			t.Errorf("%v has the name %q", kind, name)
		} else {
			named[name] = true
		}
	}
	if name := provider.KindName(cause); name != "" {
		t.Errorf("a foreign error has the name %q", name)
	}
}

func TestParsePermission(t *testing.T) {
	for _, bad := range []string{"", "all", "all:", ":data_read", "t:data_insert", "t:data_read,"} {
		if _, err := provider.ParsePermission(bad); !errors.Is(err, provider.ErrConfig) {
			t.Errorf("ParsePermission(%q) = %v", bad, err)
		}
	}
	p, err := provider.ParsePermission("all:data_read,schema_add")
	if err != nil || p.Tables != nil || len(p.Actions) != 2 {
		t.Errorf("ParsePermission of all tables = %+v, %v", p, err)
	}
	if p, _ := provider.ParsePermission("notes:data_add"); len(p.Tables) != 1 || p.Tables[0] != "notes" {
		t.Errorf("ParsePermission of one table = %+v", p)
	}
}

func TestValidateValue(t *testing.T) {
	good := provider.Token{Value: provider.NewSecret("eyJ.a-b_c~d+e/f=")}
	if err := good.ValidateValue(); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "a\n", "a b", "a\x00", "ä", strings.Repeat("a", 16<<10+1)} {
		err := provider.Token{Value: provider.NewSecret(bad)}.ValidateValue()
		if !errors.Is(err, provider.ErrTokenInvalid) {
			t.Errorf("ValidateValue(%.10q) = %v, want ErrTokenInvalid", bad, err)
		}
	}
}

// Hint and the others search all of a joined error.
func TestHintOfJoinedErrors(t *testing.T) {
	hinted := &provider.Error{Kind: provider.ErrUnavailable, Message: "no answer", Hint: "wait", RetryAfter: time.Minute}
	for name, err := range map[string]error{
		"the second of two":                errors.Join(errors.New("first"), hinted),
		"after an error without a hint":    errors.Join(&provider.Error{Message: "first", Err: errors.New("cause")}, fmt.Errorf("then: %w", hinted)),
		"joined to the cause":              &provider.Error{Message: "outer", Err: errors.Join(errors.New("a"), errors.Join(errors.New("b"), hinted))},
		"the second of two wrapped errors": fmt.Errorf("%w and %w", errors.New("a"), hinted),
	} {
		if provider.Hint(err) != "wait" || provider.RetryAfter(err) != time.Minute {
			t.Errorf("%s: hint %q, retry after %s", name, provider.Hint(err), provider.RetryAfter(err))
		}
	}
	first := errors.Join(&provider.Error{Hint: "first"}, hinted)
	if got := provider.Hint(first); got != "first" {
		t.Errorf("hint %q, want the first", got)
	}
}

// If an error has two kinds, Kind returns the one that says what the user has to do.
func TestPrecedenceOfKinds(t *testing.T) {
	kinds := provider.Kinds()
	if kinds[len(kinds)-1] != provider.ErrUnavailable || len(kinds) != 8 {
		t.Errorf("Kinds() = %v, want 8 with ErrUnavailable at the end", kinds)
	}
	for i, first := range kinds {
		for _, second := range kinds[i:] {
			if got := provider.Kind(errors.Join(second, first)); got != first {
				t.Errorf("the kind of %v and %v is %v", second, first, got)
			}
		}
	}
}
