package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/provider"
)

// signedIn returns a credential for a session that the instance knows.
func (f *fakeClerk) signedIn(p *clerkProvider) provider.Credential {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clientJWT = "planted-client-jwt-0"
	s := &clerk.Session{ID: testSession, Client: provider.NewSecret(f.clientJWT)}
	return p.sessionCredential(stored{session: s}, testEmail, time.Now())
}

func TestTokenReplacesTheClientJWT(t *testing.T) {
	f := newFakeClerk(t)
	p := f.provider()
	credential := f.signedIn(p)
	for i := range 3 {
		response, err := p.Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: target})
		if err != nil {
			t.Fatal(err)
		}
		if life := response.Token.Expires.Sub(response.Token.Issued); life != time.Minute {
			t.Errorf("life %s", life)
		}
		if response.Credential == nil || response.Credential.Subject != testEmail {
			t.Fatalf("credential %v", response.Credential)
		}
		credential = *response.Credential
		if !strings.Contains(credential.Data.Reveal(), fmt.Sprintf("planted-client-jwt-%d", i+1)) {
			t.Fatal("the client JWT is not the new one")
		}
	}
	if f.called("/.well-known/jwks.json") != 0 {
		t.Error("the provider fetched the key set, though the host has it")
	}
}

// Renewals work while the key set is unavailable: each renewal is a separate process,
// which has no key set.
func TestTokensWhileTheKeySetIsGone(t *testing.T) {
	f := newFakeClerk(t)
	credential := f.signedIn(f.provider())
	f.on("/.well-known/jwks.json", http.StatusServiceUnavailable, nil, "")
	for i := range 75 { // an hour of one-minute tokens
		response, err := f.provider().Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: target})
		if err != nil || response.Token.Verification == nil {
			t.Fatalf("renewal %d: %v, verified by %v", i, err, response.Token.Verification)
		}
		credential = *response.Credential
	}
}

func TestTokenReadOnly(t *testing.T) {
	f := newFakeClerk(t)
	p := f.provider()
	credential := f.signedIn(p)
	req := provider.TokenRequest{Credential: &credential, Target: target, Access: provider.AccessReadOnly}
	if _, err := p.Token(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if f.called("/v1/client/sessions/"+testSession+"/tokens/turso-ro") != 1 {
		t.Errorf("calls %q", f.calls)
	}
	if _, err := f.provider(keyReadOnlyTemplate, "").Token(t.Context(), req); !errors.Is(err, provider.ErrConfig) || !strings.Contains(provider.Hint(err), "read_only_template") {
		t.Errorf("without a template: %v", err)
	}
}

func TestTokenRefusesMoreThanAsked(t *testing.T) {
	perm := func(tables any, actions ...string) []any {
		return []any{map[string]any{"t": tables, "a": actions}}
	}
	asked := []provider.Permission{{Tables: []string{"notes"}, Actions: []provider.Action{"data_read", "data_add"}}, {Actions: []provider.Action{"data_read"}}}
	for name, test := range map[string]struct {
		claims      map[string]any
		access      provider.Access
		permissions []provider.Permission
		good        bool
	}{
		"no claims":             {claims: map[string]any{}},
		"no database":           {claims: map[string]any{"a": "ro", "perm": []any{}}},
		"case of id":            {claims: map[string]any{"ID": testDatabase}},
		"group":                 {claims: map[string]any{"gid": "g-1", "a": "rw"}},
		"other database":        {claims: map[string]any{"id": "db-2"}},
		"empty p":               {claims: map[string]any{"p": map[string]any{}}},
		"p":                     {claims: map[string]any{"p": map[string]any{"rw": map[string]any{"ns": []string{"acme.dev"}}}}, good: true},
		"rw for ro":             {claims: map[string]any{"id": testDatabase, "a": "rw"}, access: provider.AccessReadOnly},
		"no a for ro":           {claims: map[string]any{"id": testDatabase}, access: provider.AccessReadOnly},
		"ro for rw":             {claims: map[string]any{"id": testDatabase, "a": "ro"}, good: true},
		"all for permissions":   {claims: map[string]any{"id": testDatabase, "a": "rw", "perm": []any{}}, permissions: asked},
		"wider table":           {claims: map[string]any{"id": testDatabase, "perm": perm(nil, "data_add")}, permissions: asked},
		"other table":           {claims: map[string]any{"id": testDatabase, "perm": perm([]string{"x"}, "data_add")}, permissions: asked},
		"other action":          {claims: map[string]any{"id": testDatabase, "perm": perm([]string{"notes"}, "data_delete")}, permissions: asked},
		"within":                {claims: map[string]any{"id": testDatabase, "perm": perm([]string{"notes"}, "data_add", "data_read")}, permissions: asked, good: true},
		"reading what all may":  {claims: map[string]any{"id": testDatabase, "perm": perm([]string{"x"}, "data_read")}, permissions: asked, good: true},
		"limits unasked for":    {claims: map[string]any{"id": testDatabase, "perm": perm([]string{"x"}, "data_read")}, good: true},
		"database without a id": {claims: map[string]any{"id": ""}},
	} {
		f := newFakeClerk(t)
		f.templates["turso"], f.templates["turso-ro"] = test.claims, test.claims
		p := f.provider()
		credential := f.signedIn(p)
		response, err := p.Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: target, Access: test.access, Permissions: test.permissions})
		if test.good {
			if err != nil {
				t.Errorf("%s: Token = %v", name, err)
			}
			continue
		}
		if !errors.Is(err, provider.ErrPermission) || !strings.Contains(provider.Hint(err), "turso org jwks template") || !response.Token.Value.IsZero() {
			t.Errorf("%s: Token = %v, want ErrPermission with a hint", name, err)
		}
		if response.Credential == nil {
			t.Errorf("%s: the replaced credential is lost", name)
		}
	}
}

