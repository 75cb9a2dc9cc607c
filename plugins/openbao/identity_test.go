package main

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

// person is a host with a person at the terminal and the browser.
type person struct {
	provider.Host // unexpected calls panic
	types         string
	browse        func(url string) error
	stored        []provider.SignIn
	refuse        error
}

func (h *person) Progress(context.Context, string) error { return nil }

func (h *person) AskSecret(context.Context, string) (provider.Secret, error) {
	return provider.NewSecret(h.types), nil
}

func (h *person) OpenURL(_ context.Context, url, _ string) error { return h.browse(url) }

func (h *person) Store(_ context.Context, result provider.SignIn) error {
	h.stored = append(h.stored, result)
	return h.refuse
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func TestLoginAlone(t *testing.T) {
	jwtFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(jwtFile, []byte("planted-jwt\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		method   string
		settings map[string]string
		types    string
		login    string // the first request
		body     string
		stores   string // of the token, or ""
	}{
		"token of the environment": {methodToken, map[string]string{keyToken: "planted-token"}, "", "GET auth/token/lookup-self", "", ""},
		"token, typed":             {methodToken, nil, " planted-token\n", "GET auth/token/lookup-self", "", "planted-token"},
		"approle":                  {methodAppRole, map[string]string{keyRoleID: "r-1", keySecretID: "planted-secret"}, "", "POST auth/approle/login", `{"role_id":"r-1","secret_id":"planted-secret"}`, "planted-made-1"},
		"kubernetes":               {methodKubernetes, map[string]string{keyJWTFile: jwtFile}, "", "POST auth/kubernetes/login", `{"jwt":"planted-jwt","role":"people"}`, "planted-made-1"},
		"at another mount":         {methodKubernetes, map[string]string{keyJWTFile: jwtFile, keyAuthMount: "auth/k8s-west"}, "", "POST auth/k8s-west/login", "", "planted-made-1"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeBao(t)
			p := f.configured(test.settings)
			host := &person{types: test.types}
			if err := p.Login(t.Context(), provider.LoginRequest{Method: test.method, Interactive: test.types != "", Target: app.Target}, host); err != nil {
				t.Fatal(err)
			}
			if got := f.paths(); got[0] != test.login || got[len(got)-1] != "GET turso/creds/app" {
				t.Errorf("requests %q", got)
			}
			if test.body != "" && f.bodies[0] != test.body {
				t.Errorf("body %s", f.bodies[0])
			}
			result := host.stored[0]
			s, err := readCredential(result.Credential)
			if err != nil || s.Token != test.stores || result.Token == nil || result.Claims.Subject != "e-1" {
				t.Fatalf("readCredential = %+v, %v, %+v", s, err, result)
			}
			// The credential can be used again; if the server forgot the token, a new
			// login is made if it needs no person.
			req := app
			req.Credential = &result.Credential
			if _, err := p.Token(t.Context(), req); err != nil {
				t.Error(err)
			}
			if test.method == methodAppRole || test.method == methodKubernetes {
				clear(f.tokens)
				if resp, err := p.Token(t.Context(), req); err != nil || resp.Credential == nil {
					t.Errorf("Token = %+v, %v", resp, err)
				}
			}
			if _, err := p.Refresh(t.Context(), result.Credential); err != nil && len(f.tokens) > 1 {
				t.Error(err)
			}
		})
	}
}

func TestLoginWithAWrappedToken(t *testing.T) {
	f := newFakeBao(t)
	f.wrapped["planted-wrapping"] = map[string]any{"auth": map[string]any{"client_token": "planted-token"}}
	host := &person{types: "planted-wrapping"}
	if err := f.configured(nil).Login(t.Context(), provider.LoginRequest{Method: methodToken, Interactive: true}, host); err != nil {
		t.Fatal(err)
	}
	if s, err := readCredential(host.stored[0].Credential); err != nil || s.Token != "planted-token" {
		t.Errorf("readCredential = %+v, %v", s, err)
	}
	host = &person{types: "planted-wrong"}
	if err := f.configured(nil).Login(t.Context(), provider.LoginRequest{Method: methodToken, Interactive: true}, host); !errors.Is(err, provider.ErrRejected) {
		t.Errorf("Login = %v", err)
	}
}

func TestLoginInTheBrowser(t *testing.T) {
	f := newFakeBao(t)
	p := f.configured(map[string]string{keyOIDCPort: freePort(t)})
	page := make(chan string, 1)
	host := &person{browse: func(address string) error {
		u, err := url.Parse(address)
		if err != nil {
			return err
		}
		go func() {
			back := u.Query().Get("redirect_uri")
			// A callback with another state doesn't end the sign-in.
			if resp, err := http.Get(back + "?state=wrong&code=c"); err == nil {
				resp.Body.Close()
			}
			resp, err := http.Get(back + "?state=" + u.Query().Get("state") + "&code=code-1")
			if err != nil {
				page <- err.Error()
				return
			}
			defer resp.Body.Close()
			page <- resp.Status
		}()
		return nil
	}}
	if err := p.Login(t.Context(), provider.LoginRequest{Interactive: true, Target: app.Target}, host); err != nil {
		t.Fatal(err)
	}
	if got := <-page; got != "200 OK" {
		t.Errorf("the page: %s", got)
	}
	var callback url.Values
	for _, request := range f.requests {
		if u, err := url.Parse(strings.Fields(request)[1]); err == nil && strings.HasSuffix(u.Path, "/oidc/callback") {
			callback = u.Query()
		}
	}
	if callback.Get("code") != "code-1" || callback.Get("state") != f.state || len(callback.Get("client_nonce")) < 20 || !strings.Contains(f.bodies[0], callback.Get("client_nonce")) {
		t.Errorf("callback %v, %s", callback, f.bodies[0])
	}
	if err := p.Login(t.Context(), provider.LoginRequest{}, host); !errors.Is(err, provider.ErrNoCredential) {
		t.Errorf("without a person: %v", err)
	}
	f.state = "short"
	if err := p.Login(t.Context(), provider.LoginRequest{Interactive: true}, host); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("with a guessable state: %v", err)
	}
}

