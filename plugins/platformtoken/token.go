package main

import (
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
// Access and permissions are those of the request. Claims of an identity that
// another provider signed in don't change them: the API token decides what can be
// minted, and a role may at most narrow that, never widen it.
func (p *platform) Token(ctx context.Context, req provider.TokenRequest) (provider.TokenResponse, error) {
	a, err := p.account(req.Credential)
	if err != nil {
		return provider.TokenResponse{}, err
	}
	token, database, err := p.mint(ctx, a, req)
	if err != nil {
		return provider.TokenResponse{}, err
	}
	return provider.TokenResponse{Token: token, DatabaseID: database.ID}, nil
}

// mint finds the database and makes a token for it. What was found is kept for the
// life of the process; where the database was made anew in between (another id, or
// none of that name), it is looked for once more.
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

// errOtherDatabase: the token is for another database than was asked for.
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
	if o.Expiration == 0 {
		o.Expiration = p.lifetime
	}
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
