package gateway

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
)

// requestHeaders are the headers of a client that are forwarded. Everything else stays here:
// above all its Authorization and its cookies.
var requestHeaders = []string{
	"Content-Type", "Content-Encoding", "Accept", "Accept-Encoding", "Range", "If-Range",
	"X-Libsql-Client-Version", "X-Turso-Encryption-Key", "X-Turso-Encryption-Cipher", "X-Namespace", "User-Agent",
}

// responseHeaders are the headers that are not passed back: they are about the database's host,
// which the client doesn't know.
var responseHeaders = []string{
	"Set-Cookie", "Alt-Svc", "Location", "Strict-Transport-Security", "Www-Authenticate", "Clear-Site-Data",
	"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Methods",
	"Access-Control-Allow-Headers", "Access-Control-Expose-Headers", "Access-Control-Max-Age",
}

// rewrite makes the request that goes to the database. That the body can be had
// again doesn't survive the proxy's cloning by itself.
func (h *Handler) rewrite(p *httputil.ProxyRequest) {
	x := exchangeOf(p.In)
	header := make(http.Header, 4)
	for _, name := range requestHeaders {
		if values := p.In.Header[name]; len(values) > 0 {
			header[name] = values
		}
	}
	if x.route.hrana {
		// What is between here and there is the transport's to choose, unless the client
		// takes what a base_url can be found in.
		if delete(header, "Accept-Encoding"); acceptsGzip(p.In) {
			header.Set("Accept-Encoding", "gzip")
		}
	}
	if x.route.protobuf {
		delete(header, "Accept-Encoding")
	}
	if header["User-Agent"] == nil {
		header["User-Agent"] = []string{""} // or net/http writes its own
	}
	p.Out.Header = header
	p.Out.Trailer = nil // which nothing has looked at
	p.Out.GetBody = p.In.GetBody
	if x.held {
		// The proxy has wrapped it. Of a body that net/http knows to be in memory it
		// doesn't send the head in a packet of its own.
		p.Out.Body, _ = p.In.GetBody()
	}
	p.Out.Host = ""
	p.Out.URL = h.upstream(x.path)
}

// upstream returns the database's address for a path.
func (h *Handler) upstream(path string) *url.URL {
	u := *h.config.Address
	u.Path = strings.TrimRight(u.Path, "/") + path
	u.RawPath, u.RawQuery = "", ""
	return &u
}

// modify looks at an answer before any of it is passed on.
func (h *Handler) modify(resp *http.Response) error {
	x := exchangeOf(resp.Request)
	if x.begun != nil {
		x.begun()
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return errors.New("the database switches to another protocol, which was not asked for")
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 && resp.StatusCode != http.StatusNotModified {
		return fmt.Errorf("the database answers %d and leads to another address: redirects are not followed, the token must not go elsewhere", resp.StatusCode)
	}
	for _, name := range responseHeaders {
		resp.Header.Del(name)
	}
	resp.Header.Del("Trailer")
	resp.Body = untrailed{h.watch(x, resp.Body), resp}
	switch {
	case x.path == pullUpdates:
		return checkUpdates(resp)
	case resp.StatusCode != http.StatusOK:
	case x.route.hrana:
		return h.rebase(x, resp)
	case x.route.protobuf:
		return h.rebaseProtobuf(x, resp)
	}
	return nil
}

// untrailed is an answer's body without the trailers after it, which would reach the
// client past all that looks at headers.
type untrailed struct {
	io.ReadCloser
	resp *http.Response
}

func (u untrailed) Read(p []byte) (int, error) {
	n, err := u.ReadCloser.Read(p)
	if err != nil {
		u.resp.Trailer = nil
	}
	return n, err
}

// rebase replaces a base_url in an answer. A compressed one without passes through as it
// came.
func (h *Handler) rebase(x *exchange, resp *http.Response) error {
	follow := func(base string) (string, error) { return h.follow(x, base) }
	body := &rebased{from: resp.Body, follow: follow, scan: scan{name: "base_url"}}
	switch encoding := resp.Header.Get("Content-Encoding"); {
	case encoding == "" || encoding == "identity":
	case encoding == "gzip" && resp.Request.Header.Get("Accept-Encoding") == "gzip":
		seen := &recorder{from: bufio.NewReader(resp.Body)}
		plain, err := gzip.NewReader(seen)
		if err != nil {
			return fmt.Errorf("read the database's compressed answer: %w", err)
		}
		body.from = readCloser{plain, resp.Body}
		if err := body.peek(); err != nil {
			return err
		}
		if (body.done || body.seen) && !body.changed {
			resp.Body = readCloser{&checked{body: body, seen: seen}, resp.Body}
			return nil
		}
		seen.off = true
		resp.Header.Del("Content-Encoding")
		resp.Body, resp.ContentLength = body, -1
		resp.Header.Del("Content-Length")
		return nil
	default:
		return fmt.Errorf("the database encodes its answer as %s, unasked", short(encoding))
	}
	return passOn(resp, body)
}

// passOn has an answer's body replaced, after a look at its beginning.
func passOn(resp *http.Response, body interface {
	io.ReadCloser
	peek() error
	whole(size int64) ([]byte, error)
}) error {
	if n := resp.ContentLength; n >= 0 && n < bufferSize {
		// It is here at once, and goes on as one piece whose length is known.
		b, err := body.whole(n)
		if err == nil {
			replay(resp, b)
		}
		return err
	}
	if err := body.peek(); err != nil {
		return err
	}
	resp.Body, resp.ContentLength = body, -1
	resp.Header.Del("Content-Length")
	return nil
}

// maxAnswer limits how much of an answer without data is read.
const maxAnswer = 64 << 10

// replay gives an answer a body that was read already.
func replay(resp *http.Response, body []byte) {
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	resp.Header.Set("Content-Length", fmt.Sprint(len(body)))
}

// acceptsGzip reports whether a client takes gzip. A quality of zero is a no.
func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, quality, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		_, value, _ := strings.Cut(quality, "=")
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		return err != nil || q > 0
	}
	return false
}

// readCloser reads from one and closes the other.
type readCloser struct {
	io.Reader
	io.Closer
}

// follow translates a base_url of the database to one of the gateway. Only the path
// below the database's own may differ: another host would be handed the token.
func (h *Handler) follow(x *exchange, base string) (string, error) {
	u, err := url.Parse(base)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || clean(u.Path) == "" && u.Path != "" ||
		!strings.EqualFold(u.Scheme, h.config.Address.Scheme) || !strings.EqualFold(u.Host, h.config.Address.Host) {
		return "", fmt.Errorf("the database's base_url leads away from %s, and the token must not go there", h.config.Address.Host)
	}
	below, ok := strings.CutPrefix(strings.TrimRight(u.Path, "/"), strings.TrimRight(h.config.Address.Path, "/"))
	if !ok || below != "" && below[0] != '/' {
		return "", fmt.Errorf("the database's base_url leads to another path of %s", h.config.Address.Host)
	}
	return "http://" + x.host + below, nil
}
