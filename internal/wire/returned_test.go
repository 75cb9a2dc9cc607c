package wire_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

// lax returns values that can't be stored from every call that may replace a credential.
type lax struct {
	full
	credential provider.Credential
	claims     provider.Claims
	token      provider.Token
	also       error
}

func (l *lax) Refresh(context.Context, provider.Credential) (provider.Credential, error) {
	return l.credential, l.also
}

func (l *lax) Token(context.Context, provider.TokenRequest) (provider.TokenResponse, error) {
	return provider.TokenResponse{Token: l.token, Credential: &l.credential}, l.also
}

func (l *lax) Verify(context.Context, provider.Secret) (provider.Claims, error) { return l.claims, nil }

func (l *lax) Login(ctx context.Context, _ provider.LoginRequest, h provider.Host) error {
	return h.Store(ctx, provider.SignIn{Credential: l.credential, Claims: l.claims, Token: &l.token})
}

func TestUnstorableValuesAreRefused(t *testing.T) {
	good := provider.Credential{Data: provider.NewSecret("good")}
	for name, data := range map[string]string{
		"empty": "", "not text": "a\xff", "too large": strings.Repeat("x", 64<<10+1),
	} {
		p := &lax{credential: provider.Credential{Data: provider.NewSecret(data)}, token: provider.Token{Value: provider.NewSecret("t")}}
		client := connect(t, p)
		for _, also := range []error{nil, provider.ErrRejected} {
			p.also = also
			if c, err := client.Refresh(t.Context(), good); err == nil || !c.Data.IsZero() || also != nil && !errors.Is(err, also) {
				t.Errorf("%s, Refresh with error %v: %v", name, also, err)
			}
			r, err := client.Token(t.Context(), provider.TokenRequest{Credential: &good})
			if err == nil || r.Credential != nil || also != nil && !errors.Is(err, also) {
				t.Errorf("%s, Token with error %v: %v", name, also, err)
			}
		}
		h := &terminal{}
		if err := client.Login(t.Context(), provider.LoginRequest{}, h); err == nil || len(h.stored) > 0 {
			t.Errorf("%s, login: %v, stored %d", name, err, len(h.stored))
		}
	}
	for name, p := range map[string]*lax{
		"claims that are too large":        {credential: good, claims: provider.Claims{Subject: strings.Repeat("\x01", 900<<10)}},
		"a verification that is too large": {credential: good, token: provider.Token{Value: provider.NewSecret("t"), Verification: &provider.Verification{Issuer: strings.Repeat("x", 40<<10)}}},
	} {
		client, h := connect(t, p), &terminal{}
		if err := client.Login(t.Context(), provider.LoginRequest{}, h); err == nil || len(h.stored) > 0 {
			t.Errorf("%s, login: %v, stored %d", name, err, len(h.stored))
		}
		_, verify := client.Verify(t.Context(), provider.NewSecret("t"))
		_, token := client.Token(t.Context(), provider.TokenRequest{})
		if failed := map[string]error{"claims that are too large": verify, "a verification that is too large": token}[name]; failed == nil || !strings.Contains(fmt.Sprint(failed), "can't be stored") {
			t.Errorf("%s: %v, want an error that it can't be stored", name, failed)
		}
	}
}
