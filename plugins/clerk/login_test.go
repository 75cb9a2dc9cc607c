package main

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/provider"
)

var target = provider.Target{URL: "libsql://app-acme.turso.io", DatabaseID: testDatabase}

func loginRequest() provider.LoginRequest {
	return provider.LoginRequest{Interactive: true, Target: target}
}

// page is what the browser ended up with.
type page struct {
	status int
	body   string
	url    string
}

// comeBack returns a bridge page that sends the browser back with these values.
func comeBack(t *testing.T, got chan<- page, values ...string) func(*url.URL) {
	return func(address *url.URL) {
		asked := address.Query()
		back, err := url.Parse(asked.Get("redirect_uri"))
		if err != nil {
			t.Error(err)
			return
		}
		query := url.Values{"state": {asked.Get("state")}}
		for i := 0; i < len(values); i += 2 {
			query.Set(values[i], values[i+1])
		}
		back.RawQuery = query.Encode()
		res, err := http.Get(back.String())
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = res.Body.Close() }()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Error(err)
		}
		if got != nil {
			got <- page{res.StatusCode, string(body), res.Request.URL.String()}
		}
	}
}

func TestLoginByTicket(t *testing.T) {
	f := newFakeClerk(t)
	p := f.provider()
	shown := make(chan page, 1)
	host := &fakeHost{browser: comeBack(t, shown, "ticket", testTicket)}
	host.store = func(provider.SignIn) error {
		select {
		case got := <-shown:
			t.Errorf("the browser was answered before the result was stored: %+v", got)
		default:
		}
		return nil
	}
	if err := p.Login(t.Context(), loginRequest(), host); err != nil {
		t.Fatal(err)
	}
	got := <-shown
	if got.status != http.StatusOK || !strings.Contains(got.body, "authorised as "+testEmail) || !strings.HasSuffix(got.url, "/done") {
		t.Errorf("page: %+v", got)
	}

	address, err := url.Parse(host.shown[0])
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	if !regexp.MustCompile(`^http://127\.0\.0\.1:\d+/callback$`).MatchString(query.Get("redirect_uri")) || len(query.Get("state")) < 43 {
		t.Errorf("redirect_uri %q, state %q", query.Get("redirect_uri"), query.Get("state"))
	}
	if !regexp.MustCompile(`^[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$`).MatchString(host.code) {
		t.Errorf("code %q", host.code)
	}
	query.Del("redirect_uri")
	query.Del("state")
	if diff := cmp.Diff(url.Values{"app": {"notes"}, "client": {"zen"}, "mode": {"ticket"}, "code": {host.code}}, query); diff != "" {
		t.Error(diff)
	}

	if len(host.stored) != 1 {
		t.Fatalf("stored %d times", len(host.stored))
	}
	result := host.stored[0]
	if result.Claims.Subject != testUser || result.Claims.Session != testSession || result.Claims.Organization.Slug != "acme" {
		t.Errorf("claims %+v", result.Claims)
	}
	if result.Credential.Subject != testEmail || time.Until(result.Credential.Expires) < 24*time.Hour || result.Credential.Issued.IsZero() {
		t.Errorf("credential of %q until %s", result.Credential.Subject, result.Credential.Expires)
	}
	if !strings.Contains(result.Credential.Data.Reveal(), f.clientJWT) {
		t.Error("the credential lacks the last client JWT")
	}
	if result.Token == nil || result.Token.Verification.Issuer != f.URL || result.Token.Verification.KeySetURL != f.URL+"/.well-known/jwks.json" {
		t.Errorf("token %+v", result.Token)
	}
	if f.called("/.well-known/jwks.json") != 1 {
		t.Error("the key set was fetched more than once")
	}
}

func TestLoginWithoutTargetChoosesOrganization(t *testing.T) {
	f := newFakeClerk(t)
	host := &fakeHost{browser: comeBack(t, nil, "ticket", testTicket)}
	req := provider.LoginRequest{Interactive: true, Method: methodBridge, Organization: "globex"}
	if err := f.provider().Login(t.Context(), req, host); err != nil {
		t.Fatal(err)
	}
	host.browsers.Wait()
	if f.active != "globex" || host.stored[0].Token != nil || f.called("/v1/client/sessions/"+testSession+"/tokens/turso") != 0 {
		t.Errorf("organization %q, token %v", f.active, host.stored[0].Token)
	}
}

