// Package oauthserver has what the stack's authorization servers share.
package oauthserver

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/zen-auth/zen/devstack/random"
)

// Credentials returns the id and the secret that a client sent, in the form or by HTTP Basic,
// where both are form-encoded first (RFC 6749, section 2.3.1).
func Credentials(r *http.Request, form url.Values) (id, secret string) {
	user, password, ok := r.BasicAuth()
	if !ok {
		return form.Get("client_id"), form.Get("client_secret")
	}
	if decoded, err := url.QueryUnescape(user); err == nil {
		user = decoded
	}
	if decoded, err := url.QueryUnescape(password); err == nil {
		password = decoded
	}
	return user, password
}

var challengeFormat = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`) // a SHA-256

// ValidChallenge reports whether a code challenge is one of the method S256 (RFC 7636,
// section 4.2).
func ValidChallenge(challenge string) bool { return challengeFormat.MatchString(challenge) }

// Verifies reports whether a code verifier matches a challenge.
func Verifies(challenge, verifier string) bool {
	sum := sha256.Sum256([]byte(verifier))
	return random.Same(base64.RawURLEncoding.EncodeToString(sum[:]), challenge)
}

// AllowsRedirect reports whether a redirect URI is a registered one. At the loopback hosts
// it may have any port (RFC 8252, section 7.3), which is registered without one.
func AllowsRedirect(registered []string, redirectURI string, loopback ...string) bool {
	if slices.Contains(registered, redirectURI) {
		return true
	}
	u, err := url.Parse(redirectURI)
	if err != nil || u.Scheme != "http" || u.User != nil || u.Fragment != "" || !slices.Contains(loopback, u.Hostname()) {
		return false
	}
	u.Host = strings.TrimSuffix(u.Host, ":"+u.Port())
	return slices.Contains(registered, u.String())
}

// WriteJSON writes an answer. What can't be written as JSON is a server_error.
func WriteJSON(w http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil {
		status, encoded = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(encoded)
}

// DeviceStatus is a person's answer about a device.
type DeviceStatus int

// The zero value means that the person has not answered yet.
const (
	DevicePending DeviceStatus = iota
	DeviceAllowed
	DeviceDenied
)

// Reply returns a redirect URI with an answer in its query.
func Reply(redirectURI string, answer url.Values) string {
	separator := "?"
	if strings.Contains(redirectURI, "?") {
		separator = "&"
	}
	return redirectURI + separator + answer.Encode()
}

// Origin returns the origin of an address, as a source for a content security policy that
// allows a form to redirect there. An address without an origin is named by its scheme.
func Origin(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme == "":
		return ""
	case u.Host == "" || strings.HasPrefix(u.Host, "["): // the grammar of CSP sources has no IPv6 addresses
		return u.Scheme + ":"
	}
	return u.Scheme + "://" + u.Host
}

// SameUserCode reports whether a person typed the code that a device shows. Case and
// separators don't matter (RFC 8628, section 6.1).
func SameUserCode(shown, typed string) bool {
	plain := func(s string) string { return strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(s)) }
	return random.Same(plain(shown), plain(typed))
}
