// Package authclerk is an auth method for OpenBao and Vault: it accepts Clerk API keys,
// which only a Clerk secret key can verify, so that this secret key is kept in one place.
//
//	config      the secret key (never readable), the instance
//	role/NAME   whose keys, with what scopes and claims, get which policies
//	login       an API key in, a token out
//
// A key that was revoked at Clerk can't sign in after 30 seconds, and its tokens can't be
// renewed.
package authclerk

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"github.com/zen-auth/zen/openbao/internal/serve"
)

const help = `
The clerk auth method signs in the holder of an API key of a Clerk instance.

It holds the instance's secret key, which nobody can read again. A role says whose
keys it takes (users, organizations, scopes, claims of the key) and which policies
they get. The entity's alias is the key's subject; its metadata has org, org_slug
and scopes, which templates may name.
`

// backend is one mount of the method.
type backend struct {
	*framework.Backend
	http *http.Client
	now  func() time.Time

	mu       sync.Mutex // guards verified
	verified map[fingerprint]answer
}

// Factory makes the method for a mount.
func Factory(ctx context.Context, config *logical.BackendConfig) (logical.Backend, error) {
	b := newBackend()
	config.System = serve.Remember(config.System)
	if err := b.Setup(ctx, config); err != nil {
		return nil, err
	}
	return b, nil
}

func newBackend() *backend {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	b := &backend{now: time.Now, verified: map[fingerprint]answer{}}
	b.http = &http.Client{
		Transport: transport, Timeout: callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	b.Backend = &framework.Backend{
		Help:           help,
		BackendType:    logical.TypeCredential,
		RunningVersion: serve.Version(),
		AuthRenew:      b.renew,
		PathsSpecial: &logical.Paths{
			Unauthenticated: []string{"login"},
			Root:            []string{"config", "config/*"},
			SealWrapStorage: []string{configKey},
		},
		Paths:      framework.PathAppend([]*framework.Path{b.pathConfig(), b.pathCheck(), b.pathLogin()}, b.pathRoles()),
		Invalidate: func(context.Context, string) { b.forget() },
		Clean:      func(context.Context) { b.http.CloseIdleConnections() },
	}
	return b
}

// writing returns an operation that a standby node forwards to the active one.
func writing(callback framework.OperationFunc, summary string) *framework.PathOperation {
	return &framework.PathOperation{Callback: callback, Summary: summary, ForwardPerformanceStandby: true, ForwardPerformanceSecondary: true}
}
