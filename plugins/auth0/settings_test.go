package main

import (
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

func values(changes ...string) provider.Settings {
	all := map[string]string{keyDomain: "acme.eu.auth0.com", keyClientID: testClient, keyAudience: testAudience}
	for i := 0; i < len(changes); i += 2 {
		all[changes[i]] = changes[i+1]
	}
	settings := provider.Settings{}
	for key, value := range all {
		settings[key] = provider.NewSecret(value)
	}
	return settings
}

func TestDomain(t *testing.T) {
	for domain, issuer := range map[string]string{
		"acme.eu.auth0.com": "https://acme.eu.auth0.com/", "https://login.acme.com/": "https://login.acme.com/", "https://login.acme.com": "https://login.acme.com/",
		"Login.Acme.com": "https://login.acme.com/", "127.0.0.1:4001": "http://127.0.0.1:4001/", "http://127.0.0.1:4001": "http://127.0.0.1:4001/", "http://127.0.0.1": "http://127.0.0.1/",
	} {
		s, err := parseSettings(values(keyDomain, domain))
		if err != nil || s.issuer() != issuer {
			t.Errorf("%s: parseSettings = %q, %v", domain, s.issuer(), err)
		}
	}
}

func TestBadSettings(t *testing.T) {
	for _, test := range []struct{ key, value, words string }{
		{keyDomain, "", "not a host name"},
		{keyDomain, "acme", "not a host name"},
		{keyDomain, "acme.eu.auth0.com:443", "has a port"},
		{keyDomain, "acme.eu.auth0.com/login", "not a host name"},
		{keyDomain, "http://acme.eu.auth0.com", "not https"},
		{keyDomain, "user@acme.eu.auth0.com", "not a host name"},
		{keyDomain, "10.0.0.1", "an address"},
		{keyDomain, "127.0.0.1:x", "no port"},
		{keyClientID, "a b", "not a client id"},
		{keyMachineClientID, "a/b", "not a client id"},
		{keyAudience, "", "not the identifier"},
		{keyAudience, "a b", "not the identifier"},
		{keyAudience, "https://acme.eu.auth0.com/api/v2/", "Auth0's own API"},
		{keyAudience, "https://acme.eu.auth0.com/userinfo", "Auth0's own API"},
		{keyOrganization, "a/b", "organization"},
		{keyPorts, "80", "not a port"},
		{keyPorts, "53682,", "not a port"},
		{keyPorts, "53682,53682", "twice"},
		{keyPorts, "1024,1025,1026,1027,1028,1029,1030,1031,1032,1033,1034", "more than 10"},
		{keyDialect, "jwt", "is not access_token or rfc9068_profile"},
		{keyWriteScope, "a b", "not one scope"},
		{keyPrivateKey, "planted-key", "not PEM"},
		{keyKeyAlgorithm, "HS256", ""},
	} {
		changes := []string{test.key, test.value}
		if test.key == keyKeyAlgorithm {
			changes = append(changes, keyPrivateKey, "x")
			test.words = "not RS256"
		}
		_, err := parseSettings(values(changes...))
		fails(t, test.key+"="+test.value, err, provider.ErrConfig, "auth0: "+test.key+": ", test.words)
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than a line", test.key)
		}
	}
	_, err := parseSettings(values(keyPrivateKey, "x", keyClientSecret, "planted"))
	fails(t, "secret and key", err, provider.ErrConfig, "private_key: there is a client_secret, too")
}

func TestNotConfigured(t *testing.T) {
	p := newProvider("test")
	_, err := p.Token(t.Context(), provider.TokenRequest{})
	fails(t, "token", err, provider.ErrConfig, "not configured")
	fails(t, "login", p.Login(t.Context(), request(""), &host{t: t}), provider.ErrConfig, "not configured")
	fails(t, "revoke", p.Revoke(t.Context(), provider.Credential{}), provider.ErrConfig, "not configured")
}
