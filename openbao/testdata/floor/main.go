// Floor is an engine that does nothing: what a plugin's lease costs at least. The benchmark
// compares the Turso engine with it.
package main

import (
	"context"
	"time"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"github.com/zen-auth/zen/openbao/internal/serve"
)

func main() { serve.Main(factory) }

func factory(ctx context.Context, config *logical.BackendConfig) (logical.Backend, error) {
	b := &framework.Backend{BackendType: logical.TypeLogical}
	secret := &framework.Secret{
		Type: "nothing", DefaultDuration: 15 * time.Minute,
		Revoke: func(context.Context, *logical.Request, *framework.FieldData) (*logical.Response, error) {
			return nil, nil
		},
	}
	b.Secrets = []*framework.Secret{secret}
	read := func(make func() *logical.Response) map[logical.Operation]framework.OperationHandler {
		return map[logical.Operation]framework.OperationHandler{logical.ReadOperation: &framework.PathOperation{
			Callback: func(context.Context, *logical.Request, *framework.FieldData) (*logical.Response, error) {
				return make(), nil
			},
		}}
	}
	data := func() map[string]any { return map[string]any{"token": "value"} }
	b.Paths = []*framework.Path{
		{Pattern: "plain", Operations: read(func() *logical.Response { return &logical.Response{Data: data()} })},
		{Pattern: "lease", Operations: read(func() *logical.Response { return secret.Response(data(), nil) })},
	}
	config.System = serve.Remember(config.System)
	return b, b.Setup(ctx, config)
}
