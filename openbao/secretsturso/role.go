package secretsturso

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/openbao/internal/stored"
)

const rolePrefix = "roles/"

// What happens at Turso when a lease is revoked before its token expires.
const (
	revokeNothing = "none"
	revokeRotate  = "rotate"
)

// role describes the tokens that may be issued, in its stored form.
type role struct {
	Database    string          `json:"database,omitempty"`
	Group       string          `json:"group,omitempty"`
	Access      provider.Access `json:"access"`
	Permissions []string        `json:"permissions,omitempty"`
	TTL         time.Duration   `json:"ttl,omitempty"`
	MaxTTL      time.Duration   `json:"max_ttl,omitempty"`
	Revoke      string          `json:"revoke"`
}

func (b *backend) pathRoles() []*framework.Path {
	// The name is used unchanged: a policy that denies roles/app would not apply to a
	// lower-cased roles/APP.
	name := &framework.FieldSchema{Type: framework.TypeString, Description: "Name of the role."}
	return []*framework.Path{{
		Pattern: "roles/?$",
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ListOperation: &framework.PathOperation{Callback: stored.List(rolePrefix), Summary: "List the roles."},
		},
		HelpSynopsis:    "List the roles.",
		HelpDescription: "The names of all roles.",
	}, {
		Pattern: "roles/" + framework.GenericNameRegex("name"),
		Fields: map[string]*framework.FieldSchema{
			"name": name,
			"database": {
				Type:        framework.TypeString,
				Description: "Name of the database, or a template of the caller's entity for one database a tenant: app-{{identity.entity.aliases.ACCESSOR.metadata.org}}.",
			},
			"group": {
				Type:        framework.TypeString,
				Description: "Instead of database: a group, for tokens for every database in it, those to come included. Only with the same name in confirm_group. zen uses no such tokens.",
			},
			"confirm_group": {Type: framework.TypeString, Description: "The group once more."},
			"access":        {Type: framework.TypeString, Default: string(provider.AccessReadOnly), Description: "ro or rw. The default is ro."},
			"permissions": {
				Type:        framework.TypeStringSlice,
				Description: "What may be done to tables, as TABLE:ACTION[,ACTION...]; the table all is every table. May be given again. None is everything that access allows.",
			},
			"ttl":     {Type: framework.TypeDurationSecond, Description: "How long a token lives where the caller doesn't say. The default is the mount's, at most 15m."},
			"max_ttl": {Type: framework.TypeDurationSecond, Description: "How long a token may live. The default is 15m, or ttl where that is more; the mount's bounds it."},
			"revoke": {
				Type: framework.TypeString, Default: revokeNothing,
				Description: "What a lease that is revoked early does: none leaves the token good until it ends (Turso can't revoke a single one); rotate ends every token of the database, whoever has it, so that the database should be this role's alone.",
			},
		},
		ExistenceCheck: stored.Exists(rolePrefix),
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation:   &framework.PathOperation{Callback: b.readRole, Summary: "Read a role."},
			logical.CreateOperation: writing(b.writeRole, "Write a role."),
			logical.UpdateOperation: writing(b.writeRole, "Write a role. What is left out stays."),
			logical.DeleteOperation: writing(b.deleteRole, "Delete a role. Tokens that it made stay good until they end."),
		},
		HelpSynopsis:    "Which database a token is for, what it may do and how long it lives.",
		HelpDescription: "Anyone who may read creds/NAME gets tokens as the role NAME says. A role is for one database; a group takes saying so twice.",
	}}
}

// role reads a role; nil means none.
func (b *backend) role(ctx context.Context, s logical.Storage, name string) (*role, error) {
	return stored.Read[role](ctx, s, rolePrefix+name)
}

func (b *backend) readRole(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	r, err := b.role(ctx, req.Storage, d.Get("name").(string))
	if err != nil || r == nil {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{
		"database": r.Database, "group": r.Group, "access": string(r.Access), "permissions": r.Permissions,
		"ttl": int64(r.TTL / time.Second), "max_ttl": int64(r.MaxTTL / time.Second), "revoke": r.Revoke,
	}}, nil
}

func (b *backend) deleteRole(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	defer b.cache.forget()
	return nil, req.Storage.Delete(ctx, rolePrefix+d.Get("name").(string))
}

