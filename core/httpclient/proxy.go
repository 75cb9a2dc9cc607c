package httpclient

import (
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"

	"golang.org/x/net/http/httpproxy"

	"github.com/zen-auth/zen/core/provider"
)

// proxyFor returns the proxy for a request, as New says. For a value that can't be used
// net/http would connect without the proxy.
func proxyFor(req *http.Request) (*url.URL, error) {
	if provider.IsLoopback(req.URL.Hostname()) { // the package below knows no names under localhost
		return nil, nil
	}
	environment, err := fromEnvironment()
	if err != nil {
		// Only what would have gone through it is stopped.
		if noProxy(req.URL) {
			return nil, nil
		}
		return nil, err
	}
	return environment(req.URL)
}

// fromEnvironment is read once, as in net/http.
var fromEnvironment = sync.OnceValues(func() (func(*url.URL) (*url.URL, error), error) {
	return proxies(os.Getenv)
})

// noProxy reports whether a URL is reached directly whatever the proxy is.
func noProxy(u *url.URL) bool {
	c := httpproxy.Config{HTTPProxy: "http://proxy.invalid", HTTPSProxy: "http://proxy.invalid", NoProxy: firstOf(os.Getenv, "NO_PROXY").value}
	proxy, err := c.ProxyFunc()(u)
	return proxy == nil && err == nil
}

// variable is one of the environment.
type variable struct{ name, value string }

// firstOf returns the first of the variables that is set, in upper or lower case.
func firstOf(getenv func(string) string, names ...string) variable {
	for _, name := range names {
		for _, name := range []string{name, strings.ToLower(name)} {
			if value := getenv(name); value != "" {
				return variable{name, value}
			}
		}
	}
	return variable{}
}

func proxies(getenv func(string) string) (func(*url.URL) (*url.URL, error), error) {
	secure, plain := firstOf(getenv, "HTTPS_PROXY", "ALL_PROXY"), firstOf(getenv, "HTTP_PROXY", "ALL_PROXY")
	if getenv("REQUEST_METHOD") != "" && strings.EqualFold(plain.name, "HTTP_PROXY") {
		plain = variable{} // a CGI program's HTTP_PROXY is what a client sent (https://httpoxy.org)
	}
	for _, v := range []variable{secure, plain} {
		if err := check(v); err != nil {
			return nil, err
		}
	}
	c := httpproxy.Config{HTTPProxy: plain.value, HTTPSProxy: secure.value, NoProxy: firstOf(getenv, "NO_PROXY").value}
	return c.ProxyFunc(), nil
}

// check refuses what httpproxy would take for no proxy at all.
func check(v variable) error {
	if v.value == "" {
		return nil
	}
	u, err := url.Parse(v.value)
	if err != nil || u.Host == "" || !strings.Contains(v.value, "://") {
		u, err = url.Parse("http://" + v.value)
	}
	why := ""
	switch {
	case err != nil:
		why = "its value is not a URL"
	case u.Hostname() == "":
		why = "its value has no host"
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5" && u.Scheme != "socks5h":
		why = "its scheme is not http, https, socks5 or socks5h"
	case strings.ContainsAny(v.value, "#?"), u.Path != "" && u.Path != "/":
		why = "its value has a path, a query or a fragment"
	default:
		return nil
	}
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: v.name + " can't be used: " + why,
		Hint:    "write it as http://USER:PASSWORD@HOST:PORT, and in the password % as %25, / as %2F, # as %23, a blank as %20",
	}
}

// explain adds what to do about an authority that isn't known here: a proxy that opens
// TLS has one of its own.
func explain(err error) error {
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) {
		return err
	}
	return &provider.Error{
		Kind:    provider.ErrUnavailable,
		Message: err.Error(),
		Hint:    "if your network uses its own certificate authority, set SSL_CERT_FILE to the file with its certificate",
		Err:     err,
	}
}
