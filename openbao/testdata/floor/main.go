// Floor is an engine that does nothing, or only requests a token: the minimal cost of a
// plugin's lease. The benchmark compares the Turso engine with it.
package main

import (
	"context"
	"encoding/json"
	"net/http"
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
	// It answers with as much as the Turso engine does.
	asks := framework.OperationHandler(&framework.PathOperation{
		Callback: func(ctx context.Context, _ *logical.Request, d *framework.FieldData) (*logical.Response, error) {
			token, err := ask(ctx, d.Get("url").(string), d.Get("secret").(string))
			if err != nil {
				return nil, err
			}
			answer := map[string]any{"token": token}
			for _, name := range []string{"organization", "access", "permissions", "issued", "expires", "database", "database_id", "url"} {
				answer[name] = name
			}
			return secret.Response(answer, map[string]any{"role": "app", "organization": "acme", "revoke": "", "database": "app"}), nil
		},
	})
	b.Paths = []*framework.Path{
		{
			Pattern:    "asks",
			Fields:     map[string]*framework.FieldSchema{"url": {Type: framework.TypeString}, "secret": {Type: framework.TypeString}},
			Operations: map[logical.Operation]framework.OperationHandler{logical.UpdateOperation: asks},
		},
		{Pattern: "plain", Operations: read(func() *logical.Response { return &logical.Response{Data: data()} })},
		{Pattern: "lease", Operations: read(func() *logical.Response { return secret.Response(data(), nil) })},
	}
	config.System = serve.Remember(config.System)
	return b, b.Setup(ctx, config)
}

// ask makes one request, and reads what Turso's API answers to one for a token.
func ask(ctx context.Context, address, secret string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+secret)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var answer struct{ JWT string }
	return answer.JWT, json.NewDecoder(res.Body).Decode(&answer)
}