func TestRevoke(t *testing.T) {
	f := newFakeBao(t)
	p := f.configured(map[string]string{keyRoleID: "r", keySecretID: "planted"})
	host := &person{}
	if err := p.Login(t.Context(), provider.LoginRequest{Method: methodAppRole}, host); err != nil {
		t.Fatal(err)
	}
	credential := host.stored[0].Credential
	if err := f.configured(map[string]string{keyNamespace: "other"}).Revoke(t.Context(), credential); !errors.Is(err, provider.ErrConfig) {
		t.Errorf("at another server: %v", err)
	}
	for range 2 { // the second call finds it gone
		if err := p.Revoke(t.Context(), credential); err != nil {
			t.Error(err)
		}
	}
	if f.tokens["planted-made-1"] {
		t.Error("the token is still valid after Revoke")
	}
	p = f.configured(map[string]string{keyToken: "planted-token"})
	if err := p.Login(t.Context(), provider.LoginRequest{Method: methodToken}, host); err != nil {
		t.Fatal(err)
	}
	if err := p.Revoke(t.Context(), host.stored[1].Credential); !errors.Is(err, errors.ErrUnsupported) || !f.tokens["planted-token"] {
		t.Errorf("the environment's: %v", err)
	}
	if err := p.Revoke(t.Context(), provider.Credential{Data: provider.NewSecret(`{"planted":1}`)}); !errors.Is(err, provider.ErrNoCredential) || strings.Contains(err.Error(), "planted") {
		t.Errorf("Revoke = %v", err)
	}
}

func TestVerify(t *testing.T) {
	f := newFakeBao(t)
	p := f.configured(nil)
	if c, err := p.Verify(t.Context(), provider.NewSecret("planted-token")); err != nil || c.Subject != "e-1" || c.Issuer != f.server.URL {
		t.Errorf("Verify = %+v, %v", c, err)
	}
	if _, err := p.Verify(t.Context(), provider.NewSecret("planted-wrong")); !errors.Is(err, provider.ErrTokenInvalid) {
		t.Errorf("Verify = %v", err)
	}
}

