package auth0

import (
	"encoding/json"
	"errors"
	"maps"
	"mime"
	"net/http"
	"net/url"

	"github.com/zen-auth/zen/devstack/oauthserver"
)

// maxBody is the largest request body.
const maxBody = 64 << 10

// object is one JSON object of an answer.
type object map[string]any

// oauthError is an error of the OAuth endpoints (RFC 6749, section 5.2), with
// the status that Auth0 gives it.
type oauthError struct {
	status int
	code   string
	text   string
	uri    string // error_uri, if any
	header http.Header
}

func (e *oauthError) Error() string { return e.code + ": " + e.text }

func errOAuth(status int, code, text string) *oauthError {
	return &oauthError{status: status, code: code, text: text}
}

func errMissing(name string) *oauthError {
	return errOAuth(400, "invalid_request", "Missing required parameter: "+name)
}

func errUnauthorized() *oauthError { return errOAuth(401, "access_denied", "Unauthorized") }

// errUnknownClient has an assumed status: Auth0 documents none.
func errUnknownClient(id string) *oauthError {
	return errOAuth(403, "invalid_request", "Unknown client: "+id)
}

func errGrantRefused(grant string) *oauthError {
	e := errOAuth(403, "unauthorized_client", "Grant type '"+grant+"' not allowed for the client.")
	e.uri = "https://auth0.com/docs/clients/client-grant-types"
	return e
}

func errService(audience string) *oauthError {
	return errOAuth(403, "access_denied", "Service not found: "+audience)
}

func errUnavailable() *oauthError {
	return errOAuth(503, "temporarily_unavailable", "Service Unavailable")
}

func writeError(w http.ResponseWriter, err error) {
	var e *oauthError
	if !errors.As(err, &e) {
		e = errOAuth(500, "server_error", "Internal Server Error")
	}
	maps.Copy(w.Header(), e.header)
	w.Header().Set("Cache-Control", "no-store")
	body := object{"error": e.code, "error_description": e.text}
	if e.uri != "" {
		body["error_uri"] = e.uri
	}
	oauthserver.WriteJSON(w, e.status, body)
}

// readForm reads the parameters of an API call, a form or a JSON object of
// strings: Auth0 takes both.
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/json" {
		var fields map[string]any
		if err := json.NewDecoder(r.Body).Decode(&fields); err != nil {
			return nil, errOAuth(400, "invalid_request", "Invalid JSON in the request body")
		}
		form := url.Values{}
		for name, value := range fields {
			if text, ok := value.(string); ok {
				form.Set(name, text)
			}
		}
		return form, nil
	}
	if err := r.ParseForm(); err != nil {
		return nil, errOAuth(400, "invalid_request", "The request body can't be read")
	}
	return r.PostForm, nil
}
