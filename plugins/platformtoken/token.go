package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

// Token implements provider.TokenSource.
//
// Access and permissions are those of the request, limited by the database claims, if
// any, of an identity that another provider signed in.
func (p *platform) Token(ctx context.Context, req provider.TokenRequest) (provider.TokenResponse, error) {
	a, err := p.account(req.Credential)
	if err != nil {
		return provider.TokenResponse{}, err
	}
	if req, err = narrow(req); err != nil {
		return provider.TokenResponse{}, err
	}
	token, database, err := p.mint(ctx, a, req)
	if err != nil {
		return provider.TokenResponse{}, err
	}
	return provider.TokenResponse{Token: token, DatabaseID: database.ID}, nil
}

// narrow removes from a request what the identity's claims don't allow.
func narrow(req provider.TokenRequest) (provider.TokenRequest, error) {
	if req.Claims == nil || req.Claims.Database == nil {
		return req, nil
	}
	d := req.Claims.Database
	switch {
	case d.GroupID != "" || len(d.Namespaces) > 0:
		return req, &provider.Error{
			Kind: provider.ErrPermission, Message: fmt.Sprintf("platformtoken: the claims of %.60s are for a group or for databases by name, which is not understood here", req.Claims.Subject),
			Hint: "have the issuer say id, a and perm",
		}
	case d.DatabaseID != "" && req.Target.DatabaseID != "" && d.DatabaseID != req.Target.DatabaseID:
		return req, &provider.Error{
			Kind: provider.ErrPermission, Message: fmt.Sprintf("platformtoken: %.60s may use the database %.40s, not %s", req.Claims.Subject, d.DatabaseID, req.Target.DatabaseID),
			Hint: "sign in as someone who may use this one",
		}
	case d.DatabaseID != "":
		req.Target.DatabaseID = d.DatabaseID // another database is refused when it is found
	}
	req.Access = provider.NarrowAccess(req.Access, d.Access)
	both, ok := provider.Narrow(req.Permissions, d.Permissions)
	if !ok {
		return req, &provider.Error{
			Kind: provider.ErrPermission, Message: fmt.Sprintf("platformtoken: %.60s may do nothing of what the profile's permissions allow", req.Claims.Subject),
			Hint: "change permissions in the profile, or what the issuer says in perm",
		}
	}
	req.Permissions = both
	return req, nil
}

// mint finds the database and mints a token for it. The result of the search is kept for
// the life of the process; if the database was recreated in between (another id, or no
// such name), it is searched for once more.
func (p *platform) mint(ctx context.Context, a account, req provider.TokenRequest) (provider.Token, turso.Database, error) {
	var database turso.Database
	c, err := p.client(a.apiToken)
	if err != nil {
		return provider.Token{}, database, err
	}
	where, err := locate(a.organization, req.Target.URL)
	if err != nil {
		return provider.Token{}, database, err
	}
	database, known, err := p.resolve(ctx, c, a, where)
	if err != nil {
		return provider.Token{}, database, err
	}
	token, err := p.mintFor(ctx, c, a, database, req)
	if err != nil && known && isStale(err) {
		p.forget(where)
		if database, _, err = p.resolve(ctx, c, a, where); err != nil {
			return provider.Token{}, database, err
		}
		token, err = p.mintFor(ctx, c, a, database, req)
	}
	return token, database, err
}

// errOtherDatabase: the token is for a database other than the requested one.
var errOtherDatabase = errors.New("token for another database")

func isStale(err error) bool {
	var e *turso.Error
	return errors.Is(err, errOtherDatabase) || errors.As(err, &e) && e.Status == http.StatusNotFound
}

func (p *platform) mintFor(ctx context.Context, c *turso.Client, a account, database turso.Database, req provider.TokenRequest) (provider.Token, error) {
	if want := req.Target.DatabaseID; want != "" && want != database.ID {
		return provider.Token{}, &provider.Error{
			Kind: provider.ErrConfig, Err: errOtherDatabase,
			Message: fmt.Sprintf("platformtoken: database_id is %s, but the database %s has the id %s", want, database.Name, database.ID),
			Hint:    "remove database_id from the profile, or correct it",
		}
	}
	options, err := p.options(req)
	if err != nil {
		return provider.Token{}, err
	}
	value, err := c.CreateDatabaseToken(ctx, a.organization, database.Name, options)
	if err != nil {
		return provider.Token{}, a.failed(err)
	}
	claims, err := decode(value)
	if err != nil {
		return provider.Token{}, err
	}
	now := time.Now()
	if err := within(claims, database, req, options.Expiration, now); err != nil {
		return provider.Token{}, err
	}
	token := provider.Token{Value: provider.NewSecret(value), Issued: now, Expires: claims.Expires}
	if !claims.Issued.IsZero() {
		token.Issued = claims.Issued
	}
	return token, token.ValidateValue()
}

func (p *platform) options(req provider.TokenRequest) (turso.TokenOptions, error) {
	o := turso.TokenOptions{Expiration: req.Lifetime, Authorization: turso.FullAccess}
	o.Expiration = cmp.Or(o.Expiration, p.lifetime)
	switch req.Access {
	case provider.AccessReadOnly:
		o.Authorization = turso.ReadOnly
	case provider.AccessReadWrite, "":
	default:
		return o, &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("platformtoken: access %.20q is not ro or rw", req.Access)}
	}
	for _, permission := range req.Permissions {
		actions := make([]string, len(permission.Actions))
		for i, action := range permission.Actions {
			actions[i] = string(action)
		}
		o.Permissions = append(o.Permissions, turso.Permission{Tables: permission.Tables, Actions: actions})
	}
	return o, nil
}
