package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

func TestAssertion(t *testing.T) {
	f := newFakeClerk(t)
	f.templates["openbao"] = map[string]any{"aud": "https://bao.example", "org_slug": "acme"}
	p := f.provider(keyAssertionTemplate, "openbao")
	credential := f.signedIn(p)
	a, renewed, err := p.Assertion(t.Context(), provider.AssertionRequest{Credential: credential, Audience: "https://bao.example", Kinds: []provider.AssertionKind{provider.AssertionJWT}})
	if err != nil || a.Kind != provider.AssertionJWT || a.Expires.IsZero() || renewed == nil || f.called("/v1/client/sessions/"+testSession+"/tokens/openbao") != 1 {
		t.Fatalf("Assertion = %+v, %v, %v", a, renewed, err)
	}
	credential = *renewed
	for name, test := range map[string]struct {
		settings []string
		req      provider.AssertionRequest
		want     string
	}{
		"another audience": {[]string{keyAssertionTemplate, "openbao"}, provider.AssertionRequest{Audience: "https://evil.example"}, "are not for"},
		"no template":      {nil, provider.AssertionRequest{Audience: "https://bao.example"}, "is for no audience"},
		"another kind":     {nil, provider.AssertionRequest{Kinds: []provider.AssertionKind{provider.AssertionClerkAPIKey}}, "only in a JWT"},
	} {
		p := f.provider(test.settings...)
		test.req.Credential = credential
		a, renewed, err := p.Assertion(t.Context(), test.req)
		if !errors.Is(err, provider.ErrPermission) || !strings.Contains(err.Error(), test.want) || !a.Value.IsZero() {
			t.Errorf("%s: Assertion = %v", name, err)
		}
		if renewed != nil {
			credential = *renewed
		}
	}
}

func TestAssertionOfTheSession(t *testing.T) {
	f := newFakeClerk(t)
	f.templates[""] = map[string]any{"o": map[string]any{"id": "org_1", "slg": "acme"}}
	p := f.provider()
	a, _, err := p.Assertion(t.Context(), provider.AssertionRequest{Credential: f.signedIn(p)})
	if err != nil || a.Value.IsZero() {
		t.Fatal(err)
	}
}
