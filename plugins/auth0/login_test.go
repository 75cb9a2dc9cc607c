package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack/auth0"
)

func TestLoginInBrowser(t *testing.T) {
	b := newBench(t)
	p := b.provider()
	got, h := b.login(p, request(""))
	if got.Credential.Subject != "alice@example.test" || got.Token == nil || got.Token.Verification.Issuer != b.url+"/" || got.Claims.Subject == "" {
		t.Errorf("signed in as %+v", got)
	}
	if strings.Contains(got.Credential.Subject+got.Credential.Detail, "v1.") {
		t.Errorf("the credential shows its refresh token: %+v", got.Credential)
	}
	u, err := url.Parse(h.opened[0])
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"audience": testAudience, "response_type": "code", "code_challenge_method": "S256", "client_id": testClient, "prompt": "", "organization": "",
		"scope": "openid profile email offline_access db:write",
	} {
		if q.Get(name) != want {
			t.Errorf("asked for %s=%q, want %q", name, q.Get(name), want)
		}
	}
	if !strings.HasPrefix(q.Get("redirect_uri"), "http://127.0.0.1:"+strings.Split(b.settings[keyPorts], ",")[0]+"/") || len(q.Get("nonce")) < 20 || len(q.Get("state")) < 20 {
		t.Errorf("asked with %v", q)
	}
	if !strings.HasSuffix(h.ended, "/done") {
		t.Errorf("the browser ended at %s", h.ended)
	}
}

// A port in use is skipped; a read-only profile gets a read-only token, and the stored
// refresh token is the one that came with it.
func TestLoginForReading(t *testing.T) {
	b := newBench(t)
	first := strings.Split(b.settings[keyPorts], ",")[0]
	taken, err := net.Listen("tcp", "127.0.0.1:"+first)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	p := b.provider()
	req := request(methodBrowser)
	req.Access = provider.AccessReadOnly
	got, _ := b.login(p, req)
	claims, err := p.Verify(t.Context(), got.Token.Value)
	if err != nil || claims.Database.Access != provider.AccessReadOnly {
		t.Errorf("Verify = %+v, %v", claims.Database, err)
	}
	if _, err := p.Token(t.Context(), provider.TokenRequest{Credential: &got.Credential, Target: target}); err != nil {
		t.Errorf("and after it: %v", err)
	}
}

func TestLoginToOrganization(t *testing.T) {
	b := newBench(t)
	p := b.provider(keyClientID, testTeams)
	req := request("")
	req.Organization = "acme"
	got, h := b.login(p, req)
	if o := got.Claims.Organization; o == nil || o.Slug != "acme" || got.Credential.Detail != "organization acme" || !strings.Contains(h.opened[0], "organization=acme") {
		t.Errorf("signed in to %+v, %q", o, got.Credential.Detail)
	}
	// A token of the same sign-in without the organization is refused.
	b.with(auth0.FaultOrganizationLost)
	_, err := p.Token(t.Context(), provider.TokenRequest{Credential: &got.Credential, Target: target})
	fails(t, "lost", err, provider.ErrPermission, "not of the organization")
	h = &host{t: t, user: "alice"}
	err = p.Login(t.Context(), req, h)
	h.visits.Wait()
	fails(t, "lost at the sign-in", err, provider.ErrPermission, "not of the organization \"acme\"")
	b.with()

	h = &host{t: t, user: "bob"}
	err = p.Login(t.Context(), req, h)
	h.visits.Wait()
	fails(t, "a stranger", err, provider.ErrRejected, "is not part of the", "run zen login")
	// In the settings, by its id.
	id := got.Claims.Organization.ID
	p = b.provider(keyClientID, testTeams, keyOrganization, id)
	again, _ := b.login(p, request(""))
	if again.Claims.Organization.ID != id {
		t.Errorf("by id: %+v", again.Claims.Organization)
	}
	// Such an application can't have the device grant, which is not an error.
	if found, _ := findings(t, p, provider.CheckRequest{Credential: &again.Credential}); found["device"].Severity != provider.SeveritySkipped {
		t.Errorf("findings = %+v", found["device"])
	}
}

