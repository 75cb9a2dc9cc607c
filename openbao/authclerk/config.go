package authclerk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"

	core "github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/openbao/internal/stored"
)

const (
	configKey     = "config"
	defaultAPIURL = "https://api.clerk.com/v1"
)

// config is the method's configuration, as it is stored.
type config struct {
	SecretKey string    `json:"secret_key"`
	Instance  string    `json:"instance,omitempty"`
	APIURL    string    `json:"api_url"`
	Changed   time.Time `json:"changed"` // when the secret key was set
}

var errNotConfigured = logical.CodedError(http.StatusBadRequest, "the auth method has no secret key: write config, with secret_key")

func (b *backend) pathConfig() *framework.Path {
	return &framework.Path{
		Pattern: "config",
		Fields: map[string]*framework.FieldSchema{
			"secret_key": {
				Type: framework.TypeString, DisplayAttrs: &framework.DisplayAttributes{Name: "Secret key", Sensitive: true},
				Description: "Secret key of the Clerk instance (sk_live_... or sk_test_...). It is never readable again. Required once.",
			},
			"instance": {
				Type:        framework.TypeString,
				Description: "Publishable key (pk_live_... or pk_test_...) of the instance that the secret key has to be of: config/check compares their key sets.",
			},
			"api_url": {Type: framework.TypeString, Description: "Base URL of Clerk's Backend API. The default is " + defaultAPIURL + "."},
		},
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation:   &framework.PathOperation{Callback: b.readConfig, Summary: "Read the configuration, without the secret key."},
			logical.UpdateOperation: writing(b.writeConfig, "Write the configuration. What is left out stays."),
			logical.DeleteOperation: writing(b.deleteConfig, "Forget the configuration. The secret key stays good at Clerk."),
		},
		HelpSynopsis:    "The secret key of the Clerk instance.",
		HelpDescription: "Clerk verifies an API key for who has the instance's secret key. An instance can have several: one of its own for this method can be rolled without the others.",
	}
}

// config reads what is stored; nil means nothing.
func (b *backend) config(ctx context.Context, s logical.Storage) (*config, error) {
	return stored.Read[config](ctx, s, configKey)
}

func (b *backend) readConfig(ctx context.Context, req *logical.Request, _ *framework.FieldData) (*logical.Response, error) {
	c, err := b.config(ctx, req.Storage)
	if err != nil || c == nil {
		return nil, err
	}
	return &logical.Response{Data: map[string]any{
		"instance": c.Instance, "api_url": c.APIURL, "secret_key_changed": c.Changed.UTC().Format(time.RFC3339),
	}}, nil
}

func (b *backend) writeConfig(ctx context.Context, req *logical.Request, d *framework.FieldData) (*logical.Response, error) {
	c, err := b.config(ctx, req.Storage)
	if err != nil {
		return nil, err
	}
	if c == nil {
		c = &config{APIURL: defaultAPIURL}
	}
	for key, field := range map[string]*string{"instance": &c.Instance, "api_url": &c.APIURL} {
		if value, given := d.GetOk(key); given {
			*field = strings.TrimSpace(value.(string))
		}
	}
	if value, given := d.GetOk("secret_key"); given {
		c.SecretKey, c.Changed = strings.TrimSpace(value.(string)), b.now()
	}
	if err := c.check(); err != nil {
		return logical.ErrorResponse(err.Error()), nil
	}
	c.APIURL = strings.TrimRight(c.APIURL, "/")
	entry, err := logical.StorageEntryJSON(configKey, c)
	if err != nil {
		return nil, err
	}
	defer b.forget() // concurrent logins use the old secret key
	return nil, req.Storage.Put(ctx, entry)
}

func (b *backend) deleteConfig(ctx context.Context, req *logical.Request, _ *framework.FieldData) (*logical.Response, error) {
	defer b.forget()
	return nil, req.Storage.Delete(ctx, configKey)
}

// check finds certain mistakes without asking Clerk. Its errors contain no secret.
func (c *config) check() error {
	live, ok := secretKey(c.SecretKey)
	switch kind := core.KindOfKey(c.SecretKey); {
	case c.SecretKey == "":
		return errors.New("secret_key is missing: the instance's secret key, from the API keys page of Clerk's dashboard")
	case kind != core.KeySecret && kind != core.KeyUnknown:
		return fmt.Errorf("secret_key is %s: the instance's secret key (sk_) is needed here", kind)
	case !ok:
		return errors.New("secret_key is no secret key: sk_live_ or sk_test_, and letters and digits")
	}
	if c.Instance != "" {
		instance, err := core.ParseKey(c.Instance)
		if err != nil {
			return errors.New("instance is no publishable key: pk_live_ or pk_test_, and letters and digits")
		}
		if names := map[bool]string{true: "live", false: "test"}; instance.Production != live {
			return fmt.Errorf("instance is of a %s instance, and secret_key of a %s one", names[instance.Production], names[live])
		}
	}
	return checkURL(c.APIURL)
}

// secretKey matches the secret keys of Clerk, live and test.
func secretKey(key string) (live, ok bool) {
	rest, live := strings.CutPrefix(key, "sk_live_")
	rest, test := strings.CutPrefix(rest, "sk_test_")
	return live, live != test && rest != "" && len(key) <= 512 &&
		strings.Trim(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-=+/$") == ""
}

// checkURL accepts https, and http on the loopback. Its errors don't repeat the URL.
func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "":
		return errors.New("api_url is not a whole URL like " + defaultAPIURL)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("api_url has a user name, a query or a fragment")
	case u.Scheme == "https" || u.Scheme == "http" && provider.IsLoopback(u.Hostname()):
		return nil
	}
	return errors.New("api_url is not https://, and not http:// on this machine")
}
