package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/provider"
)

const (
	callTimeout = 20 * time.Second
	maxAnswer   = 1 << 20
)

// call is one request of OpenBao's API.
type call struct {
	// what is done, for errors: "log in at auth/jwt".
	what   string
	method string
	path   string // under /v1/
	query  url.Values
	token  provider.Secret
	body   any
	// wrap requests a wrapped response, if configured.
	wrap bool
}

// answer is the part that all responses have in common.
type answer struct {
	LeaseDuration int64           `json:"lease_duration"`
	Data          json.RawMessage `json:"data"`
	Auth          *authAnswer     `json:"auth"`
	WrapInfo      *struct {
		Token string `json:"token"`
	} `json:"wrap_info"`
	Errors []string `json:"errors"`
}

// authAnswer is the answer to a login.
type authAnswer struct {
	ClientToken   string `json:"client_token"`
	EntityID      string `json:"entity_id"`
	LeaseDuration int64  `json:"lease_duration"`
	Renewable     bool   `json:"renewable"`
}

// do makes a request, and unwraps a wrapped response.
func (p *openbao) do(ctx context.Context, c call) (answer, error) {
	if p.http == nil {
		return answer{}, &provider.Error{Kind: provider.ErrConfig, Message: "openbao: not configured", Hint: "set " + keyRole}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	a, err := p.send(ctx, c)
	if err != nil || a.WrapInfo == nil {
		return a, err
	}
	return p.send(ctx, call{
		what: c.what, method: http.MethodPost, path: "sys/wrapping/unwrap", token: provider.NewSecret(a.WrapInfo.Token),
	})
}

func (p *openbao) send(ctx context.Context, c call) (answer, error) {
	base := *p.settings.address
	for hop := 0; ; hop++ {
		resp, data, err := p.request(ctx, base, c)
		if err != nil {
			return answer{}, err
		}
		if next, ok := active(resp, base, hop); ok { // a standby that doesn't forward
			base = next
			continue
		}
		var a answer
		decoded := json.Unmarshal(data, &a)
		if resp.StatusCode >= 300 {
			return answer{}, refusal(c, resp, a.Errors)
		}
		if len(data) > 0 && decoded != nil || len(data) > maxAnswer {
			return answer{}, &provider.Error{
				Kind: provider.ErrUnavailable, Message: "openbao: " + c.what + ": the answer is not OpenBao's JSON",
				Hint: "is " + keyAddress + " that of OpenBao or Vault?",
			}
		}
		return a, nil
	}
}

func (p *openbao) request(ctx context.Context, base url.URL, c call) (*http.Response, []byte, error) {
	var body io.Reader
	if c.body != nil {
		encoded, err := json.Marshal(c.body)
		if err != nil {
			return nil, nil, err
		}
		body = bytes.NewReader(encoded)
	}
	base.Path += "/v1/" + c.path
	base.RawQuery = c.query.Encode()
	req, err := http.NewRequestWithContext(ctx, c.method, base.String(), body)
	if err != nil {
		return nil, nil, wrong(keyAddress, "it makes no URL")
	}
	req.Header.Set("X-Vault-Request", "true")
	req.Header.Set("User-Agent", "zen-provider-openbao/"+p.version)
	if p.settings.namespace != "" {
		req.Header.Set("X-Vault-Namespace", p.settings.namespace+"/")
	}
	if !c.token.IsZero() {
		if (provider.Token{Value: c.token}).ValidateValue() != nil {
			return nil, nil, wrong(keyToken, "it is no token: it is too long or has a character that no token has")
		}
		req.Header.Set("X-Vault-Token", c.token.Reveal())
	}
	if c.wrap && p.settings.wrapTTL > 0 {
		req.Header.Set("X-Vault-Wrap-TTL", p.settings.wrapTTL.String())
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := p.http.Do(req)
	if err != nil {
		return nil, nil, httpclient.Failure("openbao: "+c.what, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, nil, httpclient.Failure("openbao: "+c.what, err)
	}
	return resp, data, nil
}

// active returns the node that a standby redirects to. It follows one redirect, as
// OpenBao's own command line does, and never from https to http, because the request
// carries a token.
func active(resp *http.Response, from url.URL, hop int) (url.URL, bool) {
	if resp.StatusCode != http.StatusTemporaryRedirect || hop > 0 {
		return url.URL{}, false
	}
	to, err := resp.Location()
	if err != nil || to.Hostname() == "" || to.User != nil || to.Scheme != from.Scheme {
		return url.URL{}, false
	}
	if to.Scheme == "http" && !provider.IsLoopback(to.Hostname()) {
		return url.URL{}, false
	}
	prefix, _, found := strings.Cut(to.Path, "/v1/")
	return url.URL{Scheme: to.Scheme, Host: to.Host, Path: prefix}, found
}

// refusal returns the error for an unsuccessful response, in one line with a hint.
func refusal(c call, resp *http.Response, errs []string) error {
	text := oneLine(strings.Join(errs, "; "))
	e := &provider.Error{Message: fmt.Sprintf("openbao: %s: status %d", c.what, resp.StatusCode)}
	if text != "" {
		e.Message = fmt.Sprintf("openbao: %s: %s (status %d)", c.what, text, resp.StatusCode)
	}
	e.Kind = kindOf(resp.StatusCode)
	switch status := resp.StatusCode; {
	case status == http.StatusTemporaryRedirect:
		e.Hint = "the node is a standby, and its active node's address (api_addr) is no good from here"
	case status == http.StatusTooManyRequests:
		e.RetryAfter = httpclient.RetryAfter(resp.Header)
		e.Hint = "OpenBao limits how often this may be asked (a rate limit quota)"
	case status == http.StatusServiceUnavailable && strings.Contains(text, "sealed"):
		e.Message = "openbao: " + c.what + ": the server at " + resp.Request.URL.Host + " is sealed (status 503)"
		e.Hint = "an operator has to unseal it: bao operator unseal"
	case status == http.StatusNotFound && strings.Contains(text, "no handler for route"):
		mount, _, _ := strings.Cut(c.path, "/creds/")
		e.Message = "openbao: " + c.what + ": nothing is mounted at " + strings.TrimSuffix(mount, "/login") + " (status 404)"
		e.Hint = "check mount, auth_mount and namespace: bao secrets list and bao auth list show what there is"
	}
	return e
}

// kindOf returns the class of a refusal. The caller classifies a 403 more precisely.
func kindOf(status int) error {
	switch {
	case status == http.StatusForbidden:
		return provider.ErrPermission
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status == http.StatusPreconditionFailed, status >= 500, status < 400:
		return provider.ErrUnavailable // 412: the node hasn't caught up yet
	}
	return provider.ErrConfig
}

// oneLine makes foreign text safe for one line of a terminal.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }), " ")
	if runes := []rune(text); len(runes) > 300 {
		text = string(runes[:300]) + "..."
	}
	return strings.TrimSpace(text)
}
