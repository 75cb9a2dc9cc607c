package secretsturso

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"github.com/hashicorp/vault/sdk/logical"

	"github.com/zen-auth/zen/core/turso"
	"github.com/zen-auth/zen/openbao/internal/serve"
)

// validName matches the names that organizations, groups and API tokens may have here.
var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// errNotConfigured: config has not been written.
var errNotConfigured = logical.CodedError(http.StatusBadRequest, "the engine has no API token: write config, with api_token and organization")

// client uses the API token of a configuration. Clients share connections.
func (b *backend) client(c *config) (*turso.Client, error) {
	return b.clientWith(c.APIURL, c.APIToken)
}

func (b *backend) clientWith(apiURL, apiToken string) (*turso.Client, error) {
	agent := "openbao-plugin-secrets-turso"
	if version := serve.Version(); version != "" {
		agent += "/" + version
	}
	return turso.New(turso.Options{
		BaseURL:    apiURL,
		Token:      func(context.Context) (string, error) { return apiToken, nil },
		HTTPClient: b.http,
		UserAgent:  agent,
	})
}

// refused reports whether Turso turned the API token down, or one of its scopes.
func refused(err error) bool {
	var e *turso.Error
	return errors.As(err, &e) && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden)
}

func notFound(err error) bool {
	var e *turso.Error
	return errors.As(err, &e) && e.Status == http.StatusNotFound
}

// coded gives an error the HTTP status that shows its cause: 404 there is no such
// database, 502 the engine's API token isn't sufficient, 503 retry. The texts of
// turso.Error contain no secret. The result must not be wrapped, or the server would not
// see the status.
func coded(err error) error {
	if withStatus, ok := errors.AsType[logical.HTTPCodedError](err); ok {
		return logical.CodedError(withStatus.Code(), err.Error())
	}
	var e *turso.Error
	if !errors.As(err, &e) {
		return err
	}
	switch status, text := e.Status, e.Error(); {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return logical.CodedError(http.StatusBadGateway, text+": the engine's API token is revoked or lacks a scope; config/check tells, config/rotate-root or config mends it")
	case status == http.StatusPaymentRequired:
		return logical.CodedError(http.StatusBadGateway, text+": turso plan show tells what the plan includes")
	case status == http.StatusNotFound:
		return logical.CodedError(http.StatusNotFound, text)
	case errors.Is(err, turso.ErrBadToken), errors.Is(err, turso.ErrBadArgument):
		return logical.CodedError(http.StatusBadRequest, text)
	case status == http.StatusTooManyRequests && e.RetryAfter > 0:
		return logical.CodedError(http.StatusServiceUnavailable, fmt.Sprintf("%s: try again in %v", text, e.RetryAfter))
	case status == 0, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500, status < 300:
		return logical.CodedError(http.StatusServiceUnavailable, text)
	default:
		return logical.CodedError(http.StatusBadGateway, text)
	}
}

// databaseKey identifies a database.
type databaseKey struct{ apiURL, organization, name string }

// database finds a database at Turso; known says that it was found before, and may have
// been recreated since.
func (b *backend) database(ctx context.Context, c *turso.Client, conf *config, name string) (found turso.Database, known bool, err error) {
	key := databaseKey{conf.APIURL, conf.Organization, name}
	b.cache.mu.Lock()
	found, known = b.cache.databases[key]
	b.cache.mu.Unlock()
	if known {
		return found, true, nil
	}
	if found, err = c.Database(ctx, conf.Organization, name); err != nil {
		return turso.Database{}, false, err
	}
	b.cache.mu.Lock()
	defer b.cache.mu.Unlock()
	if len(b.cache.databases) >= maxCached {
		clear(b.cache.databases)
	}
	b.cache.databases[key] = found
	return found, false, nil
}
