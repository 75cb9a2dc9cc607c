package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/provider"
)

// surfer is a host with a browser that signs in at Turso and follows the redirect back.
type surfer struct {
	person
	// back changes the address where the browser ends; nil leaves it as Turso sends it.
	back func(url.Values)
	// after is called when the browser has ended, unless it is nil.
	after  func()
	visits sync.WaitGroup
	// shown is the last page's status and text.
	mu     sync.Mutex
	opened string
	status int
	ended  string
}

func (h *surfer) OpenURL(_ context.Context, address, _ string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	q := u.Query()
	h.opened = u.Path + "?redirect=" + q.Get("redirect") + "&type=" + q.Get("type")
	answer := url.Values{"state": {q.Get("state")}, "jwt": {plantedSession}}
	if h.back != nil {
		h.back(answer)
	}
	h.visits.Go(func() {
		if h.after != nil {
			defer h.after()
		}
		browser := &http.Client{Transport: httpclient.New()} // that resolves localhost to this machine
		res, err := browser.Get("http://" + net.JoinHostPort("localhost", q.Get("port")) + "/?" + answer.Encode())
		if err != nil {
			return
		}
		defer func() { _ = res.Body.Close() }()
		h.mu.Lock()
		defer h.mu.Unlock()
		h.status, h.ended = res.StatusCode, res.Request.URL.String()
	})
	return nil
}

// AskSecret blocks, because no person pastes an address.
func (h *surfer) AskSecret(context.Context, string) (provider.Secret, error) {
	return provider.Secret{}, provider.ErrNoCredential
}

func browserLogin(target string) provider.LoginRequest {
	return provider.LoginRequest{Method: methodBrowser, Interactive: true, Target: provider.Target{URL: target}}
}

func TestBrowser(t *testing.T) {
	f := newFakeAPI(t)
	// The environment's API token has more rights than the one created here.
	p, host := f.configured(map[string]string{keyAPIToken: "planted-other"}), &surfer{}
	if err := p.Login(t.Context(), browserLogin("libsql://app-acme.turso.io"), host); err != nil {
		t.Fatal(err)
	}
	host.visits.Wait()
	if host.opened != "/?redirect=true&type=cli" || host.status != http.StatusOK || strings.Contains(host.ended, "planted") {
		t.Errorf("opened %s, and ended at %s (%d)", host.opened, host.ended, host.status)
	}
	want := map[string]any{"organization": "acme", "group": "default", "scopes": []any{"read", "db:mint-token"}}
	if diff := cmp.Diff(want, f.asked); diff != "" {
		t.Error(diff)
	}
	got := host.stored[0]
	var s stored
	if err := json.Unmarshal([]byte(got.Credential.Data.Reveal()), &s); err != nil || s.Source != sourceMinted || s.APIToken != plantedMinted ||
		!strings.HasPrefix(s.Name, "zen-") || s.Organization != "acme" || strings.Contains(got.Credential.Data.Reveal(), plantedSession) {
		t.Errorf("stored %+v, %v", s, err)
	}
	if got.Credential.Subject != "alice" || !strings.Contains(got.Credential.Detail, s.Name) || got.Token == nil {
		t.Errorf("%+v", got)
	}
	if _, err := p.Token(t.Context(), provider.TokenRequest{Credential: &got.Credential, Target: provider.Target{URL: "libsql://app-acme.turso.io"}}); err != nil {
		t.Errorf("Token with the created API token: %v", err)
	}
	if err := p.Revoke(t.Context(), got.Credential); err != nil || len(f.made) != 0 {
		t.Errorf("Revoke = %v, and %d API tokens were left", err, len(f.made))
	}
	// Revoking an already revoked API token is not an error.
	if err := p.Revoke(t.Context(), got.Credential); err != nil {
		t.Error(err)
	}
}

