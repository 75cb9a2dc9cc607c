package authclerk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/hashicorp/vault/sdk/logical"

	"github.com/zen-auth/zen/openbao/internal/serve"
)

const (
	callTimeout = 10 * time.Second
	maxBody     = 1 << 20
	// maxMemberships is the largest number of a user's organizations that are read;
	// Clerk's pages have at most 500.
	maxMemberships = 500
)

// clerk is Clerk's Backend API with a secret key, or what an instance publishes,
// without one.
type clerk struct {
	http      *http.Client
	apiURL    string
	secretKey string
}

func (b *backend) clerk(c *config) clerk { return clerk{b.http, c.APIURL, c.SecretKey} }

// apiKey is Clerk's description of an API key, without its secret.
type apiKey struct {
	ID         string         `json:"id"`
	Subject    string         `json:"subject"`
	Name       string         `json:"name"`
	Scopes     []string       `json:"scopes"`
	Claims     map[string]any `json:"-"`
	Revoked    bool           `json:"revoked"`
	Expired    bool           `json:"expired"`
	Expiration *float64       `json:"expiration"`
}

// UnmarshalJSON treats claims that aren't an object, which Clerk allows, as none.
func (k *apiKey) UnmarshalJSON(data []byte) error {
	type plain apiKey
	var raw struct {
		plain
		Claims json.RawMessage `json:"claims"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*k = apiKey(raw.plain)
	if json.Unmarshal(raw.Claims, &k.Claims) != nil {
		k.Claims = nil
	}
	return nil
}

// ends returns the key's expiry; zero means never. Clerk's own documents have these times
// in milliseconds and in seconds.
func (k apiKey) ends() time.Time {
	if k.Expiration == nil || *k.Expiration <= 0 {
		return time.Time{}
	}
	if *k.Expiration > 1e11 {
		return time.UnixMilli(int64(*k.Expiration))
	}
	return time.Unix(int64(*k.Expiration), 0)
}

// good reports whether the key is valid for a sign-in.
func (k apiKey) good(now time.Time) bool {
	ends := k.ends()
	return !k.Revoked && !k.Expired && (ends.IsZero() || now.Before(ends)) && k.ID != "" && validSubject.MatchString(k.Subject)
}

// organization is one that a key belongs to.
type organization struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
}

// statusError is an answer other than 200.
type statusError struct {
	status     int
	retryAfter string
}

func (e *statusError) Error() string { return "Clerk answers with status " + strconv.Itoa(e.status) }

// errUnknownKey: Clerk knows no such API key, or it was revoked or has expired.
var errUnknownKey = errors.New("unknown API key")

func (c clerk) verify(ctx context.Context, secret string) (apiKey, error) {
	var key apiKey
	err := c.call(ctx, http.MethodPost, "/api_keys/verify", map[string]string{"secret": secret}, &key)
	return key, unknown(err)
}

func (c clerk) read(ctx context.Context, id string) (apiKey, error) {
	var key apiKey
	err := c.call(ctx, http.MethodGet, "/api_keys/"+url.PathEscape(id), nil, &key)
	return key, unknown(err)
}

// unknown distinguishes refusals of the API key from those of the secret key (401) by the
// status, since the codes are not documented.
func unknown(err error) error {
	if e, ok := errors.AsType[*statusError](err); ok && (e.status == http.StatusNotFound || e.status == http.StatusBadRequest || e.status == http.StatusUnprocessableEntity) {
		return errUnknownKey
	}
	return err
}

func (c clerk) memberships(ctx context.Context, user string) ([]organization, error) {
	var page struct {
		Data []struct {
			Organization organization `json:"organization"`
		} `json:"data"`
	}
	path := fmt.Sprintf("/users/%s/organization_memberships?limit=%d", url.PathEscape(user), maxMemberships)
	if err := c.call(ctx, http.MethodGet, path, nil, &page); err != nil {
		return nil, err
	}
	var list []organization
	for _, m := range page.Data {
		list = append(list, m.Organization)
	}
	return list, nil
}

func (c clerk) organization(ctx context.Context, id string) (organization, error) {
	var o organization
	err := c.call(ctx, http.MethodGet, "/organizations/"+url.PathEscape(id), nil, &o)
	return o, err
}

func (c clerk) call(ctx context.Context, method, path string, body, result any) error {
	var reader io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.apiURL+path, reader)
	if err != nil {
		return errors.New("no such address at Clerk's API")
	}
	if c.secretKey != "" {
		req.Header.Set("Authorization", "Bearer "+c.secretKey)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "openbao-plugin-auth-clerk "+serve.Version())
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if withURL, ok := errors.AsType[*url.Error](err); ok {
			err = withURL.Err
		}
		return fmt.Errorf("no answer of Clerk: %w", err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return fmt.Errorf("the answer of Clerk broke off: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return &statusError{resp.StatusCode, resp.Header.Get("Retry-After")}
	}
	if err := json.Unmarshal(data, result); err != nil {
		return errors.New("the answer of Clerk is not the JSON that was expected")
	}
	return nil
}

// coded gives an error the HTTP status that shows its cause: 403 the key, 502 the
// method's own secret key, 503 retry.
func coded(err error) error {
	var withStatus logical.HTTPCodedError
	var e *statusError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &withStatus):
		return logical.CodedError(withStatus.Code(), err.Error())
	case errors.Is(err, errUnknownKey):
		return logical.CodedError(http.StatusForbidden, "Clerk doesn't take this API key: it is unknown there, revoked or has expired")
	case errors.As(err, &e) && (e.status == http.StatusUnauthorized || e.status == http.StatusForbidden):
		return logical.CodedError(http.StatusBadGateway, "Clerk refuses the auth method's secret key: an operator has to write a new one to config")
	case errors.As(err, &e) && e.status == http.StatusTooManyRequests && e.retryAfter != "":
		return logical.CodedError(http.StatusServiceUnavailable, "Clerk has too many requests: try again in "+strconv.Quote(e.retryAfter)+" seconds")
	}
	return logical.CodedError(http.StatusServiceUnavailable, err.Error())
}