// Errors of a sign-in name the tenant's setting that causes them.
func TestLoginFails(t *testing.T) {
	b := newBench(t)
	p := b.provider()
	for fault, want := range map[string]struct {
		kind  error
		words []string
	}{
		auth0.FaultActionMissing:     {provider.ErrPermission, []string{"no Action of the trigger post-login", "zen provider setup auth0"}},
		auth0.FaultOpaqueToken:       {provider.ErrConfig, []string{"opaque", "identifier of an API"}},
		auth0.FaultNoRefreshToken:    {provider.ErrConfig, []string{"no refresh token", "Allow Offline Access"}},
		auth0.FaultWrongIssuer:       {provider.ErrTokenInvalid, []string{"issuer is not"}},
		auth0.FaultWrongAudience:     {provider.ErrTokenInvalid, []string{"not for the API"}},
		auth0.FaultOtherDialect:      {provider.ErrConfig, []string{"at+jwt", "token dialect"}},
		auth0.FaultSenderConstrained: {provider.ErrPermission, []string{"cnf", "sender constraining"}},
		auth0.FaultSymmetric:         {provider.ErrTokenInvalid, []string{"RS256"}},
		auth0.FaultKeyUnpublished:    {provider.ErrTokenInvalid, []string{"none of the", "keys"}},
		auth0.FaultJWKSUnavailable:   {provider.ErrUnavailable, []string{"503"}},
		auth0.FaultClockAhead:        {provider.ErrTokenInvalid, []string{"is the clock right"}},
	} {
		t.Run(fault, func(t *testing.T) {
			p := p
			if strings.Contains(fault, "jwks") || strings.Contains(fault, "key") {
				p = b.provider() // with no keys held
			}
			b.with(fault)
			defer b.with()
			before := b.requests("/oauth/revoke")
			h := &host{t: t, user: "alice"}
			err := p.Login(t.Context(), request(""), h)
			h.visits.Wait()
			fails(t, fault, err, want.kind, want.words...)
			if len(h.stored) != 0 {
				t.Error("the failed sign-in was stored")
			}
			if fault != auth0.FaultNoRefreshToken && b.requests("/oauth/revoke") == before {
				t.Error("the refresh token is still valid at Auth0")
			}
		})
	}
}

// Only the browser shows the mismatch page, so zen describes it.
func TestCallbackMismatch(t *testing.T) {
	b := newBench(t)
	b.with(auth0.FaultCallbackMismatch)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h := &host{t: t, user: "alice", after: cancel}
	err := b.provider().Login(ctx, request(""), h)
	h.visits.Wait()
	fails(t, "mismatch", err, provider.ErrNoCredential, "the browser did not come back to http://127.0.0.1:")
	if !strings.Contains(h.ended, "403") {
		t.Errorf("the browser ended with %q", h.ended)
	}
}

func TestLoginIsRefusedBeforeABrowserOpens(t *testing.T) {
	b := newBench(t)
	p := b.provider()
	for name, test := range map[string]struct {
		p     *auth0Provider
		req   provider.LoginRequest
		kind  error
		words []string
	}{
		"no such method":         {p, provider.LoginRequest{Method: "magic", Interactive: true}, provider.ErrConfig, []string{`"magic" is not browser, device or client-credentials`}},
		"nobody at the terminal": {p, provider.LoginRequest{}, provider.ErrNoCredential, []string{"--method client-credentials"}},
		"nobody anywhere":        {p, provider.LoginRequest{Method: methodDevice}, provider.ErrNoCredential, []string{"--method client-credentials"}},
		"device in a team":       {p, provider.LoginRequest{Method: methodDevice, Organization: "acme", Interactive: true}, provider.ErrConfig, []string{"knows no organizations", "--method browser"}},
		"a bad organization":     {p, provider.LoginRequest{Organization: "a b", Interactive: true}, provider.ErrConfig, []string{"organization"}},
		"no client_id":           {b.provider(keyClientID, ""), provider.LoginRequest{Interactive: true}, provider.ErrConfig, []string{"client_id: it is not set"}},
		"no machine_client_id":   {b.provider(keyClientID, "", keyMachineClientID, ""), provider.LoginRequest{Method: methodMachine}, provider.ErrConfig, []string{"machine_client_id: it is not set"}},
		"a machine, no secret":   {p, provider.LoginRequest{Method: methodMachine}, provider.ErrNoCredential, []string{"ZEN_AUTH0__CLIENT_SECRET"}},
	} {
		h := &host{t: t}
		err := test.p.Login(t.Context(), test.req, h)
		fails(t, name, err, test.kind, test.words...)
		if len(h.opened) != 0 {
			t.Errorf("%s: opened %q", name, h.opened)
		}
	}
}

// direct serves requests from the tenant without a network, so that the test can use fake
// time.
type direct struct{ handler http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	d.handler.ServeHTTP(w, r)
	res := w.Result()
	res.Request = r
	return res, nil
}

func TestLoginOnAnotherDevice(t *testing.T) {
	b := newBench(t)
	synctest.Test(t, func(t *testing.T) {
		p := newProvider("test")
		p.transport = direct{b.Handler()}
		if _, err := p.Configure(t.Context(), b.values()); err != nil {
			t.Fatal(err)
		}
		h := &host{t: t} // opens nothing: the person is at another device
		done := make(chan error)
		go func() { done <- p.Login(t.Context(), request(methodDevice), h) }()
		time.Sleep(12 * time.Second)
		if got := h.heard(); !strings.HasPrefix(got, "type ") || len(h.opened) != 1 || !strings.Contains(h.opened[0], "/activate?user_code=") {
			t.Fatalf("Login printed %q, opened %q", got, h.opened)
		}
		allow(t, b.Handler(), h.opened[0])
		if err := <-done; err != nil || len(h.stored) != 1 || h.stored[0].Token == nil {
			t.Fatalf("%v, stored %+v", err, h.stored)
		}

		b.with(auth0.FaultDeviceOff)
		fails(t, "not granted", p.Login(t.Context(), request(methodDevice), h), provider.ErrConfig, "Device Code")
	})
}