func TestLoginByRedirect(t *testing.T) {
	f := newFakeClerk(t)
	token := f.token(clerk.CategoryTemplate, f.templates["turso"])
	shown := make(chan page, 1)
	host := &fakeHost{browser: comeBack(t, shown, "token", token)}
	req := loginRequest()
	req.Method = methodRedirect
	p := f.provider()
	if err := p.Login(t.Context(), req, host); err != nil {
		t.Fatal(err)
	}
	if got := <-shown; got.status != http.StatusOK || strings.Contains(got.body+got.url, token[:20]) {
		t.Errorf("page %+v", got)
	}
	if !strings.Contains(host.shown[0], "mode=token") {
		t.Errorf("opened %s", host.shown[0])
	}
	credential := host.stored[0].Credential
	response, err := p.Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: target})
	if err != nil || response.Token.Value.Reveal() != token || response.Credential != nil {
		t.Errorf("Token: %v, %v", response, err)
	}
	if _, err := p.Refresh(t.Context(), credential); err != nil {
		t.Errorf("Refresh: %v", err)
	}
	if err := p.Revoke(t.Context(), credential); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Revoke: %v", err)
	}
	p = f.provider()
	p.now = func() time.Time { return time.Now().Add(time.Hour) }
	if _, err := p.Configure(t.Context(), provider.Settings{keyPublishableKey: provider.NewSecret(f.publishableKey())}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Refresh(t.Context(), credential); !errors.Is(err, provider.ErrTokenExpired) || provider.Hint(err) == "" {
		t.Errorf("Refresh of an expired token: %v", err)
	}
	if _, err := p.Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: target}); !errors.Is(err, provider.ErrTokenExpired) {
		t.Errorf("Token of an expired token: %v", err)
	}
}

// What the page says about the person is shown, but is never a claim: neither of the
// person nor of an organization, which access could depend on.
func TestRedirectShowsWhatThePageSays(t *testing.T) {
	const own = "one token, which can't be renewed"
	for name, test := range map[string]struct {
		says            []string
		claims          map[string]any
		subject, detail string
	}{
		"an old page":     {nil, nil, testUser, ""},
		"a name":          {[]string{"name", "alice@example.test"}, nil, "alice@example.test", ""},
		"an organization": {[]string{"name", "alice@example.test", "org_id", "org_1", "org_slug", "acme", "org_role", "org:admin"}, nil, "alice@example.test", "organization acme as org:admin, by the page's word; " + own},
		"an id alone":     {[]string{"org_id", "org_1"}, nil, testUser, "organization org_1, by the page's word; " + own},
		"a role alone":    {[]string{"org_role", "org:admin"}, nil, testUser, ""},
		"against claims":  {[]string{"org_id", "org_9", "org_role", "org:admin"}, map[string]any{"org_id": "org_1", "org_role": "org:member"}, testUser, ""},
		"markup":          {[]string{"name", "a\x1b[31m\nb", "org_slug", strings.Repeat("x", 51)}, nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeClerk(t)
			claims := maps.Clone(f.templates["turso"])
			maps.Copy(claims, test.claims)
			host := &fakeHost{browser: comeBack(t, nil, append([]string{"token", f.token(clerk.CategoryTemplate, claims)}, test.says...)...)}
			req := loginRequest()
			req.Method = methodRedirect
			if err := f.provider().Login(t.Context(), req, host); err != nil {
				t.Fatal(err)
			}
			host.browsers.Wait()
			got := host.stored[0]
			if test.subject != "" && got.Credential.Subject != test.subject || strings.ContainsAny(got.Credential.Subject, "\x1b\n") || got.Credential.Detail != test.detail {
				t.Errorf("shown as %q, %q", got.Credential.Subject, got.Credential.Detail)
			}
			if o := got.Claims.Organization; (o != nil) != (test.claims != nil) || o != nil && (o.ID != "org_1" || o.Role != "org:member") || got.Claims.Subject != testUser {
				t.Errorf("claims %+v of %s", o, got.Claims.Subject)
			}
		})
	}
}

