package zen

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/lend"
)

// Resolve finds the URL and the id of a database by its name. The providers of the
// selected profile are asked first, then the other ones that are installed and may run,
// as far as they serve provider.Lookup: platformtoken does, with an API token of the
// environment or of a sign-in, of which the scope read is enough.
//
// A profile with a URL needs none of this, and a program asks once and keeps the
// answer.
func (c *Client) Resolve(ctx context.Context, name string) (provider.Target, error) {
	var target provider.Target
	err := c.lookup(ctx, func(ctx context.Context, p Provider, req provider.LookupRequest) (*provider.Credential, error) {
		req.Name = name
		database, replaced, err := p.Database(ctx, req)
		target = database.Target
		return replaced, err
	})
	switch {
	case errors.Is(err, errNoLookup):
		return provider.Target{}, &provider.Error{
			Kind: provider.ErrConfig, Err: err,
			Message: fmt.Sprintf("%q is the name of a database, and there is nothing to look it up with", name),
			Hint:    "give its URL, as turso db show NAME --url prints it, or set TURSO_API_TOKEN (the scope read is enough)",
		}
	case err != nil:
		return provider.Target{}, fmt.Errorf("look up the database %s: %w", name, err)
	}
	target.URL, err = config.ParseDatabase(target.URL)
	if err != nil {
		return provider.Target{}, fmt.Errorf("look up the database %s: %w", name, err)
	}
	return target, nil
}

// Databases returns those that the first provider which can list them knows, asked as
// [Client.Resolve] says.
func (c *Client) Databases(ctx context.Context) ([]provider.Database, error) {
	var found []provider.Database
	err := c.lookup(ctx, func(ctx context.Context, p Provider, req provider.LookupRequest) (*provider.Credential, error) {
		found = nil
		return p.Databases(ctx, req, func(d provider.Database) error {
			found = append(found, d)
			return nil
		})
	})
	if errors.Is(err, errNoLookup) {
		err = &provider.Error{
			Kind: provider.ErrConfig, Message: "there is nothing to look databases up with", Err: err,
			Hint: "set TURSO_API_TOKEN (the scope read is enough), or sign in with a provider that looks databases up",
		}
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// errNoLookup means that no configured provider could look the database up.
var errNoLookup = errors.New("no provider could look")

// lookup has the providers look, one after another, until one has an answer. One that
// lacks a credential or a setting is passed over.
func (c *Client) lookup(ctx context.Context, ask func(context.Context, Provider, provider.LookupRequest) (*provider.Credential, error)) error {
	profile, err := c.Config.Profile("")
	if err != nil {
		return err
	}
	first := slices.DeleteFunc(
		append([]string{profile.TokenProvider.Value, profile.Provider.Value}, profile.Fallback.Value...),
		func(name string) bool { return name == "" })
	result := errNoLookup
	for name := range c.lookupOrder(first) {
		description, err := c.Providers.Describe(ctx, name)
		if err == nil && !slices.Contains(description.Services, provider.ServiceLookup) {
			continue
		}
		if err == nil {
			err = c.lookAt(ctx, profile.Name.Value, name, ask)
		}
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return err
		case errors.Is(err, provider.ErrNoCredential), !slices.Contains(first, name) && errors.Is(err, provider.ErrNoProvider):
		case errors.Is(result, errNoLookup):
			result = err
		}
	}
	return result
}

// lookAt asks one provider, with what is stored of it; without, its settings may be enough.
func (c *Client) lookAt(ctx context.Context, profile, name string, ask func(context.Context, Provider, provider.LookupRequest) (*provider.Credential, error)) error {
	p, err := c.Providers.Open(ctx, name)
	if err != nil {
		return err
	}
	return lend.Stored(ctx, c.Store, profile, name, func(ctx context.Context, credential *provider.Credential) (*provider.Credential, error) {
		return ask(ctx, p, provider.LookupRequest{Credential: credential})
	})
}

// lookupOrder is first, then the providers that the user's file has settings for, then the
// other ones that are installed; of the latter two those that may run, without a
// question to the user. A provider is only looked at when its turn comes.
func (c *Client) lookupOrder(first []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		seen := map[string]bool{}
		for _, name := range first {
			if !seen[name] && !yield(name) {
				return
			}
			seen[name] = true
		}
		installed := map[string]string{}
		var others []string
		for _, found := range c.Providers.List() {
			if found.Err == nil {
				installed[found.Name] = found.Path
				others = append(others, found.Name)
			}
		}
		for _, name := range slices.Concat(c.Config.ProviderNames(), others) {
			if seen[name] || installed[name] == "" {
				continue
			}
			seen[name] = true
			binary, err := host.InspectFile(name, installed[name])
			if err == nil {
				_, err = c.Providers.Pins.Known(binary)
			}
			if err == nil && !yield(name) {
				return
			}
		}
	}
}

// IsName distinguishes the name of a database at Turso from everything else that people give:
// lower case, digits and hyphens, at most 64 (what Turso takes when one is created).
func IsName(text string) bool {
	return text != "" && len(text) <= 64 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
