package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/zen-auth/zen/core/provider"
)

// person is a host with a person at the terminal.
type person struct {
	provider.Host // unexpected calls panic
	types         string
	asked         int
	stored        []provider.SignIn
	refuse        error
	said          string
}

func (h *person) Progress(_ context.Context, text string) error { h.said += text + "\n"; return nil }

func (h *person) AskSecret(_ context.Context, question string) (provider.Secret, error) {
	h.asked++
	h.said += question + "\n"
	if h.types == "" {
		return provider.Secret{}, provider.ErrNoCredential
	}
	return provider.NewSecret(h.types), nil
}

func (h *person) Store(_ context.Context, result provider.SignIn) error {
	h.stored = append(h.stored, result)
	return h.refuse
}

func TestLogin(t *testing.T) {
	app := provider.Target{URL: "libsql://app-acme.turso.io"}
	tests := map[string]struct {
		settings map[string]string
		req      provider.LoginRequest
		types    string
		data     string
		asked    int
	}{
		"from the environment":     {nil, provider.LoginRequest{Target: app}, "", `{"source":"env"}`, 0},
		"typed at the prompt":      {map[string]string{keyAPIToken: ""}, provider.LoginRequest{Method: "api-token", Interactive: true, Target: app}, " " + plantedToken + "\n", `{"source":"typed","api_token":"` + plantedToken + `"}`, 1},
		"for another organization": {map[string]string{keyOrganization: "alice"}, provider.LoginRequest{Organization: "acme", Target: app}, "", `{"source":"env","organization":"acme"}`, 0},
		"without a database":       {nil, provider.LoginRequest{Interactive: true}, "", `{"source":"env"}`, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFakeAPI(t)
			f.exp = time.Now().Add(time.Hour).Unix()
			host := &person{types: test.types}
			p := f.configured(test.settings)
			if err := p.Login(t.Context(), test.req, host); err != nil {
				t.Fatal(err)
			}
			if len(host.stored) != 1 || host.asked != test.asked {
				t.Fatalf("stored %d times, asked %d times", len(host.stored), host.asked)
			}
			got := host.stored[0]
			if got.Credential.Data.Reveal() != test.data {
				t.Errorf("credential %s", got.Credential.Data.Reveal())
			}
			want := provider.Claims{Issuer: f.server.URL, Subject: "alice", Expires: time.Unix(f.exp, 0)}
			if diff := cmp.Diff(want, got.Claims); diff != "" || got.Credential.Subject != "alice" || !got.Credential.Expires.Equal(want.Expires) {
				t.Errorf("%s%+v", diff, got.Credential)
			}
			if (got.Token != nil) != (test.req.Target.URL != "") {
				t.Errorf("token %v", got.Token)
			}
			// The stored credential is enough for later calls.
			resp, err := p.Token(t.Context(), provider.TokenRequest{Credential: &got.Credential, Target: app})
			if err != nil || resp.Credential != nil {
				t.Error(resp.Credential, err)
			}
			f.exp = -1
			renewed, err := p.Refresh(t.Context(), got.Credential)
			if err != nil || !renewed.Expires.IsZero() || !renewed.Data.Equal(got.Credential.Data) {
				t.Errorf("refresh: %+v, %v", renewed, err)
			}
			if err := p.Revoke(t.Context(), got.Credential); !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("revoke: %v", err)
			}
			if text := host.said + fmt.Sprintf("%+v %#v", got, got) + mustJSON(t, got); strings.Contains(text, "planted") {
				t.Errorf("the secret was shown: %s", text)
			}
		})
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestLoginErrors(t *testing.T) {
	database := fakeJWT(`{"alg":"EdDSA"}`, map[string]any{"a": "rw", "id": "planted", "rid": "planted-role"})
	refused := errors.New("disk full")
	noToken := map[string]string{keyAPIToken: ""}
	ask := provider.LoginRequest{Interactive: true}
	tests := map[string]struct {
		settings map[string]string
		req      provider.LoginRequest
		host     person
		fail     string
		kind     error
		text     string
		hint     string
	}{
		"nobody to ask":             {settings: noToken, kind: provider.ErrNoCredential, text: "no one to ask", hint: "set ZEN_PLATFORMTOKEN__API_TOKEN or TURSO_API_TOKEN"},
		"nothing typed":             {settings: noToken, req: ask, host: person{types: " "}, kind: provider.ErrNoCredential, text: "no API token was given"},
		"wrong token typed":         {settings: noToken, req: ask, host: person{types: "planted-but-wrong"}, kind: provider.ErrRejected, text: "invalid api token (status 401)", hint: "then zen login --provider platformtoken"},
		"secret key typed":          {settings: noToken, req: ask, host: person{types: "sk_live_planted"}, kind: provider.ErrConfig, text: "what was typed is a Clerk secret key", hint: "turso auth api-tokens mint"},
		"publishable key typed":     {settings: noToken, req: ask, host: person{types: "pk_live_planted"}, kind: provider.ErrConfig, text: "what was typed is a publishable key"},
		"database token typed":      {settings: noToken, req: ask, host: person{types: database}, kind: provider.ErrConfig, text: "what was typed is a token for a database or a group"},
		"two lines typed":           {settings: noToken, req: ask, host: person{types: "planted\nplanted"}, kind: provider.ErrConfig, text: "has a character that no token has"},
		"wrong token in the env":    {settings: map[string]string{keyAPIToken: "planted-but-wrong"}, kind: provider.ErrRejected, text: "invalid api token", hint: "then set ZEN_PLATFORMTOKEN__API_TOKEN or TURSO_API_TOKEN"},
		"unknown method":            {req: provider.LoginRequest{Method: "device"}, kind: provider.ErrConfig, text: `no method "device"`, hint: "api-token"},
		"database of somebody else": {req: provider.LoginRequest{Target: provider.Target{URL: "libsql://x-evil.turso.io"}}, kind: provider.ErrConfig, text: "no database x-evil.turso.io in the organization acme"},
		"API down":                  {fail: "GET /v1/current-user", kind: provider.ErrUnavailable, text: "get the current user: bad gateway (status 502)"},
		"host can't store":          {host: person{refuse: refused}, text: "disk full"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFakeAPI(t)
			if test.fail != "" {
				f.fail[test.fail] = func(w http.ResponseWriter, _ *http.Request) { reply(w, 502, "planted") }
			}
			err := f.configured(test.settings).Login(t.Context(), test.req, &test.host)
			if err == nil || provider.Kind(err) != test.kind || !strings.Contains(err.Error(), test.text) || !strings.Contains(provider.Hint(err), test.hint) {
				t.Errorf("error %v (%v), hint %q", err, provider.Kind(err), provider.Hint(err))
			}
			if len(test.host.stored) > 0 && test.host.refuse == nil {
				t.Error("something was stored")
			}
			if strings.Contains(fmt.Sprint(err, provider.Hint(err), test.host.said), "planted") {
				t.Errorf("the secret is in %v", err)
			}
		})
	}
}

