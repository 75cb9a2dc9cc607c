package devstack_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/devstack/browse"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/devstack/fault"
	"github.com/zen-auth/zen/devstack/turso"
)

// query runs a statement in the stack's database and returns the status, and the
// rows or the error as text.
func query(t *testing.T, s *devstack.Stack, address, token, sql string) (int, string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"requests": []any{
		map[string]any{"type": "execute", "stmt": map[string]any{"sql": sql}}, map[string]any{"type": "close"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", address+"/v2/pipeline", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var result struct {
		Error   string
		Results []struct {
			Error    struct{ Message, Code string }
			Response struct {
				Result struct{ Rows [][]struct{ Value any } }
			}
		}
	}
	if err := json.Unmarshal(answer, &result); err != nil {
		t.Fatalf("%s: %v", answer, err)
	}
	switch {
	case len(result.Results) == 0:
		return resp.StatusCode, result.Error
	case result.Results[0].Error.Message != "":
		return resp.StatusCode, result.Results[0].Error.Code
	}
	var rows []string
	for _, row := range result.Results[0].Response.Result.Rows {
		var values []string
		for _, v := range row {
			values = append(values, fmt.Sprint(v.Value))
		}
		rows = append(rows, strings.Join(values, " "))
	}
	return resp.StatusCode, strings.Join(rows, "\n")
}

func TestOneClock(t *testing.T) {
	clock := devstack.NewClock(time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC))
	s := devstacktest.Start(t, devstack.Options{Now: clock.Now})
	token := devstacktest.Token(t, s, "alice@example.test", devstack.Template)
	if status, got := query(t, s, s.DatabaseURL(), token, "SELECT 7"); status != 200 || got != "7" {
		t.Errorf("fresh: %d %s", status, got)
	}
	clock.Advance(60*time.Second + 59*time.Second) // its lifetime and the server's leeway
	if status, got := query(t, s, s.DatabaseURL(), token, "SELECT 7"); status != 200 {
		t.Errorf("within the leeway: %d %s", status, got)
	}
	clock.Advance(2 * time.Second)
	if status, got := query(t, s, s.DatabaseURL(), token, "SELECT 7"); status != 400 || got != "JWT error: ExpiredSignature" {
		t.Errorf("expired: %d %s", status, got)
	}
	clock.Set(time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC))
	if status, got := query(t, s, s.DatabaseURL(), token, "SELECT 7"); status != 200 {
		t.Errorf("back in time: %d %s", status, got)
	}
}