func (b *backend) writeRole(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	name := d.Get("name").(string)
	r, err := b.role(ctx, req.Storage, name)
	if err != nil {
		return nil, err
	}
	if r == nil {
		r = &role{Access: provider.AccessReadOnly, Revoke: revokeNothing}
	}
	if err := r.update(d); err != nil {
		return logical.ErrorResponse(err.Error()), nil
	}
	entry, err := logical.StorageEntryJSON(rolePrefix+name, r)
	if err != nil {
		return nil, err
	}
	defer b.cache.forget()
	if err := req.Storage.Put(ctx, entry); err != nil {
		return nil, err
	}
	resp := &logical.Response{}
	if limit := b.System().MaxLeaseTTL(); r.TTL > limit || r.MaxTTL > limit {
		resp.AddWarning(fmt.Sprintf("the mount allows no more than %v, and so no token will live longer: bao secrets tune -max-lease-ttl changes that", limit))
	}
	if r.Group != "" {
		resp.AddWarning(fmt.Sprintf("tokens of this role open every database of the group %s, those to come included", r.Group))
	}
	return resp, nil
}

// update applies the given fields, and checks the whole role.
func (r *role) update(d *framework.FieldData) error {
	text := func(key string, field *string) {
		if value, given := d.GetOk(key); given {
			*field = strings.TrimSpace(value.(string))
		}
	}
	text("database", &r.Database)
	text("group", &r.Group)
	text("revoke", &r.Revoke)
	if value, given := d.GetOk("access"); given {
		if value == "" {
			return errors.New("access is empty: it is ro or rw")
		}
		access, err := provider.ParseAccess(value.(string))
		if err != nil {
			return err
		}
		r.Access = access
	}
	if value, given := d.GetOk("permissions"); given {
		r.Permissions = value.([]string)
	}
	for key, field := range map[string]*time.Duration{"ttl": &r.TTL, "max_ttl": &r.MaxTTL} {
		if value, given := d.GetOk(key); given {
			*field = time.Duration(value.(int)) * time.Second
		}
	}
	if _, given := d.GetOk("group"); given && r.Group != "" && d.Get("confirm_group") != r.Group {
		return fmt.Errorf("group %.64q: a token for a group opens every database in it, those to come included; say so twice, with confirm_group of the same name, or name a database", r.Group)
	}
	return r.check()
}

func (r *role) check() error {
	switch {
	case r.Database == "" && r.Group == "":
		return errors.New("database is missing: the name of one, as turso db list shows it")
	case r.Database != "" && r.Group != "":
		return errors.New("database and group exclude each other: a role is for one database, or for a group")
	case r.Group != "" && !validName.MatchString(r.Group):
		return fmt.Errorf("group %.64q is not a group's name", r.Group)
	case r.TTL < 0 || r.MaxTTL < 0:
		return errors.New("ttl and max_ttl are durations like 10m, not below zero")
	case r.MaxTTL > 0 && r.TTL > r.MaxTTL:
		return fmt.Errorf("ttl %v is more than max_ttl %v", r.TTL, r.MaxTTL)
	case r.Revoke != revokeNothing && r.Revoke != revokeRotate:
		return fmt.Errorf("revoke %.40q is not %s or %s", r.Revoke, revokeNothing, revokeRotate)
	case r.Revoke == revokeRotate && r.Group != "":
		return errors.New("revoke=\"rotate\" is for a role of one database: it would end the tokens of the whole group")
	}
	if _, err := parsePermissions(r.Permissions); err != nil {
		return err
	}
	if r.Database == "" {
		return nil
	}
	return checkTemplate(r.Database)
}

// databaseName matches the names that Turso allows for a database.
var databaseName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// placeholder matches placeholders that the server fills in; others would stay in the
// name.
var placeholder = regexp.MustCompile(`\{\{\s*identity\.(entity|groups)\.[^{}]*\}\}`)

// checkTemplate checks a database's name, or the template of one.
func checkTemplate(template string) error {
	if _, err := framework.ValidateIdentityTemplate(template); err != nil {
		return fmt.Errorf("database %.64q is not a template of the caller's entity, like app-{{identity.entity.name}}", template)
	}
	plain := placeholder.ReplaceAllString(template, "x")
	if strings.Contains(plain, "{{") {
		return fmt.Errorf("database %.64q is not a template of the caller's entity, like app-{{identity.entity.name}}", template)
	}
	if !databaseName.MatchString(plain) {
		return fmt.Errorf("database %.64q is not a database's name: small letters, digits and dashes, at most 64", template)
	}
	return nil
}

func parsePermissions(texts []string) ([]provider.Permission, error) {
	var permissions []provider.Permission
	for _, text := range texts {
		permission, err := provider.ParsePermission(text)
		if err != nil {
			return nil, fmt.Errorf("%w (%s)", err, provider.Hint(err))
		}
		permissions = append(permissions, permission)
	}
	return permissions, nil
}