// A redirect is for the organization in the token's claims: a sign-in to another one
// fails, whatever the page says.
func TestRedirectForAnOrganization(t *testing.T) {
	own := map[string]any{"org_id": "org_1", "org_slug": "acme"}
	for name, test := range map[string]struct {
		claims map[string]any
		asked  string
		want   error
	}{
		"by slug":             {own, "acme", nil},
		"by id":               {own, "org_1", nil},
		"another":             {own, "globex", provider.ErrPermission},
		"a token without one": {nil, "acme", provider.ErrPermission},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeClerk(t)
			claims := maps.Clone(f.templates["turso"])
			maps.Copy(claims, test.claims)
			host := &fakeHost{browser: comeBack(t, nil, "token", f.token(clerk.CategoryTemplate, claims), "org_id", "org_2", "org_slug", test.asked)}
			req := loginRequest()
			req.Method, req.Organization = methodRedirect, test.asked
			err := f.provider().Login(t.Context(), req, host)
			host.browsers.Wait()
			if !errors.Is(err, test.want) || (err == nil) != (len(host.stored) == 1) || err != nil && !strings.Contains(provider.Hint(err), "org_id") {
				t.Errorf("Login = %v, %q", err, provider.Hint(err))
			}
		})
	}
}

func TestLoginFails(t *testing.T) {
	signedIn := func(f *fakeClerk) []string { return []string{"ticket", testTicket} }
	redirected := func(token func(f *fakeClerk) string) func(f *fakeClerk) []string {
		return func(f *fakeClerk) []string { return []string{"token", token(f)} }
	}
	for name, test := range map[string]struct {
		method string
		values func(f *fakeClerk) []string
		set    func(f *fakeClerk)
		store  error
		want   error
		says   string
		ended  int
	}{
		"page denies":         {values: func(*fakeClerk) []string { return []string{"error", "access_denied"} }, want: provider.ErrRejected, says: "access_denied"},
		"no ticket":           {values: func(*fakeClerk) []string { return nil }, want: provider.ErrConfig, says: "no ticket"},
		"token for a ticket":  {values: func(*fakeClerk) []string { return []string{"token", "x"} }, want: provider.ErrConfig, says: "but a token"},
		"used ticket":         {set: func(f *fakeClerk) { f.used = true }, want: provider.ErrRejected, says: "sign_in_token_already_used_code"},
		"forged ticket":       {values: func(*fakeClerk) []string { return []string{"ticket", "x"} }, want: provider.ErrRejected, says: "ticket_invalid_code"},
		"second factor":       {set: func(f *fakeClerk) { f.signIn = "needs_second_factor" }, want: provider.ErrRejected, says: "second factor"},
		"client trust":        {set: func(f *fakeClerk) { f.signIn = "needs_client_trust" }, want: provider.ErrRejected, says: "client trust"},
		"new status":          {set: func(f *fakeClerk) { f.signIn = "needs_luck" }, want: provider.ErrRejected, says: "needs_luck"},
		"no template":         {set: func(f *fakeClerk) { delete(f.templates, "turso") }, want: provider.ErrConfig, says: `no JWT template named "turso"`, ended: 1},
		"template of another": {set: func(f *fakeClerk) { f.templates["turso"]["id"] = "db-2" }, want: provider.ErrPermission, says: "is for database db-2", ended: 1},
		"no database claims":  {set: func(f *fakeClerk) { f.templates["turso"] = nil }, want: provider.ErrPermission, says: "no database claims", ended: 1},
		"other issuer":        {set: func(f *fakeClerk) { f.change = func(_, c map[string]any) { c["iss"] = "https://clerk.evil.example" } }, want: provider.ErrTokenInvalid, says: "issuer", ended: 1},
		"session of another":  {set: func(f *fakeClerk) { f.change = func(_, c map[string]any) { c["sid"] = "sess_x" } }, want: provider.ErrTokenInvalid, says: "another session", ended: 1},
		"pending":             {set: func(f *fakeClerk) { f.change = func(_, c map[string]any) { c["sts"] = "pending" } }, want: provider.ErrPermission, says: "pending", ended: 1},
		"machine":             {set: func(f *fakeClerk) { f.change = func(_, c map[string]any) { c["sub"] = "mch_1" } }, want: provider.ErrTokenInvalid, says: "not a user", ended: 1},
		"native API off": {
			set: func(f *fakeClerk) {
				f.on("/v1/client/sign_ins", 400, nil, `{"errors":[{"code":"native_api_disabled","message":"x"}]}`)
			},
			want: provider.ErrConfig, says: "native_api_disabled",
		},
		"no key set":    {set: func(f *fakeClerk) { f.on("/.well-known/jwks.json", 503, nil, "") }, want: provider.ErrUnavailable, says: "503", ended: 1},
		"not stored":    {store: errors.New("disk full"), says: "disk full", ended: 1},
		"rubbish token": {method: methodRedirect, values: redirected(func(*fakeClerk) string { return "planted-token.x.y" }), want: provider.ErrTokenInvalid, says: "not a JWT"},
		"id token": {method: methodRedirect, values: redirected(func(f *fakeClerk) string {
			return f.token("", map[string]any{"aud": "client_1", "email": testEmail})
		}), set: func(f *fakeClerk) { f.change = func(h, _ map[string]any) { delete(h, "cat") } }, want: provider.ErrTokenInvalid, says: "ID token"},
		"id token with nonce": {method: methodRedirect, values: redirected(func(f *fakeClerk) string {
			return f.token(clerk.CategoryTemplate, map[string]any{"nonce": "n"})
		}), want: provider.ErrTokenInvalid, says: "ID token"},
		"at+jwt": {method: methodRedirect, values: redirected(func(f *fakeClerk) string { return f.token(clerk.CategoryTemplate, f.templates["turso"]) }),
			set: func(f *fakeClerk) { f.change = func(h, _ map[string]any) { h["typ"] = "at+jwt" } }, want: provider.ErrTokenInvalid, says: "at+jwt"},
		"session token": {method: methodRedirect, values: redirected(func(f *fakeClerk) string {
			return f.token(clerk.CategorySession, map[string]any{"sid": testSession})
		}), want: provider.ErrPermission, says: "no database claims"},
		"ticket for a token": {method: methodRedirect, values: signedIn, want: provider.ErrConfig, says: "but a ticket"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeClerk(t)
			if test.set != nil {
				test.set(f)
			}
			if test.values == nil {
				test.values = signedIn
			}
			shown := make(chan page, 1)
			host := &fakeHost{browser: comeBack(t, shown, test.values(f)...)}
			if test.store != nil {
				host.store = func(provider.SignIn) error { return test.store }
			}
			req := loginRequest()
			req.Method = test.method
			err := f.provider().Login(t.Context(), req, host)
			if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("Login = %v, want %v with %q", err, test.want, test.says)
			}
			if test.want != nil && test.want != provider.ErrTokenInvalid && test.want != provider.ErrUnavailable && provider.Hint(err) == "" {
				t.Errorf("%v has no hint", err)
			}
			if strings.Contains(err.Error(), "planted") || strings.Contains(err.Error(), "\n") {
				t.Errorf("a secret or a second line: %q", err)
			}
			if got := <-shown; got.status == http.StatusOK || strings.Contains(got.body+got.url, "planted") {
				t.Errorf("page %+v", got)
			}
			if len(host.stored) != 0 || f.ended != test.ended {
				t.Errorf("stored %d times, ended %d sessions, want %d", len(host.stored), f.ended, test.ended)
			}
		})
	}
}

