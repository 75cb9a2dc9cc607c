package secretsturso

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"github.com/zen-auth/zen/core/turso"
)

// The kinds of entries in the write-ahead log.
const (
	// walNew is a new API token that is not in use yet.
	walNew = "new-api-token"
	// walOld is a replaced API token that is not revoked yet.
	walOld = "old-api-token"
)

// giveUp is how long the revocation of a leftover is retried.
const giveUp = 24 * time.Hour

// leftover is the name of an API token to revoke, and an API token that may do it.
type leftover struct {
	Name     string    `json:"name"`
	Revoker  string    `json:"revoker"` // an API token
	APIURL   string    `json:"api_url"`
	Recorded time.Time `json:"recorded"`
}

func (b *backend) pathRotateRoot() *framework.Path {
	return &framework.Path{
		Pattern: "config/rotate-root",
		Fields: map[string]*framework.FieldSchema{
			"api_token": {
				Type: framework.TypeString, DisplayAttrs: &framework.DisplayAttributes{Name: "API token", Sensitive: true},
				Description: "An API token with full access, which is used now and not stored. It is only needed where the engine's own may not make API tokens, as none with scopes may.",
			},
		},
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.UpdateOperation: writing(b.rotateRoot, "Replace the API token by a new one, limited to the group and to what the roles need."),
		},
		HelpSynopsis:    "Replace the API token.",
		HelpDescription: "Makes an API token that is limited to config's group and to the scopes that the roles need, proves that it can make tokens, stores it, and only then revokes the one before, where config says its name. Tokens for databases stay good. What is under way meanwhile goes on.",
	}
}

func (b *backend) rotateRoot(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	b.writing.Lock()
	defer b.writing.Unlock()
	conf, err := b.config(ctx, req.Storage)
	if err != nil {
		return nil, err
	}
	if conf == nil {
		return nil, errNotConfigured
	}
	if conf.Group == "" {
		return logical.ErrorResponse("config has no group: the new API token is to be limited to the one with the roles' databases, as turso group list shows it"), nil
	}
	maker := strings.TrimSpace(d.Get("api_token").(string))
	if maker == "" {
		maker = conf.APIToken
	} else if err := checkAPIToken(maker); err != nil {
		return logical.ErrorResponse(err.Error()), nil
	}
	scopes, err := b.scopes(ctx, req.Storage)
	if err != nil {
		return nil, err
	}
	warning, err := b.replace(ctx, req.Storage, conf, maker, scopes)
	if err != nil {
		return nil, coded(err)
	}
	resp := &logical.Response{Data: conf.view()}
	resp.Data["scopes"] = scopes
	if warning != "" {
		resp.AddWarning(warning)
	}
	return resp, nil
}

// scopes returns the scopes that the roles need.
func (b *backend) scopes(ctx context.Context, s logical.Storage) ([]turso.Scope, error) {
	needed := []turso.Scope{turso.ScopeRead, turso.ScopeMintToken}
	names, err := s.List(ctx, rolePrefix)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		r, err := b.role(ctx, s, name)
		if err != nil {
			return nil, err
		}
		if r == nil {
			continue
		}
		if r.Revoke == revokeRotate {
			needed = append(needed, turso.ScopeRotate)
		}
		if r.Group != "" {
			needed = append(needed, turso.ScopeMintGroupToken)
		}
	}
	slices.Sort(needed)
	return slices.Compact(needed), nil
}

