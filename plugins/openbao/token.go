package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

// Token implements provider.TokenSource. OpenBao's policies and the role decide what is
// allowed; the request may narrow it.
func (p *openbao) Token(ctx context.Context, req provider.TokenRequest) (provider.TokenResponse, error) {
	s, err := p.open(ctx, req.Credential, req.Assertion, req.Claims, false)
	if err != nil {
		return provider.TokenResponse{}, err
	}
	resp, err := p.read(ctx, s, req)
	if !errors.Is(err, errDenied) {
		return resp, err
	}
	// OpenBao answers an expired token like one without permission: a lookup of the token
	// tells.
	switch _, lookupErr := p.lookup(ctx, s.token); {
	case lookupErr == nil:
		return resp, err
	case !errors.Is(lookupErr, provider.ErrRejected) || s.stored.Token == "":
		return resp, lookupErr
	}
	if s, err = p.open(ctx, req.Credential, req.Assertion, req.Claims, true); err != nil {
		return resp, err
	}
	return p.read(ctx, s, req)
}

// errDenied: OpenBao refuses without a reason.
var errDenied = errors.New("permission denied")

// read reads MOUNT/creds/ROLE, and checks what it gets.
func (p *openbao) read(ctx context.Context, s session, req provider.TokenRequest) (provider.TokenResponse, error) {
	resp := provider.TokenResponse{Credential: s.changed}
	path := p.settings.mount + "/creds/" + p.settings.role
	a, err := p.do(ctx, call{what: "read " + path, method: http.MethodGet, path: path, query: query(req), token: s.token, wrap: true})
	if err != nil {
		return resp, denied(err, path)
	}
	made, err := p.check(a.Data, req)
	if err != nil {
		return resp, err
	}
	resp.Token, resp.DatabaseID = made.token, made.databaseID
	return resp, nil
}

// query narrows what the role allows.
func query(req provider.TokenRequest) url.Values {
	q := url.Values{}
	if req.Access == provider.AccessReadOnly {
		q.Set("access", string(provider.AccessReadOnly))
	}
	if req.Lifetime > 0 {
		q.Set("ttl", strconv.FormatInt(int64((req.Lifetime+time.Second-1)/time.Second), 10))
	}
	for _, permission := range req.Permissions {
		actions := make([]string, len(permission.Actions))
		for i, action := range permission.Actions {
			actions[i] = string(action)
		}
		tables := permission.Tables
		if tables == nil {
			tables = []string{"all"}
		}
		for _, table := range tables {
			q.Add("permissions", table+":"+strings.Join(actions, ","))
		}
	}
	return q
}

// denied names the missing policy, which OpenBao's refusal doesn't.
func denied(err error, path string) error {
	var e *provider.Error
	if !errors.As(err, &e) || !errors.Is(err, provider.ErrPermission) || !strings.Contains(e.Message, "permission denied") {
		return err
	}
	return &provider.Error{
		Kind: provider.ErrPermission, Err: errors.Join(errDenied, err),
		Message: fmt.Sprintf("openbao: no policy of this sign-in allows to read %s (status 403)", path),
		Hint:    fmt.Sprintf("an operator's policy needs: path %q { capabilities = [\"read\"] }", path),
	}
}

// made is a checked token, and the id of its database if OpenBao says that it is the one
// at the request's URL.
type made struct {
	token      provider.Token
	databaseID string
}

// check refuses a token that doesn't match the request: OpenBao is trusted, but the wrong
// role may be configured.
func (p *openbao) check(data json.RawMessage, req provider.TokenRequest) (made, error) {
	var got struct {
		Token      string `json:"token"`
		URL        string `json:"url"`
		DatabaseID string `json:"database_id"`
		Database   string `json:"database"`
		Group      string `json:"group"`
	}
	if json.Unmarshal(data, &got) != nil || got.Token == "" {
		return made{}, p.unfit(provider.ErrTokenInvalid, "its answer has no token: is %s the secrets engine turso?", p.settings.mount)
	}
	switch {
	case got.Group != "":
		return made{}, p.unfit(provider.ErrPermission, "it makes tokens for the whole group %.64q, which zen doesn't use", got.Group)
	case got.DatabaseID == "":
		return made{}, p.unfit(provider.ErrTokenInvalid, "its answer has no database_id: is %s the secrets engine turso?", p.settings.mount)
	}
	hostname := strings.TrimPrefix(got.URL, "libsql://")
	serves := turso.Serves(hostname, req.Target.URL)
	if req.Target.DatabaseID == "" && !serves || req.Target.DatabaseID != "" && req.Target.DatabaseID != got.DatabaseID {
		return made{}, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("openbao: the role %s is for the database %s at libsql://%s, and the profile's is %s", p.settings.role, oneLine(got.Database), oneLine(hostname), req.Target.URL),
			Hint:    "set role under [providers.openbao], or database in the profile",
		}
	}
	claims, err := jwks.DecodeUnverified(provider.NewSecret(got.Token))
	if err != nil || claims.Algorithm == "" || claims.Algorithm == "none" {
		return made{}, p.unfit(provider.ErrTokenInvalid, "it made no signed JWT")
	}
	now := p.now()
	asked := req
	asked.Target.DatabaseID = got.DatabaseID
	if asked.Lifetime == 0 {
		asked.Lifetime = claims.Life(now) // the role's own
	}
	if err := claims.Fits(asked, now); err != nil {
		return made{}, p.unfit(provider.ErrPermission, "%v", err)
	}
	token := provider.Token{Value: provider.NewSecret(got.Token), Issued: claims.Issued, Expires: claims.Expires}
	if token.Issued.IsZero() {
		token.Issued = now
	}
	m := made{token: token}
	if serves {
		m.databaseID = got.DatabaseID
	}
	return m, token.ValidateValue()
}

func (p *openbao) unfit(kind error, format string, args ...any) error {
	return &provider.Error{
		Kind:    kind,
		Message: fmt.Sprintf("openbao: the token of %s/creds/%s was discarded: ", p.settings.mount, p.settings.role) + fmt.Sprintf(format, args...),
	}
}
