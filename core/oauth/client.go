package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/provider"
)

const (
	// callTimeout bounds one call, its body included.
	callTimeout = 15 * time.Second

	// abandonTimeout bounds the revocation of a sign-in that came to nothing.
	abandonTimeout = 5 * time.Second
	// maxBody bounds an answer.
	maxBody = 1 << 20
)

// Client is an application at an issuer: a public one, unless Secret or Key is set.
type Client struct {
	// Name goes before every error: "auth0".
	Name string
	// ID is the client_id.
	ID       string
	Metadata Metadata
	// Secret is the client_secret of a confidential client. It is sent in the body
	// where the metadata allows that, else in the header (RFC 6749 section 2.3.1).
	Secret provider.Secret
	// Key signs an assertion in place of a secret (RFC 7523, private_key_jwt).
	Key *Key
	// HTTP makes the requests; nil means one that goes through the proxy of the
	// environment. Its redirect policy and time-out are replaced.
	HTTP *http.Client
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Refused makes the error of an answer that has no error code of OAuth's, where the
	// issuer has a form of its own for some. what is what was asked for: "renew the sign-in".
	// Nil takes such an answer for one of another server.
	Refused func(what string, res *http.Response, body []byte) error
}

// Tokens are the answer of a token endpoint.
type Tokens struct {
	Access provider.Secret
	// Refresh is zero if there is none. After a refresh it is what counts from then
	// on, whether or not the issuer rotated it.
	Refresh provider.Secret
	// ID is the OpenID Connect ID token, zero if there is none. It is not verified.
	ID provider.Secret
	// Scope is what was granted, where the issuer says so.
	Scope string
	// Expires is the end of Access. Zero means that it is unknown.
	Expires time.Time
	// Nonce is the value that ID has to repeat, empty if none was sent.
	Nonce string
}

func (c *Client) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// httpClient is client, but follows no redirect: one could carry a code, a secret or
// the trust in a document elsewhere.
func httpClient(client *http.Client) *http.Client {
	if client == nil {
		client = httpclient.Client()
	}
	c := httpclient.Direct(client)
	c.Timeout = callTimeout
	return c
}

// Refresh exchanges a refresh token (RFC 6749 section 6) for tokens of these scopes; no
// scopes are all that were granted. It is one attempt: after one whose answer was lost,
// the issuer may have spent the token, and sending it again may end the sign-in.
func (c *Client) Refresh(ctx context.Context, refresh provider.Secret, scopes ...string) (Tokens, error) {
	return c.RefreshWith(ctx, refresh, scopes, nil)
}

// RefreshWith is Refresh with further parameters, such as the audience of another API.
func (c *Client) RefreshWith(ctx context.Context, refresh provider.Secret, scopes []string, extra url.Values) (Tokens, error) {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh.Reveal()}}
	if len(scopes) > 0 {
		form.Set("scope", strings.Join(scopes, " "))
	}
	merge(form, extra)
	return c.grant(ctx, "renew the sign-in", form)
}

// ClientCredentials asks for tokens of the client itself (RFC 6749 section 4.4). extra
// are further parameters, such as audience.
func (c *Client) ClientCredentials(ctx context.Context, scopes []string, extra url.Values) (Tokens, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if len(scopes) > 0 {
		form.Set("scope", strings.Join(scopes, " "))
	}
	merge(form, extra)
	return c.grant(ctx, "sign in as "+c.shortID(), form)
}

// shortID returns the client_id for people: it is public.
func (c *Client) shortID() string { return "the application " + Harmless(c.ID) }

