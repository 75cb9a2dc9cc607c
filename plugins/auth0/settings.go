package main

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// The names of the settings.
const (
	keyDomain          = "domain"
	keyClientID        = "client_id"
	keyAudience        = "audience"
	keyOrganization    = "organization"
	keyPorts           = "ports"
	keyDialect         = "dialect"
	keyWriteScope      = "write_scope"
	keyMachineClientID = "machine_client_id"
	keyClientSecret    = "client_secret"
	keyPrivateKey      = "private_key"
	keyKeyID           = "private_key_id"
	keyKeyAlgorithm    = "private_key_algorithm"
	keyUserStore       = "user_store"
)

// The dialects of an API's access tokens, as the Management API calls them. Those with
// _authz add the permissions, and are the same to zen.
const (
	dialectAuth0   = "access_token"
	dialectRFC9068 = "rfc9068_profile"
)

// defaultPorts are registered at Auth0 one by one: it compares redirect URIs to the
// letter, port and all.
const defaultPorts = "53682,53683,53684,53685,53686"

func fields() []provider.Field {
	return []provider.Field{
		{
			Key: keyDomain, Type: provider.TypeString, Required: true, Env: []string{"AUTH0_DOMAIN"},
			Example: "acme.eu.auth0.com", FoundAs: []string{"AUTH0_DOMAIN", "AUTH0_ISSUER_BASE_URL", "NEXT_PUBLIC_AUTH0_DOMAIN", "VITE_AUTH0_DOMAIN"},
			Doc: "The tenant's domain, or its custom domain: tokens name the one that was asked as their issuer, and no other is taken. " +
				"A loopback address (127.0.0.1, with a port if need be) is spoken to by http.",
		},
		{
			Key: keyClientID, Type: provider.TypeString,
			Doc: "The client id of the tenant's native application for terminals. People sign in with it.",
		},
		{
			Key: keyAudience, Type: provider.TypeString, Required: true, Env: []string{"AUTH0_AUDIENCE"},
			Example: "https://db.example.com", FoundAs: []string{"AUTH0_AUDIENCE"},
			Doc: "The identifier of the tenant's API whose access tokens are for databases.",
		},
		{
			Key: keyOrganization, Type: provider.TypeString, Example: "org_...",
			Doc: "The id or name of the organization to sign in to; zen login --org goes before it.",
		},
		{
			Key: keyPorts, Type: provider.TypeString, Default: defaultPorts,
			Doc: "The ports of 127.0.0.1 on which the browser may come back, with commas. Each has to be registered with its address.",
		},
		{
			Key: keyDialect, Type: provider.TypeString, Default: dialectAuth0,
			Doc: "The token dialect of the API: " + dialectAuth0 + " (typ JWT), or " + dialectRFC9068 + " (typ at+jwt).",
		},
		{
			Key: keyWriteScope, Type: provider.TypeString, Example: "db:write",
			Doc: "The permission of the API without which the Action makes read-only tokens. If it is not set, there are no read-only tokens.",
		},
		{
			Key: keyMachineClientID, Type: provider.TypeString,
			Doc: "The client id of the application for machines, for the method " + methodMachine + "; if not set, client_id.",
		},
		{
			Key: keyClientSecret, Type: provider.TypeString, Sensitive: true,
			Doc: "The secret of the application for machines.",
		},
		{
			Key: keyPrivateKey, Type: provider.TypeString, Sensitive: true,
			Doc: "The private key (PEM) of the application for machines, in place of a secret, where the tenant has private_key_jwt.",
		},
		{Key: keyKeyID, Type: provider.TypeString, Doc: "The kid of the private key at Auth0; not needed where the application has one key."},
		{Key: keyKeyAlgorithm, Type: provider.TypeString, Default: "RS256", Doc: "The algorithm of the private key: RS256, RS384 or PS256."},
		{
			Key: keyUserStore, Type: provider.TypeString, Example: "Username-Password-Authentication",
			Doc: "The name or id of the user store of the organization that zen team invite asks people into, where it has several.",
		},
	}
}

// settings are the parsed values of the fields.
type settings struct {
	// base is the scheme and host; the issuer is base and a slash.
	base            string
	clientID        string
	audience        string
	organization    string
	ports           []int
	dialect         string
	writeScope      string
	machineClientID string
	secret          provider.Secret
	key             *oauth.Key
	userStore       string
}

func (s settings) issuer() string    { return s.base + "/" }
func (s settings) keySetURL() string { return s.base + "/.well-known/jwks.json" }
func (s settings) domain() string    { return s.base[strings.Index(s.base, "://")+len("://"):] }

