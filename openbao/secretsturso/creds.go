package secretsturso

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

func (b *backend) pathCreds() *framework.Path {
	return &framework.Path{
		Pattern: "creds/" + framework.GenericNameRegex("name"),
		Fields: map[string]*framework.FieldSchema{
			"name":        {Type: framework.TypeString, Description: "Name of the role."},
			"ttl":         {Type: framework.TypeDurationSecond, Description: "How long the token lives; what the role allows bounds it."},
			"access":      {Type: framework.TypeString, Description: "ro, where the role has rw and less is enough."},
			"permissions": {Type: framework.TypeStringSlice, Description: "Less than the role has, as TABLE:ACTION[,ACTION...]. May be given again."},
		},
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation:   writing(b.readCreds, "Make a token."),
			logical.UpdateOperation: writing(b.readCreds, "Make a token."),
		},
		HelpSynopsis:    "A token for the database of a role.",
		HelpDescription: "The lease can't be renewed, and ends when the token does: read again for a new one. Turso can't revoke a single token, so that one whose lease is revoked stays good until it ends, unless the role has revoke=\"rotate\".",
	}
}

// asked is a requested token, within the limits of a role.
type asked struct {
	role        string
	database    string // its name; "" if group is
	group       string
	access      provider.Access
	permissions []provider.Permission
	lifetime    time.Duration
	revoke      string
}

func (b *backend) readCreds(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	name := d.Get("name").(string)
	r, err := b.knownRole(ctx, req.Storage, name)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return logical.ErrorResponse("there is no role %s", name), nil
	}
	a, warning, err := b.ask(req, d, name, r)
	if err != nil {
		return nil, err
	}
	token, err := b.mint(ctx, req.Storage, a)
	if err != nil {
		return nil, coded(err)
	}
	resp := b.answer(a, token)
	if warning != "" {
		resp.AddWarning(warning)
	}
	return resp, nil
}

// ask returns what the role allows the caller, narrowed to the request.
func (b *backend) ask(req *logical.Request, d *framework.FieldData, name string, r *role) (a asked, warning string, err error) {
	a = asked{role: name, group: r.Group, access: r.Access, revoke: r.Revoke}
	if a.permissions, err = parsePermissions(r.Permissions); err != nil {
		return a, "", err
	}
	if r.Database != "" {
		if a.database, err = b.expand(r.Database, req.EntityID); err != nil {
			return a, "", err
		}
	}
	if err := a.narrow(d); err != nil {
		return a, "", err
	}
	a.lifetime, warning, err = b.lifetime(r, time.Duration(d.Get("ttl").(int))*time.Second)
	return a, warning, err
}

// expand fills in a template from the caller's entity. The result is a database name or
// an error, never a path to something else.
func (b *backend) expand(template, entityID string) (string, error) {
	if !strings.Contains(template, "{{") {
		return template, nil
	}
	const who = "this role has a database for each entity, and "
	if entityID == "" {
		return "", logical.CodedError(http.StatusForbidden, who+"the token that asks has none: sign in with an auth method, not with a root token")
	}
	name, err := framework.PopulateIdentityTemplate(template, entityID, b.System())
	if err != nil {
		return "", logical.CodedError(http.StatusForbidden, who+"yours has nothing for the template "+template)
	}
	if !databaseName.MatchString(name) {
		return "", logical.CodedError(http.StatusForbidden, fmt.Sprintf("%syours makes %.64q of the template %s, which is no database's name", who, name, template))
	}
	return name, nil
}

// narrow reduces the role's rights to the request. A request for more is refused.
func (a *asked) narrow(d *framework.FieldData) error {
	role := *a
	if text, given := d.GetOk("access"); given && text != "" {
		access, err := provider.ParseAccess(text.(string))
		if err != nil {
			return logical.CodedError(http.StatusBadRequest, err.Error())
		}
		a.access = access
	}
	if texts, given := d.GetOk("permissions"); given && len(texts.([]string)) > 0 {
		permissions, err := parsePermissions(texts.([]string))
		if err != nil {
			return logical.CodedError(http.StatusBadRequest, err.Error())
		}
		a.permissions = permissions
	}
	// The request is checked like the token will be: as claims, against the role.
	claims := provider.Claims{Database: &provider.DatabaseClaims{DatabaseID: "any", Access: a.access, Permissions: a.permissions}}
	if claims.Authorizes(provider.Target{}, role.access, role.permissions) != nil {
		return logical.CodedError(http.StatusForbidden, fmt.Sprintf("the role %s allows less than was asked for: access %s%s", a.role, role.access, permissionText(role.permissions)))
	}
	return nil
}