func TestCheck(t *testing.T) {
	f := newFakeBao(t)
	check := func(p *openbao) string {
		t.Helper()
		var found []string
		if _, err := p.Check(t.Context(), provider.CheckRequest{}, func(finding provider.Finding) error {
			found = append(found, finding.ID+" "+string(finding.Severity)+" "+finding.Text)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return strings.Join(found, "\n")
	}
	if got := check(f.configured(nil)); !strings.Contains(got, "is version 2.7.2") || !strings.Contains(got, "role skipped") {
		t.Errorf("check = %s", got)
	}
	with := map[string]string{keyToken: "planted-token"}
	if got := check(f.configured(with)); !strings.Contains(got, "role ok turso/creds/app may be read") {
		t.Errorf("check = %s", got)
	}
	f.fail["POST /v1/sys/capabilities-self"] = func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{"data":{"turso/creds/app":["deny"]}}`) }
	if got := check(f.configured(with)); !strings.Contains(got, "role error openbao: no policy of this sign-in") {
		t.Errorf("check = %s", got)
	}
	f.fail["GET /v1/sys/health"] = func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 503, `{"initialized":true,"sealed":true,"standby":true,"version":"2.7.2"}`)
	}
	if got := check(f.configured(with)); !strings.Contains(got, "server error") || !strings.Contains(got, "is sealed") {
		t.Errorf("check = %s", got)
	}
	f.fail["GET /v1/sys/health"] = func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{"ok":true}`) }
	if got := check(f.configured(with)); !strings.Contains(got, "neither OpenBao nor Vault") {
		t.Errorf("check = %s", got)
	}
}

func TestBadSettings(t *testing.T) {
	for key, values := range map[string][]string{
		keyAddress:    {"bao.example", "http://bao.example:8200", "https://u:planted@bao.example", "ftp://bao.example", "https://bao.example/?a=planted"},
		keyMount:      {"../sys", "a//b", "a/../b", "turso?x"},
		keyAuthMount:  {"jwt/../token"},
		keyRole:       {"", "a/b", "..", "a b"},
		keyNamespace:  {"a b"},
		keyWrapTTL:    {"soon", "1ms"},
		keyOIDCPort:   {"0", "70000"},
		keyCACert:     {"/nowhere/ca.pem"},
		keyCAPath:     {"/nowhere"},
		keyClientCert: {"/nowhere/cert.pem"},
	} {
		for _, value := range values {
			settings := provider.Settings{keyRole: provider.NewSecret("app"), keyMount: provider.NewSecret("turso")}
			settings[key] = provider.NewSecret(value)
			_, err := newProvider("test").Configure(t.Context(), settings)
			if !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "planted") {
				t.Errorf("%s %q: Configure = %v", key, value, err)
			}
		}
	}
}

// TestDirectoriesAsFiles checks that each file setting reports a directory as such, in
// the same words on all systems.
func TestDirectoriesAsFiles(t *testing.T) {
	f := newFakeBao(t)
	dir := t.TempDir()
	cert := filepath.Join(dir, "cert.pem")
	if err := os.WriteFile(cert, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for key, more := range map[string]map[string]string{
		keyCACert:     {keyCACert: dir},
		keyClientCert: {keyClientCert: dir, keyClientKey: cert},
		keyClientKey:  {keyClientCert: cert, keyClientKey: dir},
		keyJWTFile:    {keyJWTFile: dir, keyAuthRole: "people"},
	} {
		settings := provider.Settings{keyAddress: provider.NewSecret(f.server.URL), keyRole: provider.NewSecret("app"), keyMount: provider.NewSecret("turso")}
		for key, value := range more {
			settings[key] = provider.NewSecret(value)
		}
		p := newProvider("test")
		_, err := p.Configure(t.Context(), settings)
		if key == keyJWTFile && err == nil {
			err = p.Login(t.Context(), provider.LoginRequest{Method: methodKubernetes}, nil)
		}
		if !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), dir+": is a directory") {
			t.Errorf("%s: Login = %v", key, err)
		}
	}
}

// TestTransport uses certificates of a private authority, and a Unix socket.
func TestTransport(t *testing.T) {
	f := newFakeBao(t)
	secure := httptest.NewUnstartedServer(f)
	secure.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	secure.StartTLS()
	t.Cleanup(secure.Close)
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, settings := range []map[string]string{{keyCACert: ca}, {keyCAPath: dir}} {
		settings[keyAddress], settings[keyToken] = secure.URL, "planted-token"
		if _, err := f.configured(settings).Token(t.Context(), app); err != nil {
			t.Error(err)
		}
	}
	if _, err := f.configured(map[string]string{keyAddress: secure.URL, keyToken: "planted-token"}).Token(t.Context(), app); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("an unknown authority: %v", err)
	}
	socket := filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Skip(err)
	}
	local := &http.Server{Handler: f}
	done := make(chan struct{})
	go func() { defer close(done); _ = local.Serve(l) }()
	t.Cleanup(func() { local.Close(); <-done })
	if _, err := f.configured(map[string]string{keyAddress: "unix://" + socket, keyToken: "planted-token"}).Token(t.Context(), app); err != nil {
		t.Error(err)
	}
}
