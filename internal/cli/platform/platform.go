// Package platform opens Turso's Platform API for the commands that ask it: with the API
// token, the organization and the address that the provider platformtoken would use.
package platform

import (
	"cmp"
	"context"
	"errors"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
	"github.com/zen-auth/zen/internal/zen"
)

// ErrNoToken says that the environment has no API token.
var ErrNoToken = errors.New("no Turso API token")

// API is the Platform API for one organization.
type API struct {
	*turso.Client
	// Organization is the slug; "" means the personal one.
	Organization string
}

// fields are settings of platformtoken, as it describes them.
var fields = []provider.Field{
	{Key: "api_token", Type: provider.TypeString, Sensitive: true, Env: []string{"TURSO_API_TOKEN"}},
	{Key: "organization", Type: provider.TypeString},
	{Key: "api_url", Type: provider.TypeURL, Env: []string{"TURSO_API_BASEURL"}},
}

// Open returns the API. It touches no network. The error is ErrNoToken, of class
// ErrNoCredential, where no token is set; organization, if not empty, goes before the
// configured one.
func Open(client *zen.Client, organization string) (API, error) {
	settings, err := client.Config.Some(fields, "platformtoken")
	if err != nil {
		return API{}, err
	}
	token := settings.Get("api_token")
	if token == "" {
		return API{}, &provider.Error{
			Kind: provider.ErrNoCredential, Message: "there is no Turso API token to ask with", Err: ErrNoToken,
			Hint: "turso auth api-tokens mint NAME makes one; set it as TURSO_API_TOKEN",
		}
	}
	api, err := turso.New(turso.Options{
		BaseURL: settings.Get("api_url"), UserAgent: "zen",
		Token: func(context.Context) (string, error) { return token, nil },
	})
	if err != nil {
		return API{}, &provider.Error{Kind: provider.ErrConfig, Message: err.Error(), Hint: "check TURSO_API_BASEURL", Err: err}
	}
	return API{api, cmp.Or(organization, settings.Get("organization"))}, nil
}
