package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/devstack/browse"
)

const (
	testDatabase = "33057661-834e-4891-9b48-802d425d02b9"
	testAudience = "https://db.example.test"
	testClient   = "nativeClient1"
	testTeams    = "nativeClient2"
	testMachine  = "machineClient1"
	testSigner   = "machineClient2"
	testSecret   = "planted-machine-secret"
)

var target = provider.Target{URL: "libsql://app-acme.turso.io", DatabaseID: testDatabase}

// testKeys are the same for all tenants of this binary: making one takes longer than a
// test.
var testKeys = sync.OnceValue(func() []*rsa.PrivateKey {
	var keys []*rsa.PrivateKey
	for range 3 {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys = append(keys, key)
	}
	return keys
})

// bench is a tenant of the local stack, and the provider's settings for it.
type bench struct {
	*auth0.Tenant
	t        *testing.T
	url      string
	settings map[string]string

	mu sync.Mutex
	// mu guards the fields that the tenant reads on each request.
	faults map[string]bool
	asked  map[string]int // requests by path
	skew   time.Duration
}

func (b *bench) fault(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.faults[name]
}

// with switches faults of the tenant on, until the test ends or it is called again.
func (b *bench) with(faults ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = map[string]bool{}
	for _, name := range faults {
		b.faults[name] = true
	}
}

func (b *bench) requests(path string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked[path]
}

// tursoClaims is an Action as the setup prints it: read-only if the scope is missing.
func tursoClaims(set func(name string, value any), scopes []string) {
	access := "ro"
	for _, scope := range scopes {
		if scope == "db:write" {
			access = "rw"
		}
	}
	for name, value := range map[string]any{"id": testDatabase, "a": access, "perm": []any{}, "rid": "rid-1"} {
		set(name, value)
	}
}

func newBench(t *testing.T, change ...func(*auth0.Options)) *bench {
	t.Helper()
	ports := freePorts(t, 2)
	var callbacks []string
	for _, port := range ports {
		callbacks = append(callbacks, "http://127.0.0.1:"+strconv.Itoa(port)+"/callback")
	}
	b := &bench{t: t, asked: map[string]int{}, settings: map[string]string{
		keyClientID: testClient, keyMachineClientID: testMachine, keyAudience: testAudience, keyWriteScope: "db:write",
		keyPorts: fmt.Sprintf("%d,%d", ports[0], ports[1]),
	}}
	server := httptest.NewUnstartedServer(nil)
	b.url = "http://" + server.Listener.Addr().String()
	b.settings[keyDomain] = server.Listener.Addr().String()
	opts := auth0.Options{
		BaseURL: b.url, Keys: testKeys()[:2], Fault: b.fault,
		Action:        func(l *auth0.Login) { tursoClaims(l.SetAccessTokenClaim, l.Scopes) },
		MachineAction: func(e *auth0.Exchange) { tursoClaims(e.SetAccessTokenClaim, e.Scopes) },
		Applications: []auth0.Application{
			{ClientID: testClient, Name: "zen", Callbacks: callbacks},
			{ClientID: testTeams, Name: "zen for teams", Callbacks: callbacks, Organizations: auth0.OrganizationsRequire},
			{ClientID: testMachine, Secret: testSecret, Grants: []auth0.ClientGrant{{Audience: testAudience, Scopes: []string{"db:write"}, Organizations: auth0.OrganizationsAllow}}},
			{
				ClientID: testSigner, Keys: []auth0.AssertionKey{{ID: "k1", Algorithm: "PS256", Public: &testKeys()[2].PublicKey}},
				Grants: []auth0.ClientGrant{{Audience: testAudience, Scopes: []string{"db:write"}}},
			},
		},
		APIs: []auth0.API{{Identifier: testAudience, Scopes: []string{"db:write"}, TokenLifetime: time.Hour}},
	}
	for _, f := range change {
		f(&opts)
	}
	var err error
	if b.Tenant, err = auth0.New(opts); err != nil {
		t.Fatal(err)
	}
	handler := b.Handler()
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.asked[r.URL.Path]++
		b.mu.Unlock()
		handler.ServeHTTP(w, r)
	})
	server.Start()
	t.Cleanup(server.Close)
	return b
}