// allow confirms the code on the device page as alice, without a network.
func allow(t *testing.T, handler http.Handler, page string) {
	t.Helper()
	jar := map[string]*http.Cookie{}
	send := func(method, to string, form url.Values) *http.Response {
		r := httptest.NewRequest(method, to, strings.NewReader(form.Encode()))
		if method == http.MethodPost {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		for _, c := range jar {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		for _, c := range w.Result().Cookies() {
			jar[c.Name] = c
		}
		return w.Result()
	}
	field := func(res *http.Response, name string) string {
		body := make([]byte, 1<<16)
		n, _ := res.Body.Read(body)
		_, rest, _ := strings.Cut(string(body[:n]), `name="`+name+`" value="`)
		value, _, _ := strings.Cut(rest, `"`)
		return value
	}
	u, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	res := send(http.MethodGet, "/u/activate?"+u.RawQuery, nil)
	res = send(http.MethodPost, "/u/activate", url.Values{
		"csrf_token": {field(res, "csrf_token")}, "user_code": {u.Query().Get("user_code")}, "decision": {"authorise"},
	})
	login := res.Header.Get("Location")
	state, _ := url.Parse(login)
	send(http.MethodGet, login, nil)
	res = send(http.MethodPost, "/u/login", url.Values{"state": {state.Query().Get("state")}, "account": {"alice@example.test"}})
	if res.StatusCode != http.StatusOK {
		t.Fatalf("the device's page answered %d, Location %s", res.StatusCode, res.Header.Get("Location"))
	}
}

func TestLoginAsMachine(t *testing.T) {
	b := newBench(t)
	req := request(methodMachine)
	req.Interactive = false

	set := b.provider(keyClientSecret, testSecret)
	got, h := b.login(set, req)
	if got.Token == nil || len(h.opened) != 0 || strings.Contains(got.Credential.Data.Reveal(), testSecret) {
		t.Errorf("stored %s, opened %q", got.Credential.Data.Reveal(), h.opened)
	}
	// Without the secret in the environment, the machine can't authenticate.
	_, err := b.provider().Token(t.Context(), provider.TokenRequest{Credential: &got.Credential, Target: target})
	fails(t, "without the secret", err, provider.ErrNoCredential, "ZEN_AUTH0__CLIENT_SECRET")

	// A secret that was typed in is only in the store.
	typing := &host{t: t, secret: provider.NewSecret(testSecret)}
	p := b.provider()
	if err := p.Login(t.Context(), req, typing); err != nil {
		t.Fatal(err)
	}
	typed := typing.stored[0].Credential
	response, err := p.Token(t.Context(), provider.TokenRequest{Credential: &typed, Target: target})
	if err != nil || response.Credential != nil {
		t.Errorf("Token = %+v, %v", response, err)
	}
	if err := p.Revoke(t.Context(), typed); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("revoke: %v", err)
	}
	if same, err := p.Refresh(t.Context(), typed); err != nil || !same.Data.Equal(typed.Data) {
		t.Errorf("refresh: %v", err)
	}

	der, err := x509.MarshalPKCS8PrivateKey(testKeys()[2])
	if err != nil {
		t.Fatal(err)
	}
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	signer := b.provider(keyMachineClientID, testSigner, keyPrivateKey, key, keyKeyID, "k1", keyKeyAlgorithm, "PS256")
	if got, _ := b.login(signer, req); got.Token == nil || strings.Contains(got.Credential.Data.Reveal(), "PRIVATE") {
		t.Errorf("with a key: %+v", got)
	}

	for fault, want := range map[string]struct {
		kind  error
		words []string
	}{
		auth0.FaultMachineActionMissing: {provider.ErrPermission, []string{"trigger credentials-exchange", "post-login never sees a machine"}},
		auth0.FaultGrantMissing:         {provider.ErrRejected, []string{"client grant"}},
		auth0.FaultSecretWrong:          {provider.ErrRejected, []string{"rotated"}},
		auth0.FaultRateLimited:          {provider.ErrUnavailable, []string{"429"}},
	} {
		b.with(fault)
		fails(t, fault, set.Login(t.Context(), req, &host{t: t}), want.kind, want.words...)
		b.with()
	}
	b.with(auth0.FaultAssertionReplayed)
	fails(t, "replayed", signer.Login(t.Context(), req, &host{t: t}), provider.ErrRejected, "jti was used before")
}
