package app_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/app"
	"github.com/zen-auth/zen/devstack/clerk"
)

const tursoTemplate = `{"id":"7e2a","a":"rw","perm":[],"org":"{{org.slug}}"}`

// One key for all tests: making one takes longer than a test.
var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// testClock is a clock that tests move.
type testClock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *testClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// stack is a Clerk instance and the app on one server, as zen dev has them.
type stack struct {
	*httptest.Server
	clerk *clerk.Instance
	clock *testClock
	codes chan string
	fault atomic.Value // name of the active fault
}

func newStack(t *testing.T) *stack {
	t.Helper()
	s := &stack{clock: &testClock{}, codes: make(chan string, 8)}
	mux := http.NewServeMux()
	s.Server = httptest.NewUnstartedServer(mux)
	base := "http://" + s.Listener.Addr().String()
	var err error
	s.clerk, err = clerk.New(clerk.Options{
		BaseURL: base, Now: s.clock.Now, Key: testKey(),
		Templates: []clerk.Template{{Name: "turso", Claims: json.RawMessage(tursoTemplate), Lifetime: 10 * time.Minute}},
		SendCode:  func(_, code string) { s.codes <- code },
		Fault:     func(name string) bool { return s.fault.Load() == name },
	})
	if err != nil {
		t.Fatal(err)
	}
	customer, err := app.New(app.Options{
		FrontendAPI: s.clerk.Issuer(), BackendAPI: s.clerk.BackendURL(), SecretKey: s.clerk.SecretKey(), Now: s.clock.Now,
		Logger: slog.New(slog.DiscardHandler),
		Accounts: []app.Account{
			{Name: "Alice", Email: "alice@example.test", Password: "alice-dev-password"},
			{Name: "Bob", Email: "bob@example.test", Password: "bob-dev-password"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range clerk.Patterns() {
		mux.Handle(pattern, s.clerk.Handler())
	}
	mux.Handle(app.Pattern, customer.Handler())
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// terminal is the loopback server of a waiting command-line program.
type terminal struct {
	*httptest.Server
	state    string
	received chan url.Values
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	term := &terminal{state: rand.Text(), received: make(chan url.Values, 4)}
	term.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/callback" || r.URL.Query().Get("state") != term.state {
			http.Error(w, "not for me", http.StatusBadRequest)
			return
		}
		term.received <- r.URL.Query()
		w.Write([]byte("<title>You can close this page</title>"))
	}))
	t.Cleanup(term.Close)
	return term
}

// bridge returns the address that the terminal opens.
func (s *stack) bridge(term *terminal, more ...string) string {
	query := url.Values{
		"redirect_uri": {term.URL + "/callback"}, "state": {term.state}, "code": {"WXYZ-2345"}, "client": {"zen"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	return s.URL + app.BridgePath + "?" + query.Encode()
}

// exchange exchanges a ticket as a native client does.
func (s *stack) exchange(t *testing.T, ticket string) (status int, code, clientJWT, sessionID string) {
	t.Helper()
	status, header, body := s.native(t, "/v1/client/sign_ins", "", url.Values{"strategy": {"ticket"}, "ticket": {ticket}})
	var answer struct {
		Response struct {
			CreatedSessionID string `json:"created_session_id"`
		} `json:"response"`
		Errors []struct {
			Code string `json:"code"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Errors) > 0 {
		code = answer.Errors[0].Code
	}
	return status, code, header.Get("Authorization"), answer.Response.CreatedSessionID
}

func (s *stack) native(t *testing.T, path, clientJWT string, form url.Values) (int, http.Header, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.URL+path+"?_is_native=1", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", clientJWT)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var raw json.RawMessage
	if err := json.NewDecoder(resp.Body).Decode(&raw); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, raw
}
