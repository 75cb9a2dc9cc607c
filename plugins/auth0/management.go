package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

const (
	managementTimeout = 15 * time.Second
	maxManagementBody = 1 << 20
)

// management calls the tenant's Management API with a token entered for one repair.
type management struct {
	base   string // ends with /api/v2/
	token  provider.Secret
	client *http.Client
	// refused returns the error for an unsuccessful response.
	refused func(what string, res *http.Response, body []byte) error
}

// newManagement takes the API's address from the token's audience: it is at the tenant's
// own domain, even if there is a custom one.
func (p *auth0Provider) newManagement(token provider.Secret) (*management, error) {
	const hint = "make one in the Auth0 dashboard: Applications, APIs, Auth0 Management API, API Explorer"
	if token.IsZero() {
		return nil, bad(keyManagementToken, hint, "there is none")
	}
	if err := (provider.Token{Value: token}).ValidateValue(); err != nil {
		return nil, bad(keyManagementToken, hint, "%v", err)
	}
	var claims struct {
		Audience any `json:"aud"`
	}
	oauth.ReadClaims(token, &claims)
	audiences, _ := claims.Audience.([]any)
	audiences = append(audiences, claims.Audience)
	for _, audience := range audiences {
		text, _ := audience.(string)
		u, err := url.Parse(text)
		if err != nil || u.Path != "/api/v2/" || u.RawQuery != "" || u.User != nil {
			continue
		}
		ip := net.ParseIP(u.Hostname())
		if u.Scheme == "https" && u.Host != "" || u.Scheme == "http" && ip != nil && ip.IsLoopback() {
			return &management{base: text, token: token, refused: managementError, client: httpclient.Over(p.transport)}, nil
		}
	}
	return nil, bad(keyManagementToken, hint, "it is not a token of Auth0's Management API (aud https://TENANT/api/v2/)")
}

// call sends in, unless that is nil, and decodes the answer into out, unless that is nil.
func (m *management) call(ctx context.Context, method, path string, in, out any) error {
	what := method + " " + path
	ctx, cancel := context.WithTimeout(ctx, managementTimeout)
	defer cancel()
	var body io.Reader
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, m.base+path, body)
	if err != nil {
		return &provider.Error{Kind: provider.ErrConfig, Message: "auth0: " + what + ": the request can't be made"}
	}
	req.Header.Set("Authorization", "Bearer "+m.token.Reveal())
	req.Header.Set("Accept", "application/json")
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, answer, err := httpclient.Do(m.client, req, maxManagementBody, "auth0: "+what)
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return m.refused(what, res, answer)
	}
	if out != nil && json.Unmarshal(answer, out) != nil {
		return &provider.Error{Kind: provider.ErrUnavailable, Message: "auth0: " + what + ": the answer is not Auth0's: is there a proxy between?"}
	}
	return nil
}

func managementError(what string, res *http.Response, body []byte) error {
	var answer struct {
		Message string `json:"message"`
		Code    string `json:"errorCode"`
	}
	_ = json.Unmarshal(body, &answer)
	text := fmt.Sprintf("auth0: %s: HTTP %d", what, res.StatusCode)
	if message := oauth.Harmless(answer.Message); message != "" {
		text += ", " + message
	}
	failure := &provider.Error{Kind: provider.ErrRejected, Message: text}
	switch {
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500:
		failure.Kind, failure.RetryAfter = provider.ErrUnavailable, retryAfter(res.Header)
	case res.StatusCode == http.StatusUnauthorized:
		failure.Hint = "the management token has expired, or is of another tenant"
	case res.StatusCode == http.StatusForbidden:
		failure.Kind, failure.Hint = provider.ErrPermission, "the management token lacks the scope that Auth0 names"
	}
	return failure
}

// retryAfter returns the wait that Auth0 asks for: the Management API gives the time at
// which its limit is reset, by its own clock, and Retry-After only sometimes.
func retryAfter(h http.Header) time.Duration {
	if wait := httpclient.RetryAfter(h); wait > 0 {
		return wait
	}
	reset, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil {
		return 0
	}
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(0, time.Unix(reset, 0).Sub(date)), time.Hour)
}

func escape(id string) string { return strings.ReplaceAll(url.PathEscape(id), "/", "%2F") }
