// Package transport puts a session's token on the requests to one database, and
// acts on a refusal: one new token, one more try, then the source's way around, and
// at last an error that says why.
package transport

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
)

const (
	// maxRefusal bounds how much of a refusal is read.
	maxRefusal = 64 << 10
	// refusalTime bounds how long that takes. Who reads other answers has bounds of their own.
	refusalTime = 30 * time.Second
)

// Source hands out tokens.
type Source interface {
	// Token returns a token that is good now.
	Token(ctx context.Context) (provider.Token, error)
	// Renew returns another one than refused, which the server turned down.
	Renew(ctx context.Context, refused provider.Token) (provider.Token, error)
}

// FallBacker is a Source with another way to a token, for a database that refuses
// those of the first.
type FallBacker interface {
	// FallBack returns a token of the next way, after refused and, where one could
	// be had, its successor were turned down. It is errors.ErrUnsupported where
	// there is none.
	FallBack(ctx context.Context, refused provider.Token) (provider.Token, error)
	// Accepted is called with the token of each request that the server accepted. It is quick
	// for all but the one that tried whether the first way works again.
	Accepted(ctx context.Context, token provider.Token)
}

// maxTries bounds how often one request is sent, whatever the source has to offer.
const maxTries = 6

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
// read), the request is sent once more with a renewed token, and then with those of
// the source's fallbacks, if it is a FallBacker. What is refused at last is a
// *Refused error instead of a response: the first refusal, which says what is wrong
// with the usual token.
//
// A request that [WithPatience] marks may meet the end of its token more than once: each
// such refusal is as good as the first.
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
	body := req.Body
	var first *Refused
	renewed := false
	began := time.Now()
	for try := 1; ; try++ {
		sent := time.Now()
		resp, refused, err := t.send(req, body, token)
		if err != nil || refused == nil {
			t.accepted(req, token, resp)
			return resp, err
		}
		first = cmp.Or(first, refused)
		ended := endedWhileWaiting(req.Context(), refused, began, sent, time.Now())
		if ended {
			first, renewed, try = refused, false, 1
		}
		var ok bool
		if body, ok = again(req); !ok || try == maxTries {
			closeBody(body)
			return nil, first
		}
		if ended {
			// Nothing is wrong with it. A source counts refusals, and this is none.
			if fresh, err := t.source.Token(req.Context()); err == nil && !fresh.Value.Equal(token.Value) {
				token = fresh
				continue
			}
		}
		next, err := t.next(req.Context(), token, refused, &renewed)
		if err != nil || next.Value.Equal(token.Value) {
			closeBody(body)
			first.Renewal = err
			return nil, first
		}
		token = next
	}
}

// next returns the token to try after a refused one: once a renewed one, then those
// of fallbacks. Who may not do this (ErrPermission), or was signed out, gets no
// other way in.
func (t *RoundTripper) next(ctx context.Context, token provider.Token, refused *Refused, renewed *bool) (provider.Token, error) {
	var err error
	if !*renewed {
		*renewed = true
		var next provider.Token
		next, err = t.source.Renew(ctx, token)
		if err == nil && !next.Value.Equal(token.Value) {
			return next, nil
		}
	}
	fallBacker, ok := t.source.(FallBacker)
	if !ok || refused.kind == provider.ErrPermission || err != nil && provider.Kind(err) != provider.ErrUnavailable {
		return token, err
	}
	next, fallErr := fallBacker.FallBack(ctx, token)
	switch {
	case fallErr == nil:
		return next, nil
	case errors.Is(fallErr, errors.ErrUnsupported):
		return token, err
	case err == nil:
		// Its text alone: the class of the failure is that of the refusal.
		return token, errors.New(fallErr.Error())
	}
	return token, fmt.Errorf("%w; %v", err, fallErr)
}

// accepted passes the good news on. A 400 that doesn't speak of the token is one, too: the
// server has looked at the request itself. With that the sync protocol ends a generation.
func (t *RoundTripper) accepted(req *http.Request, token provider.Token, resp *http.Response) {
	if fallBacker, ok := t.source.(FallBacker); ok && resp != nil && (resp.StatusCode < 300 || resp.StatusCode == http.StatusBadRequest) {
		fallBacker.Accepted(req.Context(), token)
	}
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
	timer := time.AfterFunc(refusalTime, func() { resp.Body.Close() })
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	// What was read whole as the time ended stands.
	if inTime := timer.Stop(); !inTime && (err != nil || len(text) == maxRefusal) {
		err = ErrSilent
	}
	if err != nil {
		resp.Body.Close()
		return nil, nil, fmt.Errorf("read refusal: %w", err)
	}
	if resp.StatusCode == http.StatusBadRequest && !bytes.Contains(text, []byte("JWT error")) {
		resp.Body = &replayed{io.MultiReader(bytes.NewReader(text), resp.Body), resp.Body}
		return resp, nil, nil
	}
	resp.Body.Close()
	refused := newRefused(resp.StatusCode, text, claims, t.target)
	refused.tellSkew(resp.Header.Get("Date"), t.address.Host, time.Now())
	return nil, refused, nil
}

// guard refuses a token that may not go to the target, no matter who made it. It vouches for
// nothing: the signature is the source's.
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
