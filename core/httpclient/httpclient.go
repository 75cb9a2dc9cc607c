// Package httpclient makes the transports of all HTTP clients of zen, and of providers
// that want the same: through the proxy of the environment, with bounds on waiting, and
// with one answer to what stands between a client and its server.
package httpclient

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// New returns a transport like net/http's default one, which may be changed before its
// first use, and is used through [Wrap]. Requests go through the proxy of HTTPS_PROXY or
// HTTP_PROXY, by the request's scheme, else of ALL_PROXY, unless NO_PROXY excludes the
// host. The names are also read in lower case. Requests to the loopback never go through
// a proxy. A value that can't be used is an error of class ErrConfig, which names the
// variable and not its content.
func New() *http.Transport {
	return &http.Transport{
		Proxy:                  proxyFor,
		DialContext:            dial,
		ForceAttemptHTTP2:      true,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  60 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
		// Without, a connection that the network forgot takes all requests for minutes.
		HTTP2:           &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
		TLSClientConfig: &tls.Config{RootCAs: authorities(runtime.GOOS, os.Getenv("SSL_CERT_FILE"))},
	}
}

// authorities returns the trusted ones; nil means the system's, among which crypto/x509
// counts those in the file that SSL_CERT_FILE names, but on macOS and Windows.
func authorities(system, file string) *x509.CertPool {
	if file == "" || system != "darwin" && system != "windows" {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil // as crypto/x509 does elsewhere
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil
	}
	pool.AppendCertsFromPEM(text)
	return pool
}

// dial connects localhost and the names under it to this machine, without asking the
// system's resolver (RFC 6761 section 6.3): where no file of hosts has them, that would
// ask the network, which could send a token in clear elsewhere.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: 15 * time.Second}
	host, port, err := net.SplitHostPort(address)
	if err != nil || net.ParseIP(host) != nil || !provider.IsLoopback(host) {
		return dialer.DialContext(ctx, network, address)
	}
	conn, err := dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		if six, err := dialer.DialContext(ctx, network, net.JoinHostPort("::1", port)); err == nil {
			return six, nil
		}
	}
	return conn, err
}

// Wrap returns a transport whose answers are those of servers that speak JSON. What
// something in between answers is an error instead, of class ErrUnavailable:
//
//   - 101 Switching Protocols, which was not asked for. Its body would be the bare
//     connection, which no context ends.
//   - 407 and 511, which proxies and captive portals send.
//   - A web page with a status of 2xx or 5xx: a sign-in page of the network, or the
//     error page of a gateway.
func Wrap(base http.RoundTripper) http.RoundTripper { return wrapped{base} }

// Client returns a client for an API: it has [New]'s transport under [Wrap], and follows
// no redirect, which could carry a credential elsewhere. It has no deadline of its own;
// requests have theirs in their contexts.
func Client() *http.Client { return Over(Wrap(New())) }

// Over returns a client over a transport, which follows no redirect either.
func Over(transport http.RoundTripper) *http.Client {
	return Direct(&http.Client{Transport: transport})
}

// Direct returns a copy of a client that follows no redirect and keeps no cookies.
func Direct(client *http.Client) *http.Client {
	c := *client
	c.Jar = nil
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// ErrTooLarge is an answer with more bytes than its reader takes.
var ErrTooLarge = errors.New("the answer is too large")

// ReadAll reads an answer of at most that many bytes. The error of a longer one, of which
// it returns the beginning, is [ErrTooLarge].
func ReadAll(r io.Reader, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(data)) > most {
		limit := fmt.Sprintf("%d KiB", most>>10)
		if most >= 1<<20 {
			limit = fmt.Sprintf("%d MiB", most>>20)
		}
		return data[:most], fmt.Errorf("%w: it is larger than %s", ErrTooLarge, limit)
	}
	return data, err
}

// Do sends a request and reads its answer, of at most that many bytes. what names the
// request in errors, which are those of [Failure]. The response, whose body is read and
// closed, is also returned beside an error of reading it.
func Do(client *http.Client, req *http.Request, most int64, what string) (*http.Response, []byte, error) {
	res, err := client.Do(req)
	if err != nil {
		return nil, nil, Failure(what, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := ReadAll(res.Body, most)
	if err != nil {
		return res, nil, Failure(what, err)
	}
	return res, body, nil
}

// Failure returns the error of a request that brought no answer: what was tried, and
// why it failed. Its class is the one that err has, else ErrUnavailable. The URL, which
// net/http puts before such an error, may have a secret in it and is left out.
func Failure(what string, err error) *provider.Error {
	if sent, ok := errors.AsType[*url.Error](err); ok {
		err = sent.Err
	}
	return &provider.Error{
		Kind:    cmp.Or(provider.Kind(err), provider.ErrUnavailable),
		Message: what + ": " + err.Error(),
		Err:     err,
	}
}

type wrapped struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (w wrapped) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.base.RoundTrip(req)
	if err != nil {
		return nil, explain(err)
	}
	what := inBetween(resp)
	if what == "" {
		return resp, nil
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		// A little of it is read, so that the connection can be used again, unless that
		// takes longer than a new one.
		timer := time.AfterFunc(time.Second, func() { resp.Body.Close() })
		_, _ = io.CopyN(io.Discard, resp.Body, 16<<10)
		timer.Stop()
	}
	resp.Body.Close()
	return nil, &answered{&provider.Error{
		Kind:       provider.ErrUnavailable,
		Message:    fmt.Sprintf("something in between answered for %s: %s", req.URL.Host, what),
		Hint:       "it is a proxy, a gateway or the network's sign-in page, or the URL is a web site's: open it in a browser",
		RetryAfter: RetryAfter(resp.Header),
	}}
}

// CloseIdleConnections closes those of the transport below.
func (w wrapped) CloseIdleConnections() {
	if base, ok := w.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// inBetween describes an answer that isn't the server's own. It returns "" for one that is.
func inBetween(resp *http.Response) string {
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	page := media == "text/html" || media == "application/xhtml+xml"
	switch status := resp.StatusCode; {
	case status == http.StatusSwitchingProtocols && (resp.Request == nil || resp.Request.Header.Get("Upgrade") == ""):
		return "status 101, a change of protocol that was not asked for"
	case status == http.StatusProxyAuthRequired:
		return "status 407, a proxy that wants a sign-in of its own"
	case status == http.StatusNetworkAuthenticationRequired:
		return "status 511, a network that wants a sign-in of its own"
	case page && (status < 300 || status >= 500):
		return fmt.Sprintf("a web page with status %d", status)
	}
	return ""
}

// RetryAfter reads Retry-After in both forms (RFC 9110 section 10.2.3), up to a day: a
// date counts from that of the answer. What is neither is zero.
func RetryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	var wait time.Duration
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		if date, err := http.ParseTime(h.Get("Date")); err == nil {
			wait = at.Sub(date)
		}
	}
	return min(max(0, wait), 24*time.Hour)
}

// answered is an answer of something in between, as an error of the network.
type answered struct{ err *provider.Error }

// Error implements error.
func (e *answered) Error() string { return e.err.Error() }

// Unwrap returns the contract's error.
func (e *answered) Unwrap() error { return e.err }

// Timeout and Temporary implement net.Error: what can be tried again, may be.
func (e *answered) Timeout() bool   { return false }
func (e *answered) Temporary() bool { return true }

// Interface guards
var (
	_ http.RoundTripper = wrapped{}
	_ net.Error         = (*answered)(nil)
)
