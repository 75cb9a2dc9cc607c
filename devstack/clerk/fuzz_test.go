package clerk

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzBackend checks that no body crashes an endpoint of the Backend API.
func FuzzBackend(f *testing.F) {
	for _, body := range []string{
		`{"name":"x y","claims":{"a":"{{user.id}}"},"subject":"user_1","secret":"ak_x"}`, `{"user_id":1}`, `{"email_address":["a@b.test"],"public_metadata":null}`,
		`{"email_address":"a@b.test","role":"org:admin","expires_in_days":1e9}`, `{"claims":null}`, `[]`, `{`, ``, `{"lifetime":1e300}`, `{"name":null}`,
	} {
		f.Add(body)
	}
	inst, err := New(Options{BaseURL: testBase, Key: testKey(), SecretKey: "sk_test_secret"})
	if err != nil {
		f.Fatal(err)
	}
	_, machineKey := inst.AddMachine(Machine{})
	alice := inst.UserID("alice@example.test")
	session, err := inst.CreateSession(alice, "")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for pattern := range backendHandlers {
			method, path, _ := strings.Cut(pattern, " ")
			if method == http.MethodGet || method == http.MethodDelete || strings.HasSuffix(path, "/revoke") {
				continue
			}
			path = strings.NewReplacer("{organization}", "acme", "{user}", alice, "/sessions/{id}", "/sessions/"+session,
				"/users/{id}", "/users/"+alice, "{template}", "turso").Replace(path)
			req := httptest.NewRequest(method, BackendPrefix+path, strings.NewReader(body))
			req.Header.Set("Authorization", "Bearer sk_test_secret")
			if pattern == "POST /m2m_tokens" {
				req.Header.Set("Authorization", "Bearer "+machineKey)
			}
			w := httptest.NewRecorder()
			inst.Handler().ServeHTTP(w, req)
			if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s: answer %d %s", pattern, w.Code, w.Body)
			}
		}
	})
}

// FuzzOAuth checks that no form crashes an OAuth endpoint or gets tokens.
func FuzzOAuth(f *testing.F) {
	for _, body := range []string{
		"grant_type=authorization_code&client_id=" + DefaultOAuthClientID + "&code=x", "grant_type=refresh_token&client_id=x", "%zz", "",
		"client_id=" + DefaultOAuthClientID + "&token=a.b.c&response_type=code&redirect_uri=http://127.0.0.1:1/callback&state=x",
	} {
		f.Add(body)
	}
	inst, err := New(Options{BaseURL: testBase, Key: testKey(), DeviceGrant: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for _, path := range []string{
			"/oauth/token", "/oauth/token_info", "/oauth/token/revoke", "/oauth/device_authorization", "/oauth/authorize", portalSignIn, portalConsent, portalDevice,
		} {
			req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			inst.Handler().ServeHTTP(w, req)
			if w.Code >= 500 || strings.Contains(w.Body.String(), "access_token") {
				t.Errorf("%s: answer %d %s", path, w.Code, w.Body)
			}
		}
	})
}

// FuzzRestore checks that a state that can't be restored leaves the instance unchanged.
func FuzzRestore(f *testing.F) {
	f.Add(`{"Version":1}`)
	f.Add(`{"Version":1,"Keys":[{"ID":"x","Private":"AAAA"}]}`)
	f.Add(`{"Version":1,"Users":[{"ID":"u","Joined":[{"Organization":"x"}]}]}`)
	inst, err := New(Options{BaseURL: testBase, Key: testKey()})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, state string) {
		if err := inst.Restore(strings.NewReader(state)); err == nil {
			t.Skip("a valid state")
		}
		if inst.UserID("alice@example.test") == "" {
			t.Error("Alice is gone")
		}
	})
}
