package turso

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/provider"
)

const (
	// DefaultBaseURL is Turso's own API.
	DefaultBaseURL = "https://api.turso.tech"

	// callTimeout bounds one request, its body included.
	callTimeout = 15 * time.Second
	// maxBody bounds a response. A page of a thousand databases has about 400 KiB.
	maxBody = 1 << 20
)

// Options say how to reach the API.
type Options struct {
	// BaseURL is https, or http on loopback; "" means DefaultBaseURL. A path in it is
	// kept as a prefix (turso-cli drops it).
	BaseURL string
	// Token returns the API token. It is called once a request, and is a function
	// so that the client holds no secret.
	Token func(ctx context.Context) (string, error)
	// HTTPClient is copied; its redirect policy and cookie jar are not used. nil
	// is that of package httpclient.
	HTTPClient *http.Client
	// UserAgent is sent as it is, if not empty.
	UserAgent string
}

// Client is safe for concurrent use.
type Client struct {
	base      string
	token     func(context.Context) (string, error)
	http      *http.Client
	userAgent string
}

// New checks the options. It does not touch the network.
func New(o Options) (*Client, error) {
	o.BaseURL = cmp.Or(o.BaseURL, DefaultBaseURL)
	base, err := checkBaseURL(o.BaseURL)
	if err != nil {
		return nil, err
	}
	if o.Token == nil {
		return nil, errors.New("turso: no token function")
	}
	c := &Client{base: base, token: o.Token, userAgent: o.UserAgent}
	if o.HTTPClient == nil {
		o.HTTPClient = httpclient.Client()
	}
	// The API never redirects. Following one could carry the token elsewhere:
	// net/http keeps Authorization on its way to a subdomain.
	c.http = httpclient.Direct(o.HTTPClient)
	return c, nil
}

// checkBaseURL doesn't repeat the URL in its errors: it may have a password in it.
func checkBaseURL(s string) (string, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "":
		return "", errors.New("turso: the API's base URL is not a whole URL like " + DefaultBaseURL)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("turso: the API's base URL has a user name, a query or a fragment")
	case u.Scheme == "https", u.Scheme == "http" && provider.IsLoopback(u.Hostname()):
		return strings.TrimRight(u.String(), "/"), nil
	case u.Scheme == "http":
		return "", fmt.Errorf("turso: the API's base URL is http:// on %s, which is not this machine: write https://", u.Hostname())
	}
	return "", fmt.Errorf("turso: the API's base URL has the scheme %q: write https://", u.Scheme)
}