func permissionText(permissions []provider.Permission) string {
	if len(permissions) == 0 {
		return ""
	}
	return ", permissions " + strings.Join(formatPermissions(permissions), " ")
}

// lifetime limits the requested lifetime, or the role's own, by the role, the mount and,
// unless the role says more, a quarter of an hour.
func (b *backend) lifetime(r *role, wanted time.Duration) (time.Duration, string, error) {
	limit := r.MaxTTL
	if limit == 0 {
		limit = max(maxLifetime, r.TTL)
	}
	limit = min(limit, b.System().MaxLeaseTTL())
	life := r.TTL
	if life == 0 {
		life = min(maxLifetime, b.System().DefaultLeaseTTL())
	}
	if wanted < 0 {
		return 0, "", logical.CodedError(http.StatusBadRequest, "ttl is a duration like 10m, not below zero")
	}
	if wanted > 0 {
		life = wanted
	}
	if life > limit {
		if wanted > 0 {
			return limit, fmt.Sprintf("ttl %v is more than the %v that the role and the mount allow", wanted, limit), nil
		}
		life = limit
	}
	return life, "", nil
}

// minted is a token with what is known about it.
type minted struct {
	value    string
	claims   provider.Claims
	database turso.Database
	group    turso.Group
	org      string
}

// mint has Turso mint the token. If the API token was replaced and revoked in the
// meantime, possibly more than once, it retries with the new one.
func (b *backend) mint(ctx context.Context, s logical.Storage, a asked) (minted, error) {
	conf, err := b.knownConfig(ctx, s)
	if err != nil {
		return minted{}, err
	}
	if conf == nil {
		return minted{}, errNotConfigured
	}
	for {
		token, err := b.mintWith(ctx, conf, a)
		if !refused(err) {
			return token, err
		}
		next, readErr := b.config(ctx, s)
		if readErr != nil || next == nil || next.APIToken == conf.APIToken {
			return token, errors.Join(err, readErr)
		}
		conf = next
	}
}

func (b *backend) mintWith(ctx context.Context, conf *config, a asked) (minted, error) {
	c, err := b.client(conf)
	if err != nil {
		return minted{}, err
	}
	if a.group != "" {
		return b.mintForGroup(ctx, c, conf, a)
	}
	for {
		database, known, err := b.database(ctx, c, conf, a.database)
		if err != nil {
			return minted{}, err
		}
		token, err := b.mintForDatabase(ctx, c, conf, database, a)
		if err == nil || !known || !(notFound(err) || errors.Is(err, errOtherDatabase)) {
			return token, err
		}
		b.cache.forget() // it was recreated, and has another id
	}
}

// errOtherDatabase: the token is for a database other than the known one of that name.
var errOtherDatabase = errors.New("the token is for another database")

func (b *backend) mintForDatabase(ctx context.Context, c *turso.Client, conf *config, database turso.Database, a asked) (minted, error) {
	value, err := c.CreateDatabaseToken(ctx, conf.Organization, database.Name, a.options())
	if err != nil {
		return minted{}, err
	}
	claims, err := decode(value)
	if err != nil {
		return minted{}, err
	}
	if claims.Database == nil || claims.Database.DatabaseID != database.ID {
		return minted{}, tooWide(errOtherDatabase)
	}
	err = claims.Fits(provider.TokenRequest{
		Target: provider.Target{DatabaseID: database.ID}, Access: a.access, Permissions: a.permissions, Lifetime: a.lifetime,
	}, b.now())
	if err != nil {
		return minted{}, tooWide(err)
	}
	return minted{value: value, claims: claims, database: database, org: conf.Organization}, nil
}

