package jwks

import (
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// readClaims brings the claims of every issuer into one form. It is strict about
// what decides (registered claims, Turso's), and passes over the rest where it has
// an unexpected shape: a JWT template may put anything there.
func readClaims(header map[string]any, m map[string]any) (provider.Claims, error) {
	c := provider.Claims{
		Algorithm:       text(header, "alg"),
		KeyID:           text(header, "kid"),
		Type:            text(header, "typ"),
		Category:        text(header, "cat"),
		ID:              text(m, "jti"),
		AuthorizedParty: text(m, "azp"),
		Session:         text(m, "sid"),
		Status:          text(m, "sts"),
		Organization:    readOrganization(m),
	}
	if actor, ok := m["act"].(map[string]any); ok {
		c.Actor = text(actor, "sub")
	}
	var err error
	if c.Issuer, err = requireText(m, "iss"); err != nil {
		return c, err
	}
	if c.Subject, err = requireText(m, "sub"); err != nil {
		return c, err
	}
	if c.Audience, err = readAudience(m); err != nil {
		return c, err
	}
	if c.Issued, err = readTime(m, "iat"); err != nil {
		return c, err
	}
	if c.NotBefore, err = readTime(m, "nbf"); err != nil {
		return c, err
	}
	if c.Expires, err = readTime(m, "exp"); err != nil {
		return c, err
	}
	c.Database, err = readDatabase(m)
	return c, err
}

// text returns a member that is a string, or "".
func text(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return s
}

// requireText is text for a member that must be a string where it is present. Null
// counts as absent, as it does for Turso.
func requireText(m map[string]any, name string) (string, error) {
	value := m[name]
	s, ok := value.(string)
	if value != nil && !ok {
		return "", malformed("claim %s is not a string", name)
	}
	return s, nil
}

// readAudience takes both forms of RFC 7519 section 4.1.3.
func readAudience(m map[string]any) ([]string, error) {
	switch value := m["aud"].(type) {
	case nil:
		return nil, nil
	case string:
		return []string{value}, nil
	case []any:
		if audience := texts(value); len(audience) == len(value) {
			return audience, nil
		}
	}
	return nil, malformed("claim aud is neither a string nor a list of strings")
}

// readTime reads a NumericDate between 1970 and 9999: beyond that, the conversion
// to an integer overflows differently from one processor to another.
func readTime(m map[string]any, name string) (time.Time, error) {
	const year9999 = 253402300799
	value := m[name]
	if value == nil {
		return time.Time{}, nil
	}
	seconds, ok := value.(float64)
	if !ok || !(seconds > 0 && seconds <= year9999) {
		return time.Time{}, malformed("claim %s is not a time in seconds since 1970", name)
	}
	return time.Unix(int64(seconds), 0).UTC(), nil
}
