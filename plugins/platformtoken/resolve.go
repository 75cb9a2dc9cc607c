package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

// location is where a database is expected: its organization and its Hostname,
// host[:port][/path].
type location struct{ organization, hostname string }

func locate(organization, databaseURL string) (location, error) {
	u, err := url.Parse(databaseURL)
	if err != nil || u.Host == "" {
		return location{}, &provider.Error{
			Kind: provider.ErrConfig, Message: "platformtoken: there is no database URL to mint a token for",
			Hint: "set database in the profile, or ZEN_DATABASE",
		}
	}
	return location{organization, turso.NormalHostname(u.Host + u.EscapedPath())}, nil
}

// resolve finds the database at a location; known says that it was found before.
func (p *platform) resolve(ctx context.Context, c *turso.Client, a account, at location) (found turso.Database, known bool, err error) {
	p.mu.Lock()
	found, known = p.databases[at]
	p.mu.Unlock()
	if known {
		return found, true, nil
	}
	found, err = search(ctx, c, a, at)
	if err != nil {
		return turso.Database{}, false, err
	}
	p.mu.Lock()
	p.databases[at] = found
	p.mu.Unlock()
	return found, false, nil
}

func (p *platform) forget(at location) {
	p.mu.Lock()
	delete(p.databases, at)
	p.mu.Unlock()
}

// search tries the name that the host suggests, and then the whole list.
func search(ctx context.Context, c *turso.Client, a account, at location) (turso.Database, error) {
	if name := guess(at); name != "" {
		database, err := c.Database(ctx, at.organization, name)
		var e *turso.Error
		switch {
		case err == nil && turso.NormalHostname(database.Hostname) == at.hostname:
			return database, nil
		case err != nil && !(errors.As(err, &e) && e.Status == http.StatusNotFound):
			return turso.Database{}, a.failed(err)
		}
	}
	for database, err := range c.Databases(ctx, at.organization, turso.DatabaseFilter{}) {
		if err != nil {
			return turso.Database{}, a.failed(err)
		}
		if turso.NormalHostname(database.Hostname) == at.hostname && database.Name != "" && database.ID != "" {
			return database, nil
		}
	}
	return turso.Database{}, &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("platformtoken: no database %s in %s", at.hostname, a.organizationText()),
		Hint:    organizationHint(ctx, c),
	}
}

// guess extracts NAME from NAME-ORGANIZATION.turso.io and
// NAME-ORGANIZATION.aws-us-east-1.turso.io. Both parts may have dashes.
func guess(at location) string {
	label, rest, _ := strings.Cut(at.hostname, ".")
	if at.organization == "" || !strings.HasSuffix(rest, "turso.io") {
		return ""
	}
	name, ok := strings.CutSuffix(label, "-"+strings.ToLower(at.organization))
	if !ok {
		return ""
	}
	return name
}

// organizationHint names the existing organizations; it must not fail, since it is added
// to another error.
func organizationHint(ctx context.Context, c *turso.Client) string {
	const set = "set organization under [providers.platformtoken] or ZEN_PLATFORMTOKEN__ORGANIZATION"
	organizations, err := c.Organizations(ctx)
	if err != nil || len(organizations) == 0 {
		return set
	}
	return set + ": the API token knows " + strings.Join(slugs(organizations), ", ")
}

func slugs(organizations []turso.Organization) []string {
	names := make([]string, len(organizations))
	for i, o := range organizations {
		names[i] = o.Slug
	}
	return names
}