func TestLoginRefusesBeforeABrowser(t *testing.T) {
	f := newFakeClerk(t)
	change := func(change func(*provider.LoginRequest)) provider.LoginRequest {
		req := loginRequest()
		change(&req)
		return req
	}
	for name, test := range map[string]struct {
		provider *clerkProvider
		req      provider.LoginRequest
		want     error
	}{
		"not interactive":       {f.provider(), change(func(r *provider.LoginRequest) { r.Interactive = false }), provider.ErrNoCredential},
		"no bridge":             {f.provider(keyBridgeURL, ""), change(func(r *provider.LoginRequest) { r.Method = methodBridge }), provider.ErrConfig},
		"no application":        {f.provider(), change(func(r *provider.LoginRequest) { r.Method = methodOAuth }), provider.ErrConfig},
		"tokens of oauth":       {f.provider(keyOAuthClientID, "app"), change(func(r *provider.LoginRequest) { r.Method = methodOAuth }), provider.ErrConfig},
		"tokens of device":      {f.provider(keyOAuthClientID, "app"), change(func(r *provider.LoginRequest) { r.Method = methodDevice }), provider.ErrConfig},
		"oauth for another":     {f.provider(keyOAuthClientID, "app"), provider.LoginRequest{Interactive: true, Method: methodOAuth, Audience: "vault"}, provider.ErrPermission},
		"bridge for another":    {f.provider(), provider.LoginRequest{Interactive: true, Audience: "vault"}, provider.ErrPermission},
		"redirect for another":  {f.provider(), provider.LoginRequest{Interactive: true, Method: methodRedirect, AssertionKinds: []provider.AssertionKind{provider.AssertionJWT}}, provider.ErrPermission},
		"of another kind":       {f.provider(), provider.LoginRequest{Interactive: true, AssertionKinds: []provider.AssertionKind{provider.AssertionClerkAPIKey}}, provider.ErrPermission},
		"unknown method":        {f.provider(), change(func(r *provider.LoginRequest) { r.Method = "magic" }), provider.ErrConfig},
		"no read-only template": {f.provider(keyReadOnlyTemplate, ""), change(func(r *provider.LoginRequest) { r.Access = provider.AccessReadOnly }), provider.ErrConfig},
		"not configured":        {newProvider(""), loginRequest(), provider.ErrConfig},
	} {
		host := &fakeHost{}
		if err := test.provider.Login(t.Context(), test.req, host); !errors.Is(err, test.want) {
			t.Errorf("%s: Login = %v, want %v", name, err, test.want)
		}
		if len(host.shown) != 0 {
			t.Errorf("%s: shown %q", name, host.shown)
		}
	}
}

