package authclerk

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/helper/cidrutil"
	"github.com/hashicorp/vault/sdk/helper/policyutil"
	"github.com/hashicorp/vault/sdk/logical"
)

func (b *backend) pathLogin() *framework.Path {
	return &framework.Path{
		Pattern: "login",
		Fields: map[string]*framework.FieldSchema{
			"role": {Type: framework.TypeString, Description: "Name of the role."},
			"api_key": {
				Type: framework.TypeString, DisplayAttrs: &framework.DisplayAttributes{Name: "API key", Sensitive: true},
				Description: "The secret of a Clerk API key (ak_...).",
			},
			"organization": {Type: framework.TypeString, Description: "Id of the organization to sign in to, where the key's user is in several that the role takes."},
		},
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.UpdateOperation: writing(b.login, "Sign in with an API key."),
		},
		HelpSynopsis:    "Sign in with a Clerk API key.",
		HelpDescription: "Clerk verifies the key; its answer is believed for 30 seconds.",
	}
}

// keyID matches Clerk's id of an API key, which begins as its secret does.
var keyID = regexp.MustCompile(`^ak_[0-9a-fA-F]{32}$`)

var errNotTaken = logical.CodedError(http.StatusForbidden, "the role doesn't take this API key: its subject, organization, scopes or claims are others than the role is bound to")

func (b *backend) login(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	secret, name := strings.TrimSpace(d.Get("api_key").(string)), d.Get("role").(string)
	switch {
	case name == "":
		return logical.ErrorResponse("role is missing"), nil
	case secret == "":
		return logical.ErrorResponse("api_key is missing"), nil
	case keyID.MatchString(secret):
		return logical.ErrorResponse("api_key is the id of a key: its secret is needed, which Clerk shows when the key is made"), nil
	case !strings.HasPrefix(secret, "ak_") || len(secret) > 512:
		return logical.ErrorResponse("api_key is not an API key of Clerk's, which begins with ak_"), nil
	}
	conf, err := b.config(ctx, req.Storage)
	if err != nil {
		return nil, err
	}
	if conf == nil {
		return nil, errNotConfigured
	}
	c := b.clerk(conf)
	key, err := b.verify(ctx, c, secret)
	if err != nil {
		return nil, coded(err)
	}
	r, err := b.role(ctx, req.Storage, name)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return logical.ErrorResponse("there is no role %.64q", name), nil
	}
	if len(r.TokenBoundCIDRs) > 0 && (req.Connection == nil || !cidrutil.RemoteAddrIsOk(req.Connection.RemoteAddr, r.TokenBoundCIDRs)) {
		return nil, logical.CodedError(http.StatusForbidden, "the role doesn't take anyone from this address")
	}
	member, err := b.admit(ctx, c, r, key, d.Get("organization").(string))
	if err != nil {
		return nil, coded(err)
	}
	return &logical.Response{Auth: r.auth(name, key, member)}, nil
}

// admit reports whether a role accepts a key, and for which organization.
func (b *backend) admit(ctx context.Context, c clerk, r *role, key apiKey, wanted string) (organization, error) {
	if !r.takes(key) {
		return organization{}, errNotTaken
	}
	if len(r.Organizations) == 0 && !isOrganization(key.Subject) {
		if wanted != "" {
			return organization{}, logical.CodedError(http.StatusBadRequest, "organization is only for roles that are bound to organizations")
		}
		return organization{}, nil
	}
	list, err := b.organizations(ctx, c, key.Subject)
	if err != nil {
		return organization{}, err
	}
	var good []organization
	for _, o := range list {
		if (len(r.Organizations) == 0 || slices.Contains(r.Organizations, o.ID)) && (wanted == "" || wanted == o.ID) {
			good = append(good, o)
		}
	}
	switch len(good) {
	case 0:
		return organization{}, errNotTaken
	case 1:
		return good[0], nil
	}
	ids := make([]string, len(good))
	for i, o := range good {
		ids[i] = o.ID
	}
	return organization{}, logical.CodedError(http.StatusBadRequest, fmt.Sprintf("the key's user is in several organizations that the role takes: give organization, one of %s", strings.Join(ids, ", ")))
}

// auth returns what a key signs in to.
func (r *role) auth(name string, key apiKey, o organization) *logical.Auth {
	metadata := map[string]string{"scopes": strings.Join(key.Scopes, " ")}
	if o.ID != "" {
		metadata["org"], metadata["org_slug"] = o.ID, o.Slug
	}
	about := map[string]string{"role": name, "subject": key.Subject, "key_id": key.ID}
	maps.Copy(about, metadata)
	auth := &logical.Auth{
		Alias:        &logical.Alias{Name: key.Subject, Metadata: metadata},
		DisplayName:  key.Subject,
		Metadata:     about,
		LeaseOptions: logical.LeaseOptions{Renewable: true},
		// The id is stored, not the secret: it is enough to check that the key is still
		// valid.
		InternalData: map[string]any{"role": name, "key_id": key.ID, "organization": o.ID},
	}
	r.PopulateTokenAuth(auth)
	return auth
}

// renew always asks Clerk again: a key that was revoked there, that the role no longer
// accepts, or whose user left the organization, can't renew a token.
func (b *backend) renew(ctx context.Context, req *logical.Request, _ *framework.FieldData) (*logical.Response, error) {
	if req.Auth == nil {
		return nil, errors.New("a renewal without what is to be renewed")
	}
	text := func(key string) string {
		value, _ := req.Auth.InternalData[key].(string)
		return value
	}
	conf, err := b.config(ctx, req.Storage)
	if err != nil {
		return nil, err
	}
	if conf == nil {
		return nil, errNotConfigured
	}
	r, err := b.role(ctx, req.Storage, text("role"))
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, logical.CodedError(http.StatusForbidden, "the role that signed in is gone: sign in again")
	}
	if !policyutil.EquivalentPolicies(r.TokenPolicies, req.Auth.TokenPolicies) {
		return nil, logical.CodedError(http.StatusForbidden, "the role has other policies now: sign in again")
	}
	c := b.clerk(conf)
	key, err := c.read(ctx, text("key_id"))
	if err != nil {
		return nil, coded(err)
	}
	if !key.good(b.now()) {
		b.forget()
		return nil, coded(errUnknownKey)
	}
	if _, err := b.admit(ctx, c, r, key, text("organization")); err != nil {
		return nil, coded(err)
	}
	resp := &logical.Response{Auth: req.Auth}
	resp.Auth.TTL, resp.Auth.MaxTTL, resp.Auth.Period = r.TokenTTL, r.TokenMaxTTL, r.TokenPeriod
	return resp, nil
}
