package auth0

import (
	"net/http"
	"net/url"
	"strings"
)

// The documented parameters that Auth0 supports and the stand-in doesn't. ui_locales is
// not among them, since the pages are the stand-in's own.
const (
	lackingAuthorize = `connection connection_scope invitation screen_hint max_age acr_values response_mode id_token_hint
		request request_uri claims dpop_jkt resource`
	lackingLogout = "federated"
)

// lacking refuses a request with one of them, so that an unsupported parameter isn't
// silently ignored. The values that the stand-in supports are accepted.
func lacking(q url.Values, names string) *oauthError {
	for name := range strings.FieldsSeq(names) {
		value := q.Get(name)
		if !q.Has(name) || value == "" && name != "federated" || name == "response_mode" && value == "query" ||
			name == "screen_hint" && value == "login" {
			continue
		}
		return errOAuth(http.StatusNotImplemented, "not_implemented", "the local stack lacks the parameter "+name)
	}
	return nil
}