// replace changes conf, also in storage, to a new API token created by maker. If it is
// interrupted, the write-ahead log revokes the leftover.
func (b *backend) replace(ctx context.Context, s logical.Storage, conf *config, maker string, scopes []turso.Scope) (warning string, err error) {
	old := *conf
	name := "openbao-" + strings.ToLower(rand.Text())
	undo, err := b.record(ctx, s, walNew, leftover{Name: name, Revoker: maker, APIURL: conf.APIURL})
	if err != nil {
		return "", err
	}
	c, err := b.clientWith(conf.APIURL, maker)
	if err != nil {
		return "", err
	}
	made, err := c.CreateAPIToken(ctx, name, turso.APITokenOptions{Organization: conf.Organization, Group: conf.Group, Scopes: scopes})
	if refused(err) {
		var e *turso.Error
		errors.As(err, &e)
		return "", errors.Join(logical.CodedError(http.StatusBadGateway, e.Error()+": give api_token, one with full access, which is used once and not stored"), framework.DeleteWAL(ctx, s, undo))
	}
	if err != nil {
		return "", err
	}
	conf.APIToken, conf.APITokenName, conf.Changed = made.Value, name, b.now()
	if err := b.prove(ctx, conf); err != nil {
		return "", fmt.Errorf("the new API token isn't good enough, so that the old one stays: %w", err)
	}
	redo := ""
	if old.APITokenName != "" {
		if redo, err = b.record(ctx, s, walOld, leftover{Name: old.APITokenName, Revoker: maker, APIURL: conf.APIURL}); err != nil {
			return "", err
		}
	}
	err = conf.store(ctx, s)
	b.cache.forget()
	if err != nil {
		return "", err
	}
	if err := framework.DeleteWAL(ctx, s, undo); err != nil {
		return "", err
	}
	if redo == "" {
		return "the API token before this one stays good: config didn't say its name; turso auth api-tokens list shows it, and turso auth api-tokens revoke NAME ends it", nil
	}
	if err := c.RevokeAPIToken(ctx, old.APITokenName); err != nil && !notFound(err) {
		var e *turso.Error
		text := "Turso wasn't reached"
		if errors.As(err, &e) {
			text = e.Error()
		}
		return fmt.Sprintf("the API token before this one, %s, isn't revoked yet (%s), and will be tried to be for a day", old.APITokenName, text), nil
	}
	return "", framework.DeleteWAL(ctx, s, redo)
}

// prove tests the API token of a configuration: it finds a database and mints a read-only
// token of one second for it.
func (b *backend) prove(ctx context.Context, conf *config) error {
	c, err := b.client(conf)
	if err != nil {
		return err
	}
	for database, err := range c.Databases(ctx, conf.Organization, turso.DatabaseFilter{Group: conf.Group, PageSize: 1}) {
		if err != nil {
			return err
		}
		_, err = c.CreateDatabaseToken(ctx, conf.Organization, database.Name, turso.TokenOptions{Expiration: time.Second, Authorization: turso.ReadOnly})
		return err
	}
	return nil
}

func (b *backend) record(ctx context.Context, s logical.Storage, kind string, l leftover) (string, error) {
	l.Recorded = b.now()
	return framework.PutWAL(ctx, s, kind, l)
}

// rollback revokes an API token that a rotation left behind, on the active node.
func (b *backend) rollback(ctx context.Context, req *logical.Request, kind string, data any) error {
	encoded, err := json.Marshal(data)
	if err != nil {
		return err
	}
	var l leftover
	if err := json.Unmarshal(encoded, &l); err != nil || kind != walNew && kind != walOld {
		return fmt.Errorf("the write-ahead log has an entry of the kind %q that can't be read", kind)
	}
	b.writing.Lock()
	defer b.writing.Unlock()
	conf, err := b.config(ctx, req.Storage)
	if err != nil {
		return err
	}
	if conf != nil && conf.APITokenName == l.Name {
		return nil // the new one is in use, or the old one still is
	}
	c, err := b.clientWith(l.APIURL, l.Revoker)
	if err != nil {
		return err
	}
	err = c.RevokeAPIToken(ctx, l.Name)
	switch {
	case err == nil || notFound(err):
		return nil
	case refused(err) || b.now().Sub(l.Recorded) > giveUp:
		b.Logger().Error("an API token is left over that could not be revoked: turso auth api-tokens revoke NAME ends it", "name", l.Name, "error", err)
		return nil
	}
	return err
}