// post sends a form and decodes a successful response.
func post(t *testing.T, address string, form url.Values, into any) {
	t.Helper()
	resp, err := http.PostForm(address, form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil || resp.StatusCode != 200 {
		t.Fatalf("%s: PostForm = %s %v", address, resp.Status, err)
	}
}

// A device signs in with Auth0, and a machine; an Action of each trigger sets Turso's
// claims, and Turso accepts the tokens.
func TestAuth0ToDatabase(t *testing.T) {
	s := devstacktest.Start(t, devstack.Options{})
	post := func(path string, form url.Values) (answer struct {
		DeviceCode      string `json:"device_code"`
		VerificationURI string `json:"verification_uri_complete"`
		AccessToken     string `json:"access_token"`
	}) {
		t.Helper()
		post(t, s.Auth0.BaseURL()+path, form, &answer)
		return answer
	}
	device := post("/oauth/device/code", url.Values{
		"client_id": {auth0.DefaultClientID}, "audience": {auth0.DefaultAudience}, "scope": {"openid"},
	})
	if err := browse.Visit(t.Context(), browse.Person{User: "alice"}, device.VerificationURI, t.Output()); err != nil {
		t.Fatal(err)
	}
	tokens := post("/oauth/token", url.Values{
		"client_id": {auth0.DefaultClientID}, "device_code": {device.DeviceCode}, "grant_type": {auth0.GrantDevice},
	})
	machine := post("/oauth/token", url.Values{
		"client_id": {auth0.DefaultMachineClientID}, "client_secret": {auth0.DefaultMachineSecret}, "audience": {auth0.DefaultAudience},
		"grant_type": {auth0.GrantCredentials},
	})
	for _, token := range []string{tokens.AccessToken, machine.AccessToken} {
		if status, got := query(t, s, s.DatabaseURL(), token, "SELECT 7"); status != 200 || got != "7" {
			t.Errorf("query = %d %s", status, got)
		}
	}
}

// A directory keeps the address, keys, users, rows and changes of the registrations for
// the next run.
func TestDir(t *testing.T) {
	dir := t.TempDir()
	start := func(o devstack.Options) *devstack.Stack {
		t.Helper()
		o.Dir = dir
		s, err := devstack.Start(o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	type facts struct{ URL, Auth0, Key, User, Database string }
	look := func(s *devstack.Stack) facts {
		return facts{s.URL(), s.Auth0.BaseURL(), s.Clerk.Keys()[0].ID, s.Clerk.UserID("alice@example.test"), s.DatabaseID()}
	}
	first := start(devstack.Options{})
	want := look(first)
	token := devstacktest.Token(t, first, "alice@example.test", devstack.Template)
	query(t, first, first.DatabaseURL(), token, "CREATE TABLE t (a)")
	query(t, first, first.DatabaseURL(), token, "INSERT INTO t VALUES ('kept')")
	if _, err := devstack.Start(devstack.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another stack is using it") {
		t.Errorf("a second stack in the directory: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	second := start(devstack.Options{})
	if diff := cmp.Diff(want, look(second)); diff != "" {
		t.Errorf("the second run differs (-first +second):\n%s", diff)
	}
	if status, got := query(t, second, second.DatabaseURL(), token, "SELECT a FROM t"); got != "kept" {
		t.Errorf("with the first run's token: %d %s", status, got)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}

	taken, err := net.Listen("tcp", strings.TrimPrefix(want.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := devstack.Start(devstack.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "the address of the last run") {
		t.Errorf("the port is taken: %v", err)
	}
	third := start(devstack.Options{Address: "127.0.0.1:0"})
	defer third.Close()
	if third.URL() == want.URL {
		t.Error("the address was not moved")
	}
	want2 := []turso.Registration{{Name: "auth0", URL: third.Auth0.BaseURL() + "/.well-known/jwks.json"}, {Name: "clerk", URL: third.URL() + "/.well-known/jwks.json"}}
	if diff := cmp.Diff(want2, third.Turso.Organizations()[0].Registrations); diff != "" {
		t.Errorf("the registrations did not move (-want +got):\n%s", diff)
	}
	fresh := devstacktest.Token(t, third, "alice@example.test", devstack.Template)
	if status, got := query(t, third, third.DatabaseURL(), fresh, "SELECT a FROM t"); got != "kept" {
		t.Errorf("at another port: %d %s", status, got)
	}
}

func TestKeptSecretKey(t *testing.T) {
	for production, prefix := range map[bool]string{false: "sk_test_", true: "sk_live_"} {
		seed, dir := devstack.DefaultSeed(), t.TempDir()
		seed.Clerk.Production = production
		var keys []string
		for range 2 {
			s, err := devstack.Start(devstack.Options{Seed: seed, Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, s.Clerk.SecretKey()+" of "+s.Clerk.ID())
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if !strings.HasPrefix(keys[0], prefix) || keys[0] != keys[1] {
			t.Errorf("production %v: the keys are %s", production, keys)
		}
	}
}

func TestFaultsFromTheStart(t *testing.T) {
	s := devstacktest.Start(t, devstack.Options{Faults: []string{fault.JWKSStuck}})
	token := devstacktest.Token(t, s, "alice@example.test", devstack.Template)
	if status, got := query(t, s, s.DatabaseURL(), token, "SELECT 1"); status != 401 {
		t.Errorf("query = %d %s, want a refusal", status, got)
	}
	admin := devstack.Admin{URL: s.URL()}
	if _, err := admin.Switch(t.Context(), fault.JWKSStuck, false); err != nil {
		t.Fatal(err)
	}
	if status, got := query(t, s, s.DatabaseURL(), token, "SELECT 1"); status != 200 {
		t.Errorf("query = %d %s, want rows", status, got)
	}
	if _, err := devstack.Start(devstack.Options{Faults: []string{"nope"}}); err == nil || !strings.Contains(err.Error(), "nope") {
		t.Errorf("an unknown fault: %v", err)
	}
}

func TestEveryFaultIsExplained(t *testing.T) {
	for _, f := range devstack.Faults() {
		if f.Summary == "" || strings.ContainsAny(f.Summary, "\n") || strings.HasSuffix(f.Summary, ".") {
			t.Errorf("%s: %q, want a line", f.Name, f.Summary)
		}
	}
}

func TestAdminIsForLoopback(t *testing.T) {
	s := devstacktest.Start(t, devstack.Options{})
	req, err := http.NewRequest("PUT", s.URL()+"/_zen/faults", strings.NewReader(`{"name":"jwks-stuck","on":true}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "rebound.test"
	req.Header.Set("Zen-Dev", "1")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMisdirectedRequest || s.Faults.On(fault.JWKSStuck) {
		t.Errorf("answer %s, and the fault is %v", resp.Status, s.Faults.On(fault.JWKSStuck))
	}
}

// The page shows refused requests and issued tokens, but no usable secret.
func TestPageHasNoSecrets(t *testing.T) {
	s := devstacktest.Start(t, devstack.Options{Now: devstack.NewClock(time.Now().Truncate(time.Second)).Now})
	send := func(method, path, authorization string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+authorization)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	minted := send("POST", "/v1/organizations/acme/databases/app/auth/tokens?expiration=1h", s.APIToken())
	var answer struct{ JWT string }
	if err := json.Unmarshal([]byte(minted), &answer); err != nil {
		t.Fatal(err)
	}
	query(t, s, s.DatabaseURL(), answer.JWT, "SELECT 1")
	query(t, s, s.DatabaseURL(), answer.JWT+"x", "SELECT 1")
	send("GET", "/clerk-backend/v1/users?secret="+s.Clerk.SecretKey(), s.Clerk.SecretKey())
	send("GET", "/v1/client/"+answer.JWT+"?token="+answer.JWT, answer.JWT)

	page := send("GET", "/", "")
	secrets := map[string]string{
		"API token": s.APIToken(), "secret key": s.Clerk.SecretKey(), "token": answer.JWT,
		"payload": strings.Split(answer.JWT, ".")[1], "signature": strings.Split(answer.JWT, ".")[2], "password": "dev-password",
	}
	for name, secret := range secrets {
		if strings.Contains(page, secret) {
			t.Errorf("the %s is on the page", name)
		}
	}
	for _, want := range []string{"database app, rw", "expires in 60 min", "expiration=…", "secret key", "refused"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
}

func TestBadAddresses(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "192.0.2.1:80", "localhost", "4000", ":4000"} {
		if s, err := devstack.Start(devstack.Options{Address: address}); err == nil || !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%s: Start = %v", address, err)
			if s != nil {
				s.Close()
			}
		}
	}
}
