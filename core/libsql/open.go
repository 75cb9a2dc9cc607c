// Package libsql is the connection manager: a target and a source of tokens in, a
// *sql.DB out, which lives as long as the application while tokens come and go
// underneath it.
package libsql

import (
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/libsql/hrana"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/transport"
)

// Options say which database to open, and how.
type Options struct {
	Target provider.Target
	Access provider.Access
	// Source hands out the tokens.
	Source transport.Source
	// Base carries the requests; nil is a transport of the package's own, with the
	// proxy of the environment.
	Base http.RoundTripper
}

// Open returns a database handle. It doesn't connect: the first statement does.
// Closing the handle ends its streams at the server.
func Open(options Options) (*sql.DB, error) {
	address, err := Address(options.Target.URL)
	if err != nil {
		return nil, err
	}
	base, own := options.Base, (*http.Transport)(nil)
	if base == nil {
		own = newBase()
		base = own
	}
	remote, err := hrana.NewConnector(hrana.Config{
		URL:       address,
		Transport: transport.New(base, options.Source, options.Target, address, options.Access),
	})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", options.Target.URL, err)
	}
	if own == nil {
		return sql.OpenDB(remote), nil
	}
	return sql.OpenDB(connector{remote, own}), nil
}

// Address is the HTTP address of a database URL: libsql:// means https, plain
// http is for loopback addresses alone.
func Address(target string) (*url.URL, error) {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		return nil, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("database URL %q is not of the form libsql://HOST", target),
			Hint:    "turso db show NAME --url prints it",
		}
	}
	switch {
	case u.Scheme == "libsql":
		u.Scheme = "https"
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("database URL %q would send the token unencrypted", target),
			Hint:    "use libsql:// or https://; http:// is for 127.0.0.1, [::1] and localhost",
		}
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("database URL %q has the scheme %q", target, u.Scheme),
			Hint:    "use libsql:// or https://",
		}
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// newBase is much like net/http's default transport, with as many idle connections
// to the one host as a *sql.DB may have in use.
func newBase() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 60 * time.Second,
	}
}

// connector closes the connections of a transport that is the manager's own, when
// *sql.DB is closed.
type connector struct {
	*hrana.Connector
	own *http.Transport
}

// Close implements io.Closer.
func (c connector) Close() error {
	err := c.Connector.Close()
	c.own.CloseIdleConnections()
	return err
}