func TestCredentials(t *testing.T) {
	f := newFakeAPI(t)
	p := f.configured(map[string]string{keyAPIToken: ""})
	for _, data := range []string{"", "planted", "{}", `{"source":"typed"}`, `{"source":"env","api_token":"planted"}`, `{"source":"file","api_token":"planted"}`} {
		credential := provider.Credential{Data: provider.NewSecret(data)}
		_, tokenErr := p.Token(t.Context(), provider.TokenRequest{Credential: &credential})
		_, refreshErr := p.Refresh(t.Context(), credential)
		for _, err := range []error{tokenErr, refreshErr, p.Revoke(t.Context(), credential)} {
			if !errors.Is(err, provider.ErrNoCredential) || strings.Contains(err.Error(), "planted") {
				t.Errorf("%q: %v", data, err)
			}
		}
	}
	gone := provider.Credential{Data: provider.NewSecret(`{"source":"env"}`)}
	if _, err := p.Refresh(t.Context(), gone); !errors.Is(err, provider.ErrNoCredential) || !strings.Contains(err.Error(), "which is not set now") {
		t.Error(err)
	}
	if requests := f.takeRequests(); len(requests) > 0 {
		t.Errorf("requests %v", requests)
	}
	// The environment takes precedence over what is stored.
	stored := provider.Credential{Data: provider.NewSecret(`{"source":"typed","api_token":"old"}`)}
	if _, err := f.configured(nil).Refresh(t.Context(), stored); err != nil {
		t.Error(err)
	}
}

func TestVerify(t *testing.T) {
	f := newFakeAPI(t)
	p := f.configured(map[string]string{keyAPIToken: ""})
	claims, err := p.Verify(t.Context(), provider.NewSecret(plantedToken))
	if err != nil || claims.Subject != "alice" || !claims.Expires.IsZero() {
		t.Errorf("Verify = %+v, %v", claims, err)
	}
	for token, kind := range map[string]error{
		"planted-but-wrong": provider.ErrRejected,
		"":                  provider.ErrTokenInvalid,
		fakeJWT(`{"alg":"EdDSA"}`, map[string]any{"gid": "planted"}): provider.ErrTokenInvalid,
	} {
		if _, err := p.Verify(t.Context(), provider.NewSecret(token)); !errors.Is(err, kind) {
			t.Errorf("%q: Verify = %v", token, err)
		}
	}
}

