package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

// Database implements provider.Lookup. The scope read is enough for it.
func (p *platform) Database(ctx context.Context, req provider.LookupRequest) (provider.Database, *provider.Credential, error) {
	a, c, err := p.looking(req)
	if err != nil {
		return provider.Database{}, nil, err
	}
	found, err := c.Database(ctx, a.organization, req.Name)
	var failed *turso.Error
	switch {
	case errors.As(err, &failed) && failed.Status == http.StatusNotFound:
		return provider.Database{}, nil, &provider.Error{
			Kind: provider.ErrConfig, Err: err,
			Message: fmt.Sprintf("there is no database %q in %s", req.Name, a.organizationText()),
			Hint:    "turso db list shows them; providers.platformtoken.organization says where to look",
		}
	case err != nil:
		return provider.Database{}, nil, a.failed(err)
	}
	return a.described(found), nil, nil
}

// Databases implements provider.Lookup.
func (p *platform) Databases(ctx context.Context, req provider.LookupRequest, yield func(provider.Database) error) (*provider.Credential, error) {
	a, c, err := p.looking(req)
	if err != nil {
		return nil, err
	}
	var all []turso.Database
	for database, err := range c.Databases(ctx, a.organization, turso.DatabaseFilter{}) {
		if err != nil {
			return nil, a.failed(err)
		}
		all = append(all, database)
	}
	slices.SortFunc(all, func(a, b turso.Database) int { return cmp.Compare(a.Name, b.Name) })
	for _, database := range all {
		if err := yield(a.described(database)); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// looking has what a lookup needs.
func (p *platform) looking(req provider.LookupRequest) (account, *turso.Client, error) {
	a, err := p.account(req.Credential)
	if err != nil {
		return account{}, nil, err
	}
	a.organization = cmp.Or(req.Organization, a.organization)
	c, err := p.client(a.apiToken)
	return a, c, err
}

func (a account) described(d turso.Database) provider.Database {
	return provider.Database{
		Name: d.Name, Target: provider.Target{URL: d.URL(), DatabaseID: d.ID},
		Organization: a.organization, Group: d.Group, Region: d.PrimaryRegion,
		BlockedReads: d.BlockedReads, BlockedWrites: d.BlockedWrites,
	}
}
