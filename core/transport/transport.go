// Package transport puts a session's token on the requests to one database, and
// acts on a refusal: one new token, one more try, and then an error that says why.
package transport

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
)

// maxRefusal bounds how much of a refusal is read.
const maxRefusal = 64 << 10

// Source hands out tokens.
type Source interface {
	// Token returns a token that is good now.
	Token(ctx context.Context) (provider.Token, error)
	// Renew returns another one than refused, which the server turned down.
	Renew(ctx context.Context, refused provider.Token) (provider.Token, error)
}

// RoundTripper sends requests to one database with the token of a Source. It is
// safe for concurrent use.
type RoundTripper struct {
	base    http.RoundTripper
	source  Source
	target  provider.Target
	address *url.URL
	access  provider.Access

	mu sync.Mutex
	// guarded and claims are the last token that was found fit for the target, so
	// that each is decoded once.
	guarded provider.Secret
	claims  provider.Claims
}

// New returns a RoundTripper for target, whose HTTP address is address. Requests
// to any other scheme or host are refused: a token is never sent elsewhere.
func New(base http.RoundTripper, source Source, target provider.Target, address *url.URL, access provider.Access) *RoundTripper {
	return &RoundTripper{base: base, source: source, target: target, address: address, access: access}
}

// RoundTrip implements http.RoundTripper. Where the server refuses the token
// before it has run anything (401, or the 400 that Turso gives for a JWT it can't
// read), the request is sent once more with a renewed token; a second refusal is a
// *Refused error instead of a response.
func (t *RoundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != t.address.Scheme || req.URL.Host != t.address.Host {
		closeBody(req.Body)
		return nil, fmt.Errorf("%w: the request goes to %s, the token is for %s", provider.ErrPermission, req.URL.Host, t.address.Host)
	}
	token, err := t.source.Token(req.Context())
	if err != nil {
		closeBody(req.Body)
		return nil, err
	}
	resp, refused, err := t.send(req, req.Body, token)
	if err != nil || refused == nil {
		return resp, err
	}
	body, ok := again(req)
	if !ok {
		return nil, refused
	}
	renewed, err := t.source.Renew(req.Context(), token)
	if err != nil || renewed.Value.Equal(token.Value) {
		closeBody(body)
		refused.Renewal = err
		return nil, refused
	}
	resp, refused, err = t.send(req, body, renewed)
	if refused != nil {
		return nil, refused
	}
	return resp, err
}

// send makes one try. A refusal is returned in place of the response.
func (t *RoundTripper) send(req *http.Request, body io.ReadCloser, token provider.Token) (*http.Response, *Refused, error) {
	claims, err := t.guard(token)
	if err != nil {
		closeBody(body)
		return nil, nil, err
	}
	sent := req.Clone(req.Context())
	sent.Body = body
	sent.Header.Set("Authorization", "Bearer "+token.Value.Reveal())
	resp, err := t.base.RoundTrip(sent)
	if err != nil || resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusBadRequest {
		return resp, nil, err
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	if err != nil {
		resp.Body.Close()
		return nil, nil, fmt.Errorf("read refusal: %w", err)
	}
	if resp.StatusCode == http.StatusBadRequest && !bytes.Contains(text, []byte("JWT error")) {
		resp.Body = &replayed{io.MultiReader(bytes.NewReader(text), resp.Body), resp.Body}
		return resp, nil, nil
	}
	resp.Body.Close()
	return nil, newRefused(resp.StatusCode, text, claims, t.target), nil
}

// guard refuses a token that may not go to the target, whoever made it.
func (t *RoundTripper) guard(token provider.Token) (provider.Claims, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.guarded.IsZero() && t.guarded.Equal(token.Value) {
		return t.claims, nil
	}
	if err := token.ValidateValue(); err != nil {
		return provider.Claims{}, err
	}
	claims, err := jwks.DecodeUnverified(token.Value)
	if err != nil {
		return provider.Claims{}, err
	}
	if err := claims.Authorizes(t.target, t.access, nil); err != nil {
		return provider.Claims{}, err
	}
	t.guarded, t.claims = token.Value, claims
	return claims, nil
}

// replayed is a body whose beginning has been read already.
type replayed struct {
	io.Reader
	io.Closer
}

// again returns the request's body for a second try.
func again(req *http.Request) (io.ReadCloser, bool) {
	if req.Body == nil || req.Body == http.NoBody {
		return req.Body, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	return body, err == nil
}

// closeBody keeps the promise of http.RoundTripper for requests that aren't sent.
func closeBody(body io.Closer) {
	if body != nil {
		body.Close()
	}
}

// Interface guards
var _ http.RoundTripper = (*RoundTripper)(nil)