// grant makes one request of the token endpoint.
func (c *Client) grant(ctx context.Context, what string, form url.Values) (Tokens, error) {
	if c.Metadata.TokenEndpoint == "" {
		return Tokens{}, c.lacks("token_endpoint")
	}
	if err := c.authenticate(form); err != nil {
		return Tokens{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ctx = context.WithValue(ctx, oauth2.HTTPClient, httpClient(c.HTTP))
	// Of x/oauth2 this is the one request that takes the parameters of every grant.
	request := clientcredentials.Config{
		ClientID: c.ID, ClientSecret: c.Secret.Reveal(), TokenURL: c.Metadata.TokenEndpoint,
		EndpointParams: form, AuthStyle: c.authStyle(),
	}
	token, err := request.Token(ctx)
	if err != nil {
		return Tokens{}, c.grantError(ctx, what, err)
	}
	if token.TokenType != "" && !strings.EqualFold(token.TokenType, "Bearer") {
		return Tokens{}, &provider.Error{
			Kind:    provider.ErrTokenInvalid,
			Message: prefixed(c.Name, "%s: the issuer's token is of type %.40q, not Bearer", what, token.TokenType),
		}
	}
	id, _ := token.Extra("id_token").(string)
	scope, _ := token.Extra("scope").(string)
	tokens := Tokens{
		Access: provider.NewSecret(token.AccessToken), Refresh: provider.NewSecret(token.RefreshToken), ID: provider.NewSecret(id), Scope: scope,
	}
	if token.ExpiresIn > 0 || !token.Expiry.IsZero() {
		tokens.Expires = c.now().Add(time.Until(token.Expiry)).UTC()
	}
	return tokens, nil
}

func (c *Client) authStyle() oauth2.AuthStyle {
	methods := c.Metadata.TokenAuthMethods
	if c.Secret.IsZero() || slices.Contains(methods, "client_secret_post") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// authenticate adds the assertion of a client with a key.
func (c *Client) authenticate(form url.Values) error {
	if c.Key == nil {
		return nil
	}
	assertion, err := c.assertion()
	if err != nil {
		return err
	}
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion.Reveal())
	return nil
}

func (c *Client) grantError(ctx context.Context, what string, err error) error {
	var refused *oauth2.RetrieveError
	var network *url.Error
	switch {
	case errors.As(err, &refused):
		return c.refusal(what, refused.Response, refused.Body, refused.ErrorCode, refused.ErrorDescription)
	case errors.As(err, &network):
		return httpclient.Failure(prefixed(c.Name, "%s", what), err)
	case ctx.Err() != nil:
		return httpclient.Failure(prefixed(c.Name, "%s", what), context.Cause(ctx))
	}
	// x/oauth2 may repeat the answer.
	return unavailable(c.Name, what, "the answer is not an OAuth token: is there a proxy or a sign-in page of the network?")
}

func (c *Client) lacks(endpoint string) error {
	return &provider.Error{
		Kind: provider.ErrConfig, Message: prefixed(c.Name, "the issuer %s has no %s", c.Metadata.Issuer, endpoint),
	}
}

// post sends a form to an endpoint beside the token endpoint and decodes the answer
// into out, unless out is nil. (x/oauth2's own device request heeds no context.)
func (c *Client) post(ctx context.Context, what, endpoint string, form url.Values, out any) error {
	if err := c.authenticate(form); err != nil {
		return err
	}
	inHeader := c.authStyle() == oauth2.AuthStyleInHeader
	if !inHeader {
		form.Set("client_id", c.ID)
		if !c.Secret.IsZero() {
			form.Set("client_secret", c.Secret.Reveal())
		}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return unavailable(c.Name, what, "the request can't be made")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if inHeader {
		req.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret.Reveal()))
	}
	res, body, err := httpclient.Do(httpClient(c.HTTP), req, maxBody, prefixed(c.Name, "%s", what))
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		var answer struct {
			Code        string `json:"error"`
			Description string `json:"error_description"`
		}
		_ = json.Unmarshal(body, &answer)
		return c.refusal(what, res, body, answer.Code, answer.Description)
	}
	if out != nil && json.Unmarshal(body, out) != nil {
		return unavailable(c.Name, what, "the answer is not the issuer's: is there a proxy or a sign-in page of the network?")
	}
	return nil
}

// Revoke ends a refresh token, and with it, at many issuers, all that came of the same
// sign-in (RFC 7009). A token that the issuer doesn't know is no error. Where the issuer
// can't revoke, the error is errors.ErrUnsupported.
func (c *Client) Revoke(ctx context.Context, refresh provider.Secret) error {
	if c.Metadata.RevocationEndpoint == "" {
		return &provider.Error{
			Kind:    errors.ErrUnsupported,
			Message: prefixed(c.Name, "the issuer %s has no revocation endpoint: the sign-in lives on there until it expires", c.Metadata.Issuer),
		}
	}
	form := url.Values{"token": {refresh.Reveal()}, "token_type_hint": {"refresh_token"}}
	return c.post(ctx, "revoke the sign-in", c.Metadata.RevocationEndpoint, form, nil)
}

// Abandon revokes a refresh token that no credential holds, because its sign-in came to nothing,
// so that it doesn't go on living at the issuer. It does so after the end of ctx, too, for
// at most five seconds, and on a best-effort basis: what ended the sign-in is what is worth
// telling. A zero refresh is nothing to do.
func (c *Client) Abandon(ctx context.Context, refresh provider.Secret) {
	if refresh.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonTimeout)
	defer cancel()
	_ = c.Revoke(ctx, refresh)
}

func merge(form, extra url.Values) {
	for name, values := range extra {
		form[name] = slices.Clone(values)
	}
}