func TestBadCredentials(t *testing.T) {
	f := newFakeClerk(t)
	p := f.provider()
	good := f.signedIn(p).Data.Reveal()
	for name, data := range map[string]string{
		"empty": "", "rubbish": "{", "another provider's": `{"access_token":"planted"}`,
		"future":           strings.Replace(good, `"v":1`, `"v":2`, 1),
		"another instance": strings.Replace(good, p.settings.instance.Fingerprint(), clerk.Instance{Host: "clerk.other.example"}.Fingerprint(), 1),
		"path in the id":   strings.Replace(good, testSession, "sess_x/../../users", 1),
		"no client":        strings.Replace(good, "planted-client-jwt-0", "", 1),
		"line break":       strings.Replace(good, "planted-client-jwt-0", `planted\r\nX-Evil: 1`, 1),
	} {
		credential := provider.Credential{Data: provider.NewSecret(data)}
		_, tokenErr := p.Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: target})
		_, refreshErr := p.Refresh(t.Context(), credential)
		for _, err := range []error{tokenErr, refreshErr, p.Revoke(t.Context(), credential)} {
			if !errors.Is(err, provider.ErrNoCredential) || strings.Contains(err.Error(), "planted") {
				t.Errorf("%s: %v, want ErrNoCredential", name, err)
			}
		}
	}
	if _, err := p.Token(t.Context(), provider.TokenRequest{Target: target}); !errors.Is(err, provider.ErrNoCredential) {
		t.Errorf("none: %v", err)
	}
	if len(f.calls) != 0 {
		t.Errorf("calls %q", f.calls)
	}
}

func TestAnswersOfClerk(t *testing.T) {
	const path = "/v1/client/sessions/" + testSession + "/tokens/turso"
	clerkErrors := func(code string) string {
		return `{"errors":[{"message":"Something is wrong.","long_message":"planted-client-jwt-0","code":"` + code + `","meta":{}}],"clerk_trace_id":"0af7"}`
	}
	wait := http.Header{"Retry-After": {"30"}}
	for name, test := range map[string]struct {
		status int
		header http.Header
		body   string
		want   error
		says   string
		hint   string
		wait   time.Duration
	}{
		"signed out":        {401, nil, clerkErrors("signed_out"), provider.ErrRejected, "Something is wrong (signed_out), HTTP 401, trace 0af7", "zen login", 0},
		"invalid":           {401, nil, clerkErrors("authentication_invalid"), provider.ErrRejected, "authentication_invalid", "zen login", 0},
		"forbidden":         {403, nil, clerkErrors("authorization_invalid"), provider.ErrRejected, "authorization_invalid", "", 0},
		"native API off":    {400, nil, clerkErrors("native_api_disabled"), provider.ErrConfig, "native_api_disabled", "dashboard.clerk.com", 0},
		"rate limit":        {429, wait, clerkErrors("too_many_requests"), provider.ErrUnavailable, "too_many_requests", "", 30 * time.Second},
		"rate limit, date":  {429, http.Header{"Retry-After": {"Sun, 01 Mar 2026 12:01:00 GMT"}, "Date": {"Sun, 01 Mar 2026 12:00:00 GMT"}}, "", provider.ErrUnavailable, "429", "", time.Minute},
		"rate limit, proxy": {429, wait, "<html>slow down", provider.ErrUnavailable, "HTTP 429", "", 30 * time.Second},
		"server error":      {500, nil, clerkErrors("internal_clerk_error"), provider.ErrUnavailable, "internal_clerk_error", "", 0},
		"bad gateway":       {502, wait, "<html>planted", provider.ErrUnavailable, "HTTP 502", "", 30 * time.Second},
		"long ago":          {503, http.Header{"Retry-After": {"-5"}}, "", provider.ErrUnavailable, "HTTP 503", "", 0},
		"proxy":             {403, nil, "<html>planted blocked by policy", provider.ErrUnavailable, "not Clerk's", "", 0},
		"proxy, 401":        {401, nil, "", provider.ErrUnavailable, "not Clerk's", "", 0},
		"other JSON":        {401, nil, `{"errors":[{"code":"planted client jwt"}]}`, provider.ErrUnavailable, "not Clerk's", "", 0},
		"redirect":          {302, http.Header{"Location": {"https://evil.example/"}}, "", provider.ErrUnavailable, "HTTP 302", "", 0},
		"wifi page":         {200, nil, "<html>planted welcome", provider.ErrUnavailable, "not Clerk's", "", 0},
		"no token":          {200, nil, `{}`, provider.ErrTokenInvalid, "empty", "", 0},
		"rubbish token":     {200, nil, `{"jwt":"planted.x.y"}`, provider.ErrTokenInvalid, "not a JWT", "", 0},
		"odd token":         {200, nil, `{"jwt":"planted\n"}`, provider.ErrTokenInvalid, "line break", "", 0},
		"too large":         {200, nil, `{"jwt":"` + strings.Repeat("a", 2<<20) + `"}`, provider.ErrUnavailable, "1 MiB", "", 0},
		"message with a secret": {
			422, nil, `{"errors":[{"message":"planted-client-jwt-0-that-is-rather-long is wrong","code":"form_param_value_invalid"}]}`,
			provider.ErrRejected, "form_param_value_invalid", "", 0,
		},
		"message for the terminal": {422, nil, `{"errors":[{"message":"a\u001b[31m\nb","code":"x"}]}`, provider.ErrRejected, "a[31m b (x)", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeClerk(t)
			p := f.provider()
			credential := f.signedIn(p)
			f.on(path, test.status, test.header, test.body)
			_, err := p.Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: target})
			var failure *provider.Error
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) || !errors.As(err, &failure) && test.want != provider.ErrTokenInvalid {
				t.Fatalf("Token = %v, want %v with %q", err, test.want, test.says)
			}
			if !strings.Contains(provider.Hint(err), test.hint) || failure != nil && failure.RetryAfter != test.wait {
				t.Errorf("hint %q, retry after %s", provider.Hint(err), failure.RetryAfter)
			}
			if all := fmt.Sprintf("%v %+v %#v", err, failure, failure); strings.Contains(all, "planted") || strings.Contains(err.Error(), "\n") {
				t.Errorf("a secret or a second line: %s", all)
			}
		})
	}
}