func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// values returns the settings with some changes, as pairs.
func (b *bench) values(changes ...string) provider.Settings {
	all := maps.Clone(b.settings)
	for i := 0; i < len(changes); i += 2 {
		all[changes[i]] = changes[i+1]
	}
	values := provider.Settings{}
	for key, value := range all {
		values[key] = provider.NewSecret(value)
	}
	return values
}

// provider returns a provider configured with the bench's settings and some changes.
func (b *bench) provider(changes ...string) *auth0Provider {
	b.t.Helper()
	p := newProvider("test")
	p.now = func() time.Time {
		b.mu.Lock()
		defer b.mu.Unlock()
		return time.Now().Add(b.skew)
	}
	if _, err := p.Configure(b.t.Context(), b.values(changes...)); err != nil {
		b.t.Fatal(err)
	}
	return p
}

// host is zen, with a person at a browser.
type host struct {
	t    *testing.T
	user string
	// secret is the answer to a prompt for one.
	secret provider.Secret
	store  func(provider.SignIn) error
	// after is called when the browser has ended, unless it is nil.
	after func()

	mu     sync.Mutex
	told   []string
	opened []string
	ended  string // where the browser ended
	stored []provider.SignIn
	visits sync.WaitGroup
}

func (h *host) say(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told = append(h.told, text)
}

func (h *host) heard() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.told, "\n")
}

func (h *host) OpenURL(ctx context.Context, address, _ string) error {
	h.mu.Lock()
	h.opened = append(h.opened, address)
	h.mu.Unlock()
	if h.user == "" {
		return nil
	}
	err := ctx.Err()
	h.visits.Go(func() {
		if h.after != nil {
			defer h.after()
		}
		b := browse.Browser{Person: browse.Person{User: h.user}}
		ended, err := b.Visit(h.t.Context(), address)
		h.mu.Lock()
		defer h.mu.Unlock()
		switch {
		case err != nil:
			h.ended = err.Error()
		default:
			h.ended = ended.String()
		}
	})
	return err
}

func (h *host) ShowCode(_ context.Context, code, address string, _ time.Time) error {
	h.say("type " + code + " at " + address)
	return nil
}

func (h *host) Progress(_ context.Context, text string) error { h.say(text); return nil }

func (h *host) Ask(context.Context, string) (string, error) { return "", provider.ErrNoCredential }

func (h *host) AskSecret(_ context.Context, question string) (provider.Secret, error) {
	if h.secret.IsZero() {
		return provider.Secret{}, provider.ErrNoCredential
	}
	h.say(question)
	return h.secret, nil
}

func (h *host) Store(_ context.Context, result provider.SignIn) error {
	if h.store != nil {
		if err := h.store(result); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stored = append(h.stored, result)
	return nil
}

func request(method string) provider.LoginRequest {
	return provider.LoginRequest{Method: method, Interactive: true, Target: target, Access: provider.AccessReadWrite}
}

// login signs alice in and returns what was stored.
func (b *bench) login(p *auth0Provider, req provider.LoginRequest) (provider.SignIn, *host) {
	b.t.Helper()
	h := &host{t: b.t, user: "alice"}
	err := p.Login(b.t.Context(), req, h)
	h.visits.Wait()
	if err != nil {
		b.t.Fatalf("sign in: %v (hint: %s); the browser ended at %s", err, provider.Hint(err), h.ended)
	}
	if len(h.stored) != 1 {
		b.t.Fatalf("stored %d times", len(h.stored))
	}
	return h.stored[0], h
}

// fails checks that err has a class, and words in its text or hint.
func fails(t *testing.T, what string, err, kind error, words ...string) {
	t.Helper()
	all := fmt.Sprint(err) + " / " + provider.Hint(err)
	for _, word := range words {
		if !strings.Contains(all, word) {
			t.Errorf("%s: %s\nwant %q in it", what, all, word)
		}
	}
	if !errors.Is(err, kind) {
		t.Errorf("%s: %s\nwant %v", what, all, kind)
	}
	if strings.Contains(all, "planted") || strings.Contains(all, "eyJ") || strings.Contains(all, "v1.") {
		t.Errorf("%s: %s contains a secret", what, all)
	}
}