func parseSettings(values provider.Settings) (settings, error) {
	s := settings{
		clientID: values.Get(keyClientID), audience: values.Get(keyAudience), organization: values.Get(keyOrganization),
		dialect: values.Get(keyDialect), writeScope: values.Get(keyWriteScope), machineClientID: values.Get(keyMachineClientID),
		secret: values[keyClientSecret], userStore: values.Get(keyUserStore),
	}
	var err error
	if s.base, err = parseDomain(values.Get(keyDomain)); err != nil {
		return s, err
	}
	if s.ports, err = oauth.ParsePorts(cmp.Or(values.Get(keyPorts), defaultPorts)); err != nil {
		return s, bad(keyPorts, "for example "+defaultPorts, "%v", err)
	}
	for _, id := range []struct{ key, value string }{{keyClientID, s.clientID}, {keyMachineClientID, s.machineClientID}} {
		if id.value != "" && !isID(id.value) {
			return s, bad(id.key, "copy it from the application's settings in the Auth0 dashboard", "%.40q is not a client id (letters, digits, - and _)", id.value)
		}
	}
	s.machineClientID = cmp.Or(s.machineClientID, s.clientID)
	if err := s.checkAudience(); err != nil {
		return s, err
	}
	if s.organization != "" && !isID(s.organization) {
		return s, bad(keyOrganization, "for example org_AbC123, or acme", "%.40q is not the id or name of an organization", s.organization)
	}
	switch strings.TrimSuffix(s.dialect, "_authz") {
	case "", dialectAuth0:
		s.dialect = dialectAuth0
	case dialectRFC9068:
		s.dialect = dialectRFC9068
	default:
		return s, bad(keyDialect, "", "%.40q is not %s or %s", s.dialect, dialectAuth0, dialectRFC9068)
	}
	if strings.ContainsAny(s.writeScope, " \t\"\\") {
		return s, bad(keyWriteScope, "", "%.40q is not one scope", s.writeScope)
	}
	if key := values[keyPrivateKey]; !key.IsZero() {
		if !s.secret.IsZero() {
			return s, bad(keyPrivateKey, "unset one of both", "there is a %s, too", keyClientSecret)
		}
		if s.key, err = parseKey(key, values); err != nil {
			return s, err
		}
	}
	return s, nil
}

func parseKey(pem provider.Secret, values provider.Settings) (*oauth.Key, error) {
	algorithm := values.Get(keyKeyAlgorithm)
	if algorithm != "" && !slices.Contains([]string{"RS256", "RS384", "PS256"}, algorithm) {
		return nil, bad(keyKeyAlgorithm, "", "%.20q is not RS256, RS384 or PS256", algorithm)
	}
	key, err := oauth.ParseKey(pem, algorithm, values.Get(keyKeyID))
	if err != nil {
		return nil, bad(keyPrivateKey, "", "%s", strings.TrimPrefix(err.Error(), "private key: "))
	}
	return key, nil
}

// checkAudience refuses audiences whose tokens can't have Turso's claims.
func (s settings) checkAudience() error {
	const hint = "make an API in the Auth0 dashboard, and set audience to its identifier"
	switch {
	case s.audience == "" || len(s.audience) > 600 || strings.ContainsAny(s.audience, " \t\r\n"):
		return bad(keyAudience, hint, "%.60q is not the identifier of an API", s.audience)
	case strings.HasSuffix(s.audience, "/api/v2/") || strings.HasSuffix(s.audience, "/userinfo"):
		return bad(keyAudience, hint, "%.100q is Auth0's own API, whose tokens have no claims of yours", s.audience)
	}
	return nil
}

// parseDomain takes a host, or the issuer's URL in the forms that SDKs want.
func parseDomain(text string) (base string, err error) {
	const hint = "for example acme.eu.auth0.com, or your custom domain"
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		scheme, rest = "", text
	}
	host := strings.TrimSuffix(rest, "/")
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = host, ""
	}
	ip := net.ParseIP(name)
	loopback := ip != nil && ip.IsLoopback()
	switch {
	case ip != nil && !loopback:
		return "", bad(keyDomain, hint, "%.60q is an address, not a name", host)
	case !loopback && (!isHostname(name) || !strings.Contains(name, ".")):
		return "", bad(keyDomain, hint, "%.60q is not a host name", text)
	case port != "" && !loopback:
		return "", bad(keyDomain, hint, "%.60q has a port", host)
	}
	want := "https"
	if loopback { // RFC 8252 section 8.3: plain http is for IP literals of loopback
		want = "http"
		if _, badPort := strconv.ParseUint(port, 10, 16); port != "" && badPort != nil {
			return "", bad(keyDomain, hint, "%.60q has no port that there is", host)
		}
	}
	if scheme != "" && scheme != want {
		return "", bad(keyDomain, hint, "%.60q is not %s", text, want)
	}
	return want + "://" + strings.ToLower(host), nil
}

func bad(key, hint, format string, args ...any) error {
	return &provider.Error{Kind: provider.ErrConfig, Message: "auth0: " + key + ": " + fmt.Sprintf(format, args...), Hint: hint}
}

// isID accepts client ids and the ids and names of organizations.
func isID(id string) bool {
	for _, c := range []byte(id) {
		if !isAlphanumeric(c) && c != '-' && c != '_' {
			return false
		}
	}
	return id != "" && len(id) <= 128
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