func TestNotFoundIsTheTemplateOrTheSession(t *testing.T) {
	f := newFakeClerk(t)
	p := f.provider(keyTemplate, "missing")
	credential := f.signedIn(p)
	response, err := p.Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: target})
	if !errors.Is(err, provider.ErrConfig) || errors.Is(err, provider.ErrRejected) || !strings.Contains(err.Error(), `"missing"`) {
		t.Errorf("no template: %v", err)
	}
	f.status = "ended"
	response, err = p.Token(t.Context(), provider.TokenRequest{Credential: response.Credential, Target: target})
	if !errors.Is(err, provider.ErrRejected) || !strings.Contains(provider.Hint(err), "zen login") || response.Credential == nil {
		t.Errorf("no session: %v", err)
	}
}

func TestRefreshAndRevoke(t *testing.T) {
	f := newFakeClerk(t)
	p := f.provider()
	credential, err := p.Refresh(t.Context(), f.signedIn(p))
	if err != nil || time.Until(credential.Expires) < time.Hour || credential.Subject != testEmail || !strings.Contains(credential.Data.Reveal(), f.clientJWT) {
		t.Fatalf("Refresh = %+v, %v", credential, err)
	}
	stale := credential
	if credential, err = p.Refresh(t.Context(), credential); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Refresh(t.Context(), stale); !errors.Is(err, provider.ErrRejected) {
		t.Errorf("with the old client JWT: %v", err)
	}
	if err := p.Revoke(t.Context(), credential); err != nil || f.ended != 1 {
		t.Errorf("Revoke: %v, %d ended", err, f.ended)
	}
	credential = f.signedIn(p)
	if err := p.Revoke(t.Context(), credential); err != nil {
		t.Errorf("Revoke of an ended session: %v", err)
	}
	if _, err := p.Refresh(t.Context(), f.signedIn(p)); !errors.Is(err, provider.ErrRejected) {
		t.Errorf("Refresh of an ended session: %v", err)
	}
	f.Close()
	if err := p.Revoke(t.Context(), credential); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("Revoke without a network: %v", err)
	}
	if _, err := p.Refresh(t.Context(), credential); !errors.Is(err, provider.ErrUnavailable) || strings.Contains(err.Error(), "planted") {
		t.Errorf("Refresh without a network: %v", err)
	}
}

func TestContextEndsACall(t *testing.T) {
	f := newFakeClerk(t)
	p := f.provider()
	credential := f.signedIn(p)
	silent := make(chan struct{})
	f.answer["/v1/client"] = func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-silent:
		case <-r.Context().Done():
		}
	}
	defer close(silent)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Refresh(ctx, credential); !errors.Is(err, provider.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Refresh = %v", err)
	}
}