func (b *backend) mintForGroup(ctx context.Context, c *turso.Client, conf *config, a asked) (minted, error) {
	group, err := c.Group(ctx, conf.Organization, a.group)
	if err != nil {
		return minted{}, err
	}
	value, err := c.CreateGroupToken(ctx, conf.Organization, a.group, a.options())
	if err != nil {
		return minted{}, err
	}
	claims, err := decode(value)
	if err != nil {
		return minted{}, err
	}
	d := claims.Database
	switch {
	case d == nil || d.GroupID != group.ID || d.DatabaseID != "" || d.Namespaces != nil:
		return minted{}, tooWide(errors.New("it is not for the group " + a.group))
	case claims.Expires.IsZero() || claims.Life(b.now()) > a.lifetime+time.Second:
		return minted{}, tooWide(errors.New("it lives longer than was asked for"))
	case a.access == provider.AccessReadOnly && d.Access != provider.AccessReadOnly:
		return minted{}, tooWide(errors.New("it may write"))
	case len(a.permissions) > 0 && !sameLimits(d.Permissions, a.permissions):
		return minted{}, tooWide(errors.New("its permissions are others"))
	}
	return minted{value: value, claims: claims, group: group, org: conf.Organization}, nil
}

// sameLimits uses the guard for databases, which refuses a group's token as such.
func sameLimits(has, want []provider.Permission) bool {
	claims := provider.Claims{Database: &provider.DatabaseClaims{DatabaseID: "any", Permissions: has}}
	return claims.Authorizes(provider.Target{}, provider.AccessReadWrite, want) == nil
}

func (a asked) options() turso.TokenOptions {
	o := turso.TokenOptions{Expiration: a.lifetime, Authorization: turso.FullAccess}
	if a.access == provider.AccessReadOnly {
		o.Authorization = turso.ReadOnly
	}
	for _, p := range a.permissions {
		actions := make([]string, len(p.Actions))
		for i, action := range p.Actions {
			actions[i] = string(action)
		}
		o.Permissions = append(o.Permissions, turso.Permission{Tables: p.Tables, Actions: actions})
	}
	return o
}

// decode reads the claims of a token from Turso, without verifying it: Turso publishes no
// key for the tokens that it mints, and this one came over TLS from its API.
func decode(value string) (provider.Claims, error) {
	claims, err := jwks.DecodeUnverified(provider.NewSecret(value))
	if err != nil || claims.Algorithm == "" || claims.Algorithm == "none" {
		return provider.Claims{}, logical.CodedError(http.StatusBadGateway, "what Turso minted is not a signed JWT")
	}
	return claims, nil
}

func tooWide(reason error) error {
	return fmt.Errorf("%w: %w", logical.CodedError(http.StatusBadGateway, "the token that Turso minted was discarded"), reason)
}

// answer returns the token with its lease, which ends with it.
func (b *backend) answer(a asked, token minted) *logical.Response {
	issued := token.claims.Issued
	if issued.IsZero() {
		issued = b.now()
	}
	data := map[string]any{
		"token": token.value, "organization": token.org, "access": string(a.access),
		"permissions": formatPermissions(a.permissions),
		"issued":      issued.UTC().Format(time.RFC3339), "expires": token.claims.Expires.UTC().Format(time.RFC3339),
	}
	internal := map[string]any{
		"role": a.role, "organization": token.org, "revoke": a.revoke,
		"issued": issued.Unix(), "expires": token.claims.Expires.Unix(),
	}
	if a.group != "" {
		data["group"], data["group_id"] = a.group, token.group.ID
	} else {
		data["database"], data["database_id"] = token.database.Name, token.database.ID
		data["url"] = "libsql://" + token.database.Hostname
		internal["database"], internal["database_id"] = token.database.Name, token.database.ID
	}
	resp := b.Secret(tokenType).Response(data, internal)
	resp.Secret.TTL = max(token.claims.Life(b.now()).Truncate(time.Second), time.Second)
	resp.Secret.MaxTTL = resp.Secret.TTL
	return resp
}

func formatPermissions(permissions []provider.Permission) []string {
	texts := []string{}
	for _, p := range permissions {
		actions := make([]string, len(p.Actions))
		for i, action := range p.Actions {
			actions[i] = string(action)
		}
		table := "all"
		if len(p.Tables) == 1 {
			table = p.Tables[0]
		}
		texts = append(texts, table+":"+strings.Join(actions, ","))
	}
	return texts
}
