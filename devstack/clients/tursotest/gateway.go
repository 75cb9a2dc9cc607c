package tursotest

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql/gateway"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/transport"
	"github.com/zen-auth/zen/devstack/turso"
)

// Rotating is a session whose token is another one all the time.
type Rotating struct {
	t     testing.TB
	stack *Stack
	every time.Duration

	mu     sync.Mutex // guards the fields below
	token  provider.Token
	minted time.Time
	count  int
}

// Gateway starts a gateway to the database app, which ends with the test and whose
// token is a new one after each interval.
func (s *Stack) Gateway(t testing.TB, every time.Duration) (*gateway.Server, *Rotating) {
	t.Helper()
	address, err := url.Parse(s.URL + "/dbs/app")
	must(t, err)
	source := &Rotating{t: t, stack: s, every: every}
	server, err := gateway.Listen(t.Context(), gateway.Config{
		Address:   address,
		Transport: transport.New(http.DefaultTransport, source, provider.Target{URL: address.String()}, address, ""),
	})
	must(t, err)
	t.Cleanup(func() { must(t, server.Close(context.Background())) })
	return server, source
}

// Token implements transport.Source.
func (r *Rotating) Token(context.Context) (provider.Token, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.minted) >= r.every {
		r.token.Value = provider.NewSecret(r.stack.JWT(r.t, turso.TokenOptions{}))
		r.minted, r.count = time.Now(), r.count+1
	}
	return r.token, nil
}

// Renew implements transport.Source.
func (r *Rotating) Renew(ctx context.Context, _ provider.Token) (provider.Token, error) {
	r.mu.Lock()
	r.minted = time.Time{}
	r.mu.Unlock()
	return r.Token(ctx)
}

// Count is how many tokens there were.
func (r *Rotating) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// Interface guards
var _ transport.Source = (*Rotating)(nil)