// An API token of a group may be refused the user endpoints.
func TestLimitedAPIToken(t *testing.T) {
	f := newFakeAPI(t)
	forbidden := func(w http.ResponseWriter, _ *http.Request) { reply(w, 403, `{"error":"missing scope"}`) }
	f.fail["GET /v1/current-user"], f.fail["GET /v2/organizations"] = forbidden, forbidden
	p, host := f.configured(nil), &person{}
	if err := p.Login(t.Context(), provider.LoginRequest{Target: provider.Target{URL: "libsql://app-acme.turso.io"}}, host); err != nil {
		t.Fatal(err)
	}
	if got := host.stored[0]; got.Token == nil || got.Credential.Subject != "an API token" {
		t.Errorf("%+v", got)
	}
	worst := map[string]provider.Severity{}
	_, err := p.Check(t.Context(), provider.CheckRequest{}, func(finding provider.Finding) error { worst[finding.ID] = finding.Severity; return nil })
	want := map[string]provider.Severity{"api": "ok", "api-token": "ok", "scopes": "ok", "organization": "warn", "databases": "ok"}
	if diff := cmp.Diff(want, worst); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestConfigureErrors(t *testing.T) {
	for name, settings := range map[string]map[string]string{
		"platformtoken: token_lifetime is not a duration of at least 1m0s": {keyTokenLifetime: "30s"},
		"api_token, from the environment, is a Clerk secret key":           {keyAPIToken: "sk_test_planted", keyTokenLifetime: "1h"},
		"platformtoken: api_url: turso: the API's base URL is http://":     {keyAPIURL: "http://api.turso.tech", keyTokenLifetime: "1h"},
	} {
		values := provider.Settings{}
		for key, value := range settings {
			values[key] = provider.NewSecret(value)
		}
		_, err := new(platform).Configure(t.Context(), values)
		if !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "planted") {
			t.Errorf("error %v, want %q", err, name)
		}
	}
}

func TestCheck(t *testing.T) {
	down := func(w http.ResponseWriter, _ *http.Request) { reply(w, 502, "planted") }
	forbidden := func(w http.ResponseWriter, _ *http.Request) { reply(w, 403, `{"error":"missing scope"}`) }
	tests := map[string]struct {
		settings map[string]string
		exp      int64
		fail     map[string]http.HandlerFunc
		want     []string
	}{
		"all well": {exp: -1, want: []string{
			"api ok URL answers", "api-token ok of alice, without an end", "scopes ok ", "organization ok the organization acme", "databases ok can be listed",
		}},
		"expires soon, personal": {exp: time.Now().Add(time.Hour).Unix(), settings: map[string]string{keyOrganization: ""}, want: []string{
			"api ok URL answers", "api-token warn of alice, valid until ", "scopes ok ", "organization ok the personal organization", "databases ok can be listed",
		}},
		"no token":             {settings: map[string]string{keyAPIToken: ""}, want: []string{"api-token skipped there is no API token"}},
		"bad token":            {settings: map[string]string{keyAPIToken: "planted-bad"}, want: []string{"api ok URL answers", "api-token error platformtoken: turso: validate the API token: invalid api token"}},
		"the API is down":      {fail: map[string]http.HandlerFunc{"GET /v1/auth/validate": down}, want: []string{"api error platformtoken: turso: validate the API token: bad gateway"}},
		"another organization": {exp: -1, settings: map[string]string{keyOrganization: "evil"}, want: []string{"api ok URL answers", "api-token ok ", "scopes ok ", "organization error the API token's user is in no organization evil"}},
		"no scope": {exp: -1, fail: map[string]http.HandlerFunc{"GET /v1/organizations/acme/databases": forbidden}, want: []string{
			"api ok URL answers", "api-token ok ", "scopes ok ", "organization ok ", "databases error platformtoken: turso: list databases: missing scope",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFakeAPI(t)
			f.exp, f.fail = test.exp, test.fail
			var got []string
			_, err := f.configured(test.settings).Check(t.Context(), provider.CheckRequest{}, func(finding provider.Finding) error {
				got = append(got, fmt.Sprintf("%s %s %s", finding.ID, finding.Severity, strings.ReplaceAll(finding.Text, f.server.URL, "URL")))
				if strings.Contains(finding.Text+finding.Hint, "planted") {
					t.Errorf("the secret is in %+v", finding)
				}
				return nil
			})
			if err != nil || len(got) != len(test.want) {
				t.Fatalf("Check = %v, %q", err, got)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], test.want[i]) {
					t.Errorf("finding %q, want %q", got[i], test.want[i])
				}
			}
		})
	}
	stop := errors.New("stop")
	if _, err := newFakeAPI(t).configured(nil).Check(t.Context(), provider.CheckRequest{}, func(provider.Finding) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
}
