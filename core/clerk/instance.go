package clerk

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/zen-auth/zen/core/provider"
)

// Instance is a Clerk instance as its publishable key describes it.
type Instance struct {
	// Host is the Frontend API's, with a port only on loopback. Behind a proxy it is all
	// of URL but the scheme.
	Host string
	// URL is the scheme and host. It is the issuer of every token, too.
	URL        string
	Production bool
}

// KeySetURL returns the URL at which the instance publishes its keys.
func (i Instance) KeySetURL() string { return i.URL + "/.well-known/jwks.json" }

// Fingerprint distinguishes instances without naming them: it is the beginning of a hash of the
// host, in hexadecimal.
func (i Instance) Fingerprint() string {
	sum := sha256.Sum256([]byte(i.Host))
	return hex.EncodeToString(sum[:8])
}

const keyHint = "copy the publishable key (pk_test_... or pk_live_...) from the API keys page of the Clerk dashboard"

// ParseKey decodes a publishable key the way keys.ts of clerk/javascript does: the
// prefix, then the base64 of the Frontend API's host and one $. On top of that the
// host must be nothing but a host, as it goes into URLs.
func ParseKey(key string) (Instance, error) {
	if strings.HasPrefix(key, "sk_") {
		return Instance{}, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: "publishable_key: this is a secret key (sk_...), which zen must never have",
			Hint:    "roll that key in the Clerk dashboard if it was stored anywhere, and " + keyHint,
		}
	}
	encoded, production := strings.CutPrefix(key, "pk_live_")
	encoded, development := strings.CutPrefix(encoded, "pk_test_")
	if production == development {
		return Instance{}, badKey("it does not start with pk_test_ or pk_live_")
	}
	decoded, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil {
		return Instance{}, badKey("what follows the prefix is not base64")
	}
	host, ended := strings.CutSuffix(string(decoded), "$")
	if !ended || strings.Contains(host, "$") || !strings.Contains(host, ".") {
		return Instance{}, badKey("it does not hold a host followed by one $")
	}
	i := Instance{Host: host, URL: "https://" + host, Production: production}
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	// RFC 8252 section 8.3: plain http is for IP literals of loopback.
	ip := net.ParseIP(name)
	loopback := ip != nil && ip.IsLoopback()
	if loopback {
		i.URL = "http://" + host
	}
	if _, badPort := strconv.ParseUint(port, 10, 16); !isHostname(name) || err == nil && (!loopback || badPort != nil) {
		return Instance{}, badKey("it does not hold a bare host name")
	}
	return i, nil
}

// Behind returns the instance where its Frontend API is known by another address than the one
// in the publishable key: a path of the app's own domain that forwards to it (Clerk's
// proxyUrl), or a satellite domain's. That address is the issuer of its tokens, letter by
// letter, without the slashes at its end.
func (i Instance) Behind(proxyURL string) (Instance, error) {
	address := strings.TrimRight(proxyURL, "/")
	u, err := url.Parse(address)
	reason := ""
	switch {
	case err != nil || u.Hostname() == "":
		reason = "it is not a whole URL"
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(address, "#"):
		reason = "it has a user name, a query or a fragment"
	case u.Scheme != "https" && !(u.Scheme == "http" && provider.IsLoopback(u.Hostname())):
		reason = "it is neither https nor http on loopback"
	case !isHostname(u.Hostname()) || strings.HasSuffix(u.Host, ":") || !isPath(u.EscapedPath()):
		reason = "it has more than a host and a path of letters, digits and -._~"
	}
	if reason != "" {
		// The URL is not repeated: it may have a password in it.
		return Instance{}, &provider.Error{
			Kind: provider.ErrConfig, Message: "proxy_url: " + reason,
			Hint: "it is proxyUrl of the app's Clerk settings, such as https://app.example/__clerk",
		}
	}
	i.URL, i.Host = address, strings.TrimPrefix(address, u.Scheme+"://")
	return i, nil
}

// isPath reports whether a path can be read in one way alone.
func isPath(path string) bool {
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if segment == "." || segment == ".." || segment == "" && path != "" {
			return false
		}
		for _, c := range []byte(segment) {
			if !isAlphanumeric(c) && !strings.ContainsRune("-._~", rune(c)) {
				return false
			}
		}
	}
	return true
}

func badKey(reason string) error {
	return &provider.Error{Kind: provider.ErrConfig, Message: "publishable_key: " + reason, Hint: keyHint}
}

func isHostname(name string) bool {
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
		for _, c := range []byte(label) {
			if !isAlphanumeric(c) && c != '-' {
				return false
			}
		}
	}
	return len(name) <= 253
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
