package core

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
	"github.com/zen-auth/zen/internal/config"
)

// resolver is the provider whose settings say where the Platform API is, in which
// organisation, and with what API token.
const resolver = "platformtoken"

// Resolve finds the URL and the id of a database at Turso by its name. It asks the
// Platform API with the API token that the environment has for the provider
// platformtoken (TURSO_API_TOKEN, or ZEN_PLATFORMTOKEN__API_TOKEN), in that provider's
// organization; the scope read is enough. A token that was typed in for a sign-in is
// the provider's alone and is not used.
//
// A profile with a URL needs none of this, and a program asks once and keeps the
// answer.
func (c *Client) Resolve(ctx context.Context, name string) (provider.Target, error) {
	description, err := c.Providers.Describe(ctx, resolver)
	if err != nil {
		return provider.Target{}, fmt.Errorf("look up the database %s: %w", name, err)
	}
	settings, err := c.Config.Settings(description.Fields, resolver)
	if err != nil {
		return provider.Target{}, fmt.Errorf("look up the database %s: %w", name, err)
	}
	token := provider.NewSecret(settings.Get("api_token"))
	if token.IsZero() {
		return provider.Target{}, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("%q is the name of a database, and there is no API token to look it up with", name),
			Hint:    "give its URL, as turso db show NAME --url prints it, or set TURSO_API_TOKEN (the scope read is enough)",
		}
	}
	api, err := turso.New(turso.Options{
		BaseURL: settings.Get("api_url"),
		Token:   func(context.Context) (string, error) { return token.Reveal(), nil },
	})
	if err != nil {
		return provider.Target{}, err
	}
	database, err := api.Database(ctx, settings.Get("organization"), name)
	var failed *turso.Error
	if errors.As(err, &failed) && failed.Status == http.StatusNotFound {
		return provider.Target{}, &provider.Error{
			Kind: provider.ErrConfig, Err: err,
			Message: fmt.Sprintf("there is no database %q in %s", name, organization(settings.Get("organization"))),
			Hint:    "turso db list shows them; providers.platformtoken.organization says where to look",
		}
	}
	if err != nil {
		return provider.Target{}, err
	}
	url, err := config.ParseDatabase(scheme(database.Hostname) + database.Hostname)
	if err != nil {
		return provider.Target{}, fmt.Errorf("look up the database %s: %w", name, err)
	}
	return provider.Target{URL: url, DatabaseID: database.ID}, nil
}

func organization(slug string) string {
	if slug == "" {
		return "the personal organization"
	}
	return "the organization " + slug
}

// scheme is the one of a hostname that the API gave: a stand-in on this machine has no
// certificate.
func scheme(hostname string) string {
	if host, _, _ := strings.Cut(hostname, "/"); libsql.IsLoopback(host) {
		return "http://"
	}
	return "libsql://"
}

// isName tells the name of a database at Turso from everything else that people give:
// lower case, digits and hyphens, at most 64 (what Turso takes when one is created).
func isName(text string) bool {
	return text != "" && len(text) <= 64 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
