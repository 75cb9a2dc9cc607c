package secretsturso

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
	"github.com/zen-auth/zen/openbao/internal/stored"
)

const configKey = "config"

// config is the engine's configuration, as it is stored.
type config struct {
	APIToken string `json:"api_token"`
	// APITokenName is Turso's name for the API token, if known: it can only be revoked by
	// name.
	APITokenName string    `json:"api_token_name,omitempty"`
	Organization string    `json:"organization"`
	Group        string    `json:"group,omitempty"`
	APIURL       string    `json:"api_url"`
	Changed      time.Time `json:"changed"` // when the API token was set
}

func (b *backend) pathConfig() *framework.Path {
	return &framework.Path{
		Pattern: "config",
		Fields: map[string]*framework.FieldSchema{
			"api_token": {
				Type: framework.TypeString, DisplayAttrs: &framework.DisplayAttributes{Name: "API token", Sensitive: true},
				Description: "Turso API token; turso auth api-tokens mint NAME makes one. It is never readable again. Required once.",
			},
			"api_token_name": {
				Type:        framework.TypeString,
				Description: "The name that the API token was minted under, so that config/rotate-root can revoke it.",
			},
			"organization": {Type: framework.TypeString, Description: "Slug of the Turso organization. Required once."},
			"group": {
				Type:        framework.TypeString,
				Description: "Group that config/rotate-root limits the new API token to: the one with the databases of the roles.",
			},
			"api_url": {
				Type: framework.TypeString, Description: "Base URL of the Turso Platform API. The default is " + turso.DefaultBaseURL + ".",
			},
		},
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation:   &framework.PathOperation{Callback: b.readConfig, Summary: "Read the configuration, without the API token."},
			logical.UpdateOperation: writing(b.writeConfig, "Write the configuration. What is left out stays."),
			logical.DeleteOperation: writing(b.deleteConfig, "Forget the configuration. The API token stays good at Turso."),
		},
		HelpSynopsis:    "The API token of the Turso organization, and where to use it.",
		HelpDescription: "One API token mints the tokens of all roles. The scopes read and db:mint-token of one group are enough, and db:rotate-creds where a role has revoke=\"rotate\"; config/rotate-root makes such a one of any.",
	}
}

// writing returns an operation that a standby node forwards to the active one. Only the
// active one can write.
func writing(callback framework.OperationFunc, summary string) *framework.PathOperation {
	return &framework.PathOperation{Callback: callback, Summary: summary, ForwardPerformanceStandby: true, ForwardPerformanceSecondary: true}
}

// config reads what is stored; nil means nothing.
func (b *backend) config(ctx context.Context, s logical.Storage) (*config, error) {
	return stored.Read[config](ctx, s, configKey)
}

func (c *config) store(ctx context.Context, s logical.Storage) error {
	entry, err := logical.StorageEntryJSON(configKey, c)
	if err != nil {
		return err
	}
	return s.Put(ctx, entry)
}

func (b *backend) readConfig(ctx context.Context, req *logical.Request, _ *framework.FieldData) (*logical.Response, error) {
	c, err := b.config(ctx, req.Storage)
	if err != nil || c == nil {
		return nil, err
	}
	return &logical.Response{Data: c.view()}, nil
}

// view returns the parts of a configuration that may be shown.
func (c *config) view() map[string]any {
	return map[string]any{
		"organization": c.Organization, "group": c.Group, "api_url": c.APIURL,
		"api_token_name": c.APITokenName, "api_token_changed": c.Changed.UTC().Format(time.RFC3339),
	}
}

func (b *backend) writeConfig(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	b.writing.Lock()
	defer b.writing.Unlock()
	c, err := b.config(ctx, req.Storage)
	if err != nil {
		return nil, err
	}
	if c == nil {
		c = &config{APIURL: turso.DefaultBaseURL}
	}
	for key, field := range map[string]*string{
		"organization": &c.Organization, "group": &c.Group, "api_url": &c.APIURL, "api_token_name": &c.APITokenName,
	} {
		if value, given := d.GetOk(key); given {
			*field = strings.TrimSpace(value.(string))
		}
	}
	if value, given := d.GetOk("api_token"); given {
		c.APIToken, c.Changed = strings.TrimSpace(value.(string)), b.now()
		if _, named := d.GetOk("api_token_name"); !named {
			c.APITokenName = "" // it was the previous one
		}
	}
	if err := c.check(); err != nil {
		return logical.ErrorResponse(err.Error()), nil
	}
	defer b.cache.forget()
	return nil, c.store(ctx, req.Storage)
}

func (b *backend) deleteConfig(ctx context.Context, req *logical.Request, _ *framework.FieldData) (*logical.Response, error) {
	b.writing.Lock()
	defer b.writing.Unlock()
	defer b.cache.forget()
	return nil, req.Storage.Delete(ctx, configKey)
}

// check finds certain mistakes without asking Turso. Its errors contain no secret.
func (c *config) check() error {
	switch {
	case c.APIToken == "":
		return fmt.Errorf("api_token is missing: a Turso API token, from turso auth api-tokens mint NAME")
	case c.Organization == "":
		return fmt.Errorf("organization is missing: the slug of the Turso organization, as turso org list shows it")
	}
	if err := checkAPIToken(c.APIToken); err != nil {
		return err
	}
	for what, name := range map[string]string{"organization": c.Organization, "group": c.Group, "api_token_name": c.APITokenName} {
		if name != "" && !validName.MatchString(name) {
			return fmt.Errorf("%s %.64q is not a name: letters, digits, dashes, dots and underscores, at most 64", what, name)
		}
	}
	if _, err := turso.New(turso.Options{BaseURL: c.APIURL, Token: func(context.Context) (string, error) { return "", nil }}); err != nil {
		return fmt.Errorf("api_url: %w", err)
	}
	return nil
}

// checkAPIToken refuses other kinds of tokens before they are stored.
func checkAPIToken(token string) error {
	secret := provider.NewSecret(token)
	if (provider.Token{Value: secret}).ValidateValue() != nil {
		return fmt.Errorf("api_token is no token: it is too long or has a character that no token has")
	}
	if strings.HasPrefix(token, "sk_") || strings.HasPrefix(token, "pk_") || strings.HasPrefix(token, "ak_") {
		return fmt.Errorf("api_token is a key of Clerk's: a Turso API token is needed here, from turso auth api-tokens mint NAME")
	}
	claims, err := jwks.DecodeUnverified(secret)
	if d := claims.Database; err == nil && d != nil && (d.GroupID != "" || d.RoleID != "" || len(d.Permissions) > 0 || d.Namespaces != nil) {
		return fmt.Errorf("api_token is a token for a database or a group: a Turso API token is needed here, from turso auth api-tokens mint NAME")
	}
	return nil
}
