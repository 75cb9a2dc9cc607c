package app

import (
	"cmp"
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// bridgeRequest is a terminal's request, after the checks.
type bridgeRequest struct {
	redirectURI string
	origin      string // of redirectURI, as a CSP source
	state       string
	code        string
	client      string
	mode        string

	// Set when the page is shown.
	id       string
	expireAt time.Time
	answered bool
}

// One expression over the whole text leaves no room for two readings of a URL: no
// userinfo, no query, no fragment, no other host, no encoded characters. Lengths are
// checked separately, because a counted repetition is slow to compile.
var (
	redirectURI = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(http://(127\.0\.0\.1|\[::1\]):([1-9][0-9]{0,4}))/callback$`)
	})
	stateFormat = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_.~-]+$`) })
	codeFormat  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Z0-9]{4}-[A-Z0-9]{4}$`) })
	clientName  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._-]*$`) })
)

// parseBridgeRequest checks a terminal's request. Unknown parameters are the app's own
// and are allowed; a known one must not appear twice.
func parseBridgeRequest(query url.Values) (bridgeRequest, error) {
	for _, name := range []string{"redirect_uri", "state", "code", "client", "mode"} {
		if len(query[name]) > 1 {
			return bridgeRequest{}, errors.New(name + " is given more than once")
		}
	}
	req := bridgeRequest{
		redirectURI: query.Get("redirect_uri"), state: query.Get("state"), code: query.Get("code"),
		client: query.Get("client"), mode: query.Get("mode"),
	}
	parts := redirectURI().FindStringSubmatch(req.redirectURI)
	if parts == nil || !validPort(parts[3]) {
		return bridgeRequest{}, errors.New("redirect_uri must be http://127.0.0.1:PORT/callback: this page talks to a program on your own machine and to nothing else")
	}
	req.origin = parts[1]
	if parts[2] == "[::1]" {
		// The grammar of CSP sources has no IPv6 addresses
		// (w3c/webappsec-csp, host-source), so the scheme must do.
		req.origin = "http:"
	}
	req.client = cmp.Or(req.client, "A terminal")
	req.mode = cmp.Or(req.mode, "ticket")
	switch {
	case !stateFormat().MatchString(req.state) || len(req.state) < 16 || len(req.state) > 256:
		return bridgeRequest{}, errors.New("state must be 16 to 256 URL-safe characters")
	case !codeFormat().MatchString(req.code):
		return bridgeRequest{}, errors.New("code must look like WXYZ-2345")
	case !clientName().MatchString(req.client) || len(req.client) > 40:
		return bridgeRequest{}, errors.New("client must be a plain name of at most 40 characters")
	case req.mode != "ticket" && req.mode != "token":
		return bridgeRequest{}, errors.New("mode must be ticket or token")
	}
	return req, nil
}

func validPort(text string) bool {
	port, err := strconv.Atoi(text)
	return err == nil && port <= 65535
}

// reply returns the address that carries an answer back to the terminal.
func (req bridgeRequest) reply(answer url.Values) string {
	answer.Set("state", req.state)
	return req.redirectURI + "?" + answer.Encode()
}
