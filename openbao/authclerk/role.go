package authclerk

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/helper/tokenutil"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/zen-auth/zen/openbao/internal/stored"
)

const rolePrefix = "role/"

var (
	validSubject      = regexp.MustCompile(`^(user|org|mch)_[A-Za-z0-9]+$`)
	validOrganization = regexp.MustCompile(`^org_[A-Za-z0-9]+$`)
)

func isOrganization(subject string) bool { return strings.HasPrefix(subject, "org_") }
func isUser(subject string) bool         { return strings.HasPrefix(subject, "user_") }

// role says which keys sign in to what, as it is stored.
type role struct {
	tokenutil.TokenParams
	Subjects      []string       `json:"bound_subjects,omitempty"`
	Organizations []string       `json:"bound_organizations,omitempty"`
	Scopes        []string       `json:"bound_scopes,omitempty"`
	Claims        map[string]any `json:"bound_claims,omitempty"`
}

func (b *backend) pathRoles() []*framework.Path {
	one := &framework.Path{
		Pattern: "role/" + framework.GenericNameRegex("name"),
		Fields: map[string]*framework.FieldSchema{
			"name":                {Type: framework.TypeString, Description: "Name of the role."},
			"bound_subjects":      {Type: framework.TypeCommaStringSlice, Description: "Ids of users, organizations or machines (user_..., org_..., mch_...) whose keys are taken."},
			"bound_organizations": {Type: framework.TypeCommaStringSlice, Description: "Ids of organizations (org_...): keys of theirs are taken, and of users who are members now."},
			"bound_scopes":        {Type: framework.TypeCommaStringSlice, Description: "Scopes that a key needs, all of them. Keys that users make themselves have none."},
			"bound_claims":        {Type: framework.TypeMap, Description: "Claims that a key needs, each with its value or a list of good ones."},
		},
		ExistenceCheck: stored.Exists(rolePrefix),
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation:   &framework.PathOperation{Callback: b.readRole, Summary: "Read a role."},
			logical.CreateOperation: writing(b.writeRole, "Write a role."),
			logical.UpdateOperation: writing(b.writeRole, "Write a role. What is left out stays."),
			logical.DeleteOperation: writing(b.deleteRole, "Delete a role. What it signed in can't be renewed any more."),
		},
		HelpSynopsis:    "Whose API keys sign in, and to which policies.",
		HelpDescription: "A role binds at least one of subjects, organizations, scopes and claims; a key has to satisfy all that are given.",
	}
	tokenutil.AddTokenFields(one.Fields)
	return []*framework.Path{{
		Pattern: "role/?$",
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ListOperation: &framework.PathOperation{Callback: stored.List(rolePrefix), Summary: "List the roles."},
		},
		HelpSynopsis:    "List the roles.",
		HelpDescription: "The names of all roles.",
	}, one}
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
	data := map[string]any{
		"bound_subjects": r.Subjects, "bound_organizations": r.Organizations, "bound_scopes": r.Scopes, "bound_claims": r.Claims,
	}
	r.PopulateTokenData(data)
	return &logical.Response{Data: data}, nil
}

func (b *backend) deleteRole(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	return nil, req.Storage.Delete(ctx, rolePrefix+d.Get("name").(string))
}

func (b *backend) writeRole(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	name := d.Get("name").(string)
	r, err := b.role(ctx, req.Storage, name)
	if err != nil {
		return nil, err
	}
	if r == nil {
		r = new(role)
	}
	if err := r.ParseTokenFields(req, d); err != nil {
		return logical.ErrorResponse(err.Error()), nil
	}
	for key, field := range map[string]*[]string{"bound_subjects": &r.Subjects, "bound_organizations": &r.Organizations, "bound_scopes": &r.Scopes} {
		if value, given := d.GetOk(key); given {
			*field = value.([]string)
		}
	}
	if value, given := d.GetOk("bound_claims"); given {
		r.Claims = value.(map[string]any)
	}
	if err := r.check(); err != nil {
		return logical.ErrorResponse(err.Error()), nil
	}
	entry, err := logical.StorageEntryJSON(rolePrefix+name, r)
	if err != nil {
		return nil, err
	}
	return nil, req.Storage.Put(ctx, entry)
}

func (r *role) check() error {
	if len(r.Subjects)+len(r.Organizations)+len(r.Scopes)+len(r.Claims) == 0 {
		return errors.New("a role binds at least one of bound_subjects, bound_organizations, bound_scopes and bound_claims: without any, every API key of the instance would be taken, and users make their own")
	}
	for _, subject := range r.Subjects {
		if !validSubject.MatchString(subject) {
			return fmt.Errorf("bound_subjects: %.64q is not an id like user_2abc, org_2abc or mch_2abc", subject)
		}
	}
	for _, id := range r.Organizations {
		if !validOrganization.MatchString(id) {
			return fmt.Errorf("bound_organizations: %.64q is not an id like org_2abc; a slug can be taken over by another organization", id)
		}
	}
	for name, want := range r.Claims {
		for _, value := range listOf(want) {
			switch value.(type) {
			case string, bool, float64:
			default:
				return fmt.Errorf("bound_claims: %.64q wants a text, number or truth value, or a list of such", name)
			}
		}
		if len(listOf(want)) == 0 {
			return fmt.Errorf("bound_claims: %.64q has no value that is good", name)
		}
	}
	for _, scope := range r.Scopes {
		if strings.TrimSpace(scope) == "" {
			return errors.New("bound_scopes has an empty scope")
		}
	}
	return nil
}

func listOf(value any) []any {
	list, ok := value.([]any)
	if !ok {
		return []any{normal(value)}
	}
	values := make([]any, len(list))
	for i, value := range list {
		values[i] = normal(value)
	}
	return values
}

// normal converts numbers to JSON's form.
func normal(value any) any {
	if number, ok := value.(interface{ Float64() (float64, error) }); ok { // json.Number
		if f, err := number.Float64(); err == nil {
			return f
		}
	}
	if number, ok := value.(int); ok {
		return float64(number)
	}
	return value
}

// takes reports whether the role accepts a key, apart from organizations. It doesn't say
// what is missing, which the key's holder may not be allowed to know.
func (r *role) takes(key apiKey) bool {
	if len(r.Subjects) > 0 && !slices.Contains(r.Subjects, key.Subject) {
		return false
	}
	for _, scope := range r.Scopes {
		if !slices.Contains(key.Scopes, scope) {
			return false
		}
	}
	for name, want := range r.Claims {
		has, ok := key.Claims[name]
		if !ok || !slices.ContainsFunc(listOf(has), func(value any) bool {
			return slices.ContainsFunc(listOf(want), func(good any) bool { return equal(good, value) })
		}) {
			return false
		}
	}
	return true
}

// equal compares scalar JSON values; lists and objects are never equal.
func equal(a, b any) bool {
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		return ok && a == b
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	case float64:
		b, ok := b.(float64)
		return ok && a == b
	}
	return false
}