func TestBrowserErrors(t *testing.T) {
	forbidden := func(w http.ResponseWriter, _ *http.Request) { reply(w, 403, `{"error":"no"}`) }
	for name, test := range map[string]struct {
		req      provider.LoginRequest
		settings map[string]string
		back     func(url.Values)
		fail     string
		refuse   error
		want     error
		text     string
	}{
		"nobody there": {req: provider.LoginRequest{Method: methodBrowser}, want: provider.ErrNoCredential, text: "needs a browser"},
		"no token":     {req: browserLogin("libsql://app-acme.turso.io"), back: func(q url.Values) { q.Del("jwt") }, want: provider.ErrTokenInvalid, text: "sent no token"},
		"bad token":    {req: browserLogin("libsql://app-acme.turso.io"), back: func(q url.Values) { q.Set("jwt", "planted-bad") }, want: provider.ErrRejected, text: "invalid api token"},
		"denied": {
			req: browserLogin("libsql://app-acme.turso.io"), want: provider.ErrRejected, text: "access_denied",
			back: func(q url.Values) { q.Del("jwt"); q.Set("error", "access_denied") },
		},
		"another database": {req: browserLogin("libsql://x-evil.turso.io"), want: provider.ErrConfig, text: "no database x-evil.turso.io"},
		"which group":      {req: browserLogin(""), settings: map[string]string{keyOrganization: ""}, want: provider.ErrConfig, text: "has 2 groups"},
		"may not mint": {
			req: browserLogin("libsql://app-acme.turso.io"), fail: "POST /v1/organizations/acme/databases/app/auth/tokens", want: provider.ErrPermission, text: "no",
		},
		"can't be stored": {req: browserLogin("libsql://app-acme.turso.io"), refuse: provider.ErrUnavailable, want: provider.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeAPI(t)
			if test.fail != "" {
				f.fail[test.fail] = forbidden
			}
			host := &surfer{back: test.back, person: person{refuse: test.refuse}}
			err := f.configured(test.settings).Login(t.Context(), test.req, host)
			host.visits.Wait()
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), "planted") {
				t.Errorf("Login = %v, want %v with %q", err, test.want, test.text)
			}
			if len(f.made) != 0 {
				t.Errorf("%d API tokens were left", len(f.made))
			}
			if host.status == http.StatusOK {
				t.Error("the browser showed success")
			}
		})
	}
	// A callback with a wrong state is ignored.
	f := newFakeAPI(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	host := &surfer{back: func(q url.Values) { q.Set("state", "planted") }, after: cancel}
	err := f.configured(nil).Login(ctx, browserLogin("libsql://app-acme.turso.io"), host)
	host.visits.Wait()
	if !errors.Is(err, provider.ErrNoCredential) || host.status != http.StatusBadRequest {
		t.Errorf("a wrong state: %v, %d", err, host.status)
	}
}

func TestWideTokensAreTold(t *testing.T) {
	f := newFakeAPI(t)
	f.wide = true
	p, host := f.configured(nil), &person{}
	if err := p.Login(t.Context(), provider.LoginRequest{}, host); err != nil || !strings.Contains(host.said, "whatever its user may") {
		t.Errorf("Login = %v, %q", err, host.said)
	}
	_, err := p.Check(t.Context(), provider.CheckRequest{}, func(finding provider.Finding) error {
		if finding.ID == "scopes" && finding.Severity != provider.SeverityWarn {
			t.Errorf("%+v", finding)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	f.wide = false
	quiet := &person{}
	if err := p.Login(t.Context(), provider.LoginRequest{}, quiet); err != nil || strings.Contains(quiet.said, "whatever") {
		t.Errorf("Login = %v, %q", err, quiet.said)
	}
}

// If Turso doesn't let a limited API token revoke itself, Revoke names the command that
// does.
func TestTokenThatMayNotEndItself(t *testing.T) {
	f := newFakeAPI(t)
	p, host := f.configured(nil), &surfer{}
	if err := p.Login(t.Context(), browserLogin("libsql://app-acme.turso.io"), host); err != nil {
		t.Fatal(err)
	}
	host.visits.Wait()
	for name := range f.made {
		f.fail["DELETE /v1/auth/api-tokens/"+name] = func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 401, `{"error":"api token does not have full access"}`)
		}
		err := p.Revoke(t.Context(), host.stored[0].Credential)
		if !errors.Is(err, provider.ErrPermission) || provider.Hint(err) != "turso auth api-tokens revoke "+name {
			t.Errorf("Revoke = %v (%s)", err, provider.Hint(err))
		}
	}
}

func TestIdentityClaimsNarrow(t *testing.T) {
	f := newFakeAPI(t)
	p := f.configured(nil)
	read := []provider.Permission{{Tables: []string{"notes"}, Actions: []provider.Action{"data_read"}}}
	for name, test := range map[string]struct {
		claims      provider.DatabaseClaims
		permissions []provider.Permission
		access      provider.Access
		err         string
	}{
		"ro":               {claims: provider.DatabaseClaims{Access: "ro"}, access: "ro"},
		"rw":               {claims: provider.DatabaseClaims{Access: "rw"}, access: "rw"},
		"permissions":      {claims: provider.DatabaseClaims{Access: "rw", Permissions: read}, access: "rw"},
		"this database":    {claims: provider.DatabaseClaims{Access: "rw", DatabaseID: "id-app"}, access: "rw"},
		"another database": {claims: provider.DatabaseClaims{Access: "rw", DatabaseID: "id-other"}, err: "id-other"},
		"a group":          {claims: provider.DatabaseClaims{Access: "rw", GroupID: "g"}, err: "for a group"},
		"nothing in common": {
			claims:      provider.DatabaseClaims{Access: "rw", Permissions: read},
			permissions: []provider.Permission{{Tables: []string{"users"}, Actions: []provider.Action{"data_read"}}}, err: "may do nothing",
		},
	} {
		resp, err := p.Token(t.Context(), provider.TokenRequest{
			Claims: &provider.Claims{Subject: "org_1", Database: &test.claims}, Permissions: test.permissions,
			Target: provider.Target{URL: "libsql://app-acme.turso.io"},
		})
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: Token = %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: Token = %v", name, err)
			continue
		}
		claims, err := decode(resp.Token.Value.Reveal())
		if err != nil || claims.Database.Access != test.access || len(claims.Database.Permissions) != len(test.claims.Permissions) {
			t.Errorf("%s: decode = %+v, %v", name, claims.Database, err)
		}
	}
}