func TestNobodyComesBack(t *testing.T) {
	f := newFakeClerk(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := f.provider().Login(ctx, loginRequest(), &fakeHost{})
	if !errors.Is(err, provider.ErrNoCredential) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "the browser did not come back to http://127.0.0.1:") {
		t.Errorf("Login = %v", err)
	}
}

func TestWrongStateDoesNotEndTheLogin(t *testing.T) {
	f := newFakeClerk(t)
	forged := make(chan page, 2)
	host := &fakeHost{}
	host.browser = func(address *url.URL) {
		comeBack(t, forged, "state", "forged", "ticket", testTicket)(address)
		comeBack(t, forged, "state", "forged", "error", "access_denied")(address)
		comeBack(t, nil, "ticket", testTicket)(address)
	}
	if err := f.provider().Login(t.Context(), loginRequest(), host); err != nil {
		t.Fatal(err)
	}
	host.browsers.Wait()
	for range 2 {
		if got := <-forged; got.status != http.StatusBadRequest {
			t.Errorf("forged: %+v", got)
		}
	}
}

func TestNothingSecretIsShown(t *testing.T) {
	f := newFakeClerk(t)
	host := &fakeHost{browser: comeBack(t, nil, "ticket", testTicket)}
	if err := f.provider().Login(t.Context(), loginRequest(), host); err != nil {
		t.Fatal(err)
	}
	host.browsers.Wait()
	if slices.ContainsFunc(host.shown, func(s string) bool { return strings.Contains(s, "planted") }) {
		t.Errorf("shown: %q", host.shown)
	}
}
