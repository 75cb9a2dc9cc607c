package secretsturso

import (
	"context"
	"time"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"github.com/zen-auth/zen/core/turso"
)

func (b *backend) pathCheck() *framework.Path {
	return &framework.Path{
		Pattern: "config/check",
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation: writing(b.check, "Ask Turso whether the API token is good, and mint a read-only token that lives for a second."),
		},
		HelpSynopsis:    "What can be wrong, found out.",
		HelpDescription: "Asks Turso about the API token, the organization, and each role's database, and mints a read-only token that lives for a second. The answer has ok, and problems with one line each.",
	}
}

func (b *backend) check(ctx context.Context, req *logical.Request, _ *framework.FieldData) (*logical.Response, error) {
	conf, err := b.config(ctx, req.Storage)
	if err != nil {
		return nil, err
	}
	if conf == nil {
		return nil, errNotConfigured
	}
	c, err := b.client(conf)
	if err != nil {
		return nil, err
	}
	resp := &logical.Response{Data: conf.view()}
	problems := []string{}
	expires, err := c.Validate(ctx)
	if err != nil {
		problems = append(problems, err.Error())
	} else {
		if !expires.IsZero() {
			resp.Data["api_token_expires"] = expires.UTC().Format(time.RFC3339)
		}
		if err := b.prove(ctx, conf); err != nil {
			problems = append(problems, err.Error())
		}
		found, err := b.checkRoles(ctx, req.Storage, c, conf)
		if err != nil {
			return nil, err
		}
		problems = append(problems, found...)
	}
	resp.Data["ok"], resp.Data["problems"] = len(problems) == 0, problems
	return resp, nil
}

// checkRoles checks that the roles' databases exist. Templates name none until a request.
func (b *backend) checkRoles(ctx context.Context, s logical.Storage, c *turso.Client, conf *config) ([]string, error) {
	names, err := s.List(ctx, rolePrefix)
	if err != nil {
		return nil, err
	}
	var problems []string
	for _, name := range names {
		r, err := b.role(ctx, s, name)
		if err != nil {
			return nil, err
		}
		switch {
		case r == nil:
		case r.Group != "":
			_, err = c.Group(ctx, conf.Organization, r.Group)
		case databaseName.MatchString(r.Database):
			_, err = c.Database(ctx, conf.Organization, r.Database)
		}
		if err != nil {
			problems = append(problems, "role "+name+": "+err.Error())
		}
	}
	return problems, nil
}
