package clerk

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/provider"
)

const (
	// apiVersion is the one of clerk/javascript, whose behaviour is followed here.
	apiVersion = "2026-05-12"
	// CallTimeout bounds one call, its body included.
	CallTimeout = 15 * time.Second
	// maxBody bounds an answer. A client with its sessions and users has some KiB.
	maxBody = 1 << 20
)

// Frontend calls Clerk's Frontend API the way a native app does: with the client
// JWT in Authorization instead of cookies, marked by _is_native.
type Frontend struct {
	base      string
	client    *http.Client
	userAgent string
}

// NewFrontend returns a client of an instance's Frontend API. httpClient should follow no
// redirect ([httpclient.Over]): Clerk sends a native client none, and one could carry the
// client JWT elsewhere.
func NewFrontend(i Instance, httpClient *http.Client, userAgent string) *Frontend {
	return &Frontend{base: i.URL, client: httpClient, userAgent: userAgent}
}

// call is one call.
type call struct {
	// what names it in errors: "mint a token".
	what   string
	method string
	path   string
	query  url.Values
	form   url.Values
	// client is the client JWT, which the answer may replace; a zero one asks for a new
	// client.
	client *provider.Secret
}

// do makes the call and decodes the answer into out, unless out is nil. The client JWT
// that the server put in the place of the one sent counts beside an error, too.
func (f *Frontend) do(ctx context.Context, c call, out any) error {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	req, err := f.request(ctx, c)
	if err != nil {
		return err
	}
	res, body, err := httpclient.Do(f.client, req, maxBody, "clerk: "+c.what)
	if res != nil {
		*c.client = replaced(res.Header, *c.client)
	}
	switch {
	case err != nil:
		return err
	case res.StatusCode/100 != 2:
		return Refusal(c.what, res, body)
	}
	if out != nil && json.Unmarshal(body, out) != nil {
		return Unavailable(c.what, "the answer is not Clerk's: is there a proxy or a sign-in page of the network?")
	}
	return nil
}

func (f *Frontend) request(ctx context.Context, c call) (*http.Request, error) {
	query := url.Values{"_is_native": {"1"}, "__clerk_api_version": {apiVersion}}
	maps.Copy(query, c.query)
	method := c.method
	var body io.Reader
	if method != http.MethodGet {
		if method != http.MethodPost {
			// As clerk-js sends them.
			query.Set("_method", method)
			method = http.MethodPost
		}
		body = strings.NewReader(c.form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, f.base+c.path+"?"+query.Encode(), body)
	if err != nil {
		return nil, Unavailable(c.what, "the request can't be made")
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	// Bare, as Clerk's Expo SDK sends it; present and empty for a new client. An
	// Origin beside it would be refused.
	req.Header.Set("Authorization", c.client.Reveal())
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", f.userAgent)
	return req, nil
}

// replaced returns the client JWT of an answer, or the one that was sent.
func replaced(h http.Header, sent provider.Secret) provider.Secret {
	value := h.Get("Authorization")
	if scheme, rest, ok := strings.Cut(value, " "); ok && strings.EqualFold(scheme, "Bearer") {
		value = rest
	}
	next := provider.NewSecret(strings.TrimSpace(value))
	if (provider.Token{Value: next}).ValidateValue() != nil {
		return sent
	}
	return next
}

// Unavailable returns the error of something that may pass.
func Unavailable(what, reason string) *provider.Error {
	return &provider.Error{Kind: provider.ErrUnavailable, Message: "clerk: " + what + ": " + reason}
}
