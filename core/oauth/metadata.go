package oauth

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/provider"
)

// Metadata describes an issuer in its own words (RFC 8414 section 2, OpenID Connect
// Discovery 1.0 section 3). Only what this package and its callers use is kept. A URL
// that is not empty is https, or http on loopback.
type Metadata struct {
	// Issuer is the exact iss of its tokens.
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	TokenEndpoint         string `json:"token_endpoint"`
	// DeviceEndpoint is of RFC 8628, RevocationEndpoint of RFC 7009, EndSessionEndpoint
	// of OpenID Connect RP-Initiated Logout 1.0. They are empty if there is none.
	DeviceEndpoint     string `json:"device_authorization_endpoint"`
	RevocationEndpoint string `json:"revocation_endpoint"`
	EndSessionEndpoint string `json:"end_session_endpoint"`
	KeySetURL          string `json:"jwks_uri"`

	// Scopes are the published ones; nil says nothing.
	Scopes []string `json:"scopes_supported"`
	// TokenAuthMethods are how a client can authenticate at the token endpoint; nil
	// means client_secret_basic.
	TokenAuthMethods []string `json:"token_endpoint_auth_methods_supported"`
	// ChallengeMethods are of PKCE (RFC 7636).
	ChallengeMethods []string `json:"code_challenge_methods_supported"`
	// NamesItself promises iss in every answer of the browser (RFC 9207).
	NamesItself bool `json:"authorization_response_iss_parameter_supported"`
}

// DiscoverOptions are the optional parts of Discover.
type DiscoverOptions struct {
	// Name goes before errors, as Client.Name.
	Name string
	// HTTP makes the requests; nil means one that goes through the proxy of the
	// environment. Its redirect policy and time-out are replaced.
	HTTP *http.Client
}

// Discover reads the metadata of an issuer: OpenID Connect's document first, and,
// if there is none, that of RFC 8414. The document has to name the very issuer that
// was asked for. A wrong address or document is ErrConfig, no answer ErrUnavailable.
func Discover(ctx context.Context, issuer string, o DiscoverOptions) (Metadata, error) {
	u, err := url.Parse(issuer)
	if err != nil || !secure(u) || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return Metadata{}, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: prefixed(o.Name, "issuer %.200q is not an https URL (or http on loopback) without user name, query and fragment", provider.ShownURL(issuer)),
		}
	}
	client := httpClient(o.HTTP)
	places := metadataPlaces(u)
	for i, place := range places {
		body, status, err := readMetadata(ctx, client, o.Name, place)
		if err != nil {
			return Metadata{}, err
		}
		if (status == http.StatusNotFound || status == http.StatusMethodNotAllowed) && i < len(places)-1 {
			continue
		}
		if status != http.StatusOK {
			return Metadata{}, metadataStatus(o.Name, place, status)
		}
		metadata, err := ParseMetadata(body, issuer)
		if err != nil {
			return Metadata{}, &provider.Error{
				Kind: provider.ErrConfig, Message: prefixed(o.Name, "read %s: %v", place, err), Err: err,
				Hint: "the issuer is compared letter by letter: copy it, with or without the slash at its end, from issuer in that document",
			}
		}
		return metadata, nil
	}
	panic("unreachable: the last place returns")
}

// metadataPlaces returns where the document may be: OpenID Connect puts the well-known
// path after the issuer's, RFC 8414 section 3.1 between host and path.
func metadataPlaces(issuer *url.URL) []string {
	base, path := issuer.Scheme+"://"+issuer.Host, strings.TrimSuffix(issuer.EscapedPath(), "/")
	return []string{
		base + path + "/.well-known/openid-configuration",
		base + "/.well-known/oauth-authorization-server" + path,
	}
}

func readMetadata(ctx context.Context, client *http.Client, name, place string) (body []byte, status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return nil, 0, unavailable(name, "read the issuer's metadata", "the request can't be made")
	}
	req.Header.Set("Accept", "application/json")
	res, body, err := httpclient.Do(client, req, maxBody, prefixed(name, "read the metadata at %s", place))
	if err != nil {
		return nil, 0, err
	}
	return body, res.StatusCode, nil
}

func metadataStatus(name, place string, status int) error {
	what := "read the metadata at " + place
	switch {
	case status/100 == 3:
		return &provider.Error{
			Kind:    provider.ErrConfig,
			Message: prefixed(name, "%s: HTTP %d: it is a redirect, and none is followed", what, status),
			Hint:    "the issuer has to be the address that its own metadata names",
		}
	case status == http.StatusTooManyRequests || status >= 500:
		return unavailable(name, what, fmt.Sprintf("HTTP %d", status))
	}
	return &provider.Error{
		Kind: provider.ErrConfig, Message: prefixed(name, "%s: HTTP %d", what, status),
		Hint: "is the issuer right? It is the URL in iss of its tokens, to the letter",
	}
}

// ParseMetadata reads a metadata document and holds it to issuer.
func ParseMetadata(document []byte, issuer string) (Metadata, error) {
	var m Metadata
	if err := json.Unmarshal(document, &m); err != nil {
		// The decoder's error may repeat the document.
		return Metadata{}, fmt.Errorf("it is not a metadata document (JSON)")
	}
	if m.Issuer != issuer {
		return Metadata{}, fmt.Errorf("it is of the issuer %.200q, not of %.200q", m.Issuer, issuer)
	}
	for _, endpoint := range []struct{ name, value string }{
		{"authorization_endpoint", m.AuthorizationEndpoint}, {"token_endpoint", m.TokenEndpoint},
		{"device_authorization_endpoint", m.DeviceEndpoint}, {"revocation_endpoint", m.RevocationEndpoint},
		{"end_session_endpoint", m.EndSessionEndpoint}, {"jwks_uri", m.KeySetURL},
	} {
		u, err := url.Parse(endpoint.value)
		if endpoint.value != "" && (err != nil || !secure(u) || u.User != nil || u.Fragment != "") {
			return Metadata{}, fmt.Errorf("its %s %.200q is not https (or http on loopback)", endpoint.name, endpoint.value)
		}
	}
	return m, nil
}

// secure reports whether what is sent to u is for its host alone: plain http is for
// loopback (RFC 8252 section 8.3).
func secure(u *url.URL) bool {
	return u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && provider.IsLoopback(u.Hostname()))
}
