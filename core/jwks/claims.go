package jwks

import (
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/jsonobject"
)

// readClaims brings the claims of every issuer into one form. It is strict about
// what decides (registered claims, Turso's), and passes over the rest if it has
// an unexpected shape: a JWT template may put anything there.
func readClaims(header, m jsonobject.Object) (provider.Claims, error) {
	c := provider.Claims{
		Algorithm:       header.Text("alg"),
		KeyID:           header.Text("kid"),
		Type:            header.Text("typ"),
		Category:        header.Text("cat"),
		ID:              m.Text("jti"),
		AuthorizedParty: m.Text("azp"),
		Session:         m.Text("sid"),
		Status:          m.Text("sts"),
		Actor:           m.Object("act").Text("sub"),
		Organization:    readOrganization(m),
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
	if seconds, ok := m.Number("nbf"); !ok || seconds != 0 { // 0 means always, as some issuers write it
		if c.NotBefore, err = readTime(m, "nbf"); err != nil {
			return c, err
		}
	}
	if c.Expires, err = readTime(m, "exp"); err != nil {
		return c, err
	}
	c.Database, err = readDatabase(m)
	return c, err
}

// requireText is the text of a member that must be a string where it is there.
func requireText(m jsonobject.Object, name string) (string, error) {
	text, ok := m.Raw(name).Text()
	if !ok && m.Has(name) {
		return "", malformed("claim %s is not a string", name)
	}
	return text, nil
}

// readAudience takes both forms of RFC 7519 section 4.1.3.
func readAudience(m jsonobject.Object) ([]string, error) {
	switch value := m.Value("aud").(type) {
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
func readTime(m jsonobject.Object, name string) (time.Time, error) {
	const year9999 = 253402300799
	if !m.Has(name) {
		return time.Time{}, nil
	}
	seconds, ok := m.Number(name)
	if !ok || !(seconds > 0 && seconds <= year9999) {
		return time.Time{}, malformed("claim %s is not a time in seconds since 1970", name)
	}
	return time.Unix(int64(seconds), 0).UTC(), nil
}
