package authclerk

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	core "github.com/zen-auth/zen/core/clerk"
)

func (b *backend) pathCheck() *framework.Path {
	return &framework.Path{
		Pattern: "config/check",
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation: &framework.PathOperation{Callback: b.check, Summary: "Ask Clerk whether the secret key is good, and of the instance."},
		},
		HelpSynopsis:    "What can be wrong, found out.",
		HelpDescription: "Reads the instance's key set with the secret key and, where config names the instance, compares it with the one that the instance publishes. The answer has ok, and problems with one line each.",
	}
}

// keySet has the ids of an instance's signing keys.
type keySet struct {
	Keys []struct {
		ID string `json:"kid"`
	} `json:"keys"`
}

func (s keySet) ids() []string {
	var ids []string
	for _, key := range s.Keys {
		ids = append(ids, key.ID)
	}
	slices.Sort(ids)
	return ids
}

func (b *backend) check(ctx context.Context, req *logical.Request, _ *framework.FieldData) (*logical.Response, error) {
	conf, err := b.config(ctx, req.Storage)
	if err != nil {
		return nil, err
	}
	if conf == nil {
		return nil, errNotConfigured
	}
	problems := []string{}
	if err := b.compare(ctx, conf); err != nil {
		problems = append(problems, coded(err).Error())
	}
	return &logical.Response{Data: map[string]any{"ok": len(problems) == 0, "problems": problems}}, nil
}

// compare fetches the key set with the secret key and, from the instance itself, without
// it, and compares both.
func (b *backend) compare(ctx context.Context, conf *config) error {
	var own, published keySet
	if err := b.clerk(conf).call(ctx, http.MethodGet, "/jwks", nil, &own); err != nil || conf.Instance == "" {
		return err
	}
	instance, err := core.ParseKey(conf.Instance)
	if err != nil {
		return err
	}
	if err := (clerk{http: b.http, apiURL: instance.URL}).call(ctx, http.MethodGet, "/.well-known/jwks.json", nil, &published); err != nil {
		return err
	}
	if !slices.ContainsFunc(own.ids(), func(id string) bool { return slices.Contains(published.ids(), id) }) {
		return errors.New("the secret key is of another instance than the one that config names")
	}
	return nil
}
