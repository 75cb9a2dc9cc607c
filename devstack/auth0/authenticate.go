package auth0

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/random"
)

// Bounds of a client assertion (Auth0, Authenticate with Private Key JWT).
const (
	assertionType     = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	assertionLifetime = 5 * time.Minute
	assertionLeeway   = 10 * time.Second
	maxAssertion      = 2048
)

// confidential reports whether an application has to authenticate.
func (a *Application) confidential() bool { return a.Secret != "" || len(a.Keys) > 0 }

// authenticate finds the application of a call and checks its secret, or its
// assertion, if it has one.
func (t *Tenant) authenticate(r *http.Request, form url.Values) (*Application, error) {
	id, secret := oauthserver.Credentials(r, form)
	assertion := form.Get("client_assertion")
	if id == "" && assertion != "" {
		id = assertionSubject(assertion)
	}
	if id == "" {
		return nil, errMissing("client_id")
	}
	application := t.applications[id]
	switch {
	case application == nil:
		return nil, errUnknownClient(id)
	case t.fault(FaultSecretWrong) && application.confidential():
		return nil, errUnauthorized()
	case len(application.Keys) > 0:
		return application, t.checkAssertion(application, form.Get("client_assertion_type"), assertion)
	case application.Secret != "" && !random.Same(secret, application.Secret):
		return nil, errUnauthorized()
	}
	return application, nil
}

// assertionSubject returns the alleged sender of an assertion, before any verification.
func assertionSubject(assertion string) string {
	var claims jwt.RegisteredClaims
	if _, _, err := jwt.NewParser().ParseUnverified(assertion, &claims); err != nil {
		return ""
	}
	return claims.Subject
}

// errAssertion has invented texts: Auth0 documents only the rules.
func errAssertion(text string) *oauthError { return errOAuth(401, "invalid_client", text) }

// checkAssertion verifies a client assertion (RFC 7523, section 3). It can be used once.
func (t *Tenant) checkAssertion(application *Application, kind, assertion string) error {
	switch {
	case assertion == "":
		return errUnauthorized()
	case kind != assertionType:
		return errOAuth(400, "invalid_request", "Invalid client_assertion_type")
	case len(assertion) > maxAssertion:
		return errOAuth(400, "invalid_request", "client_assertion is too long")
	}
	claims := &jwt.RegisteredClaims{}
	_, err := jwt.ParseWithClaims(assertion, claims, func(token *jwt.Token) (any, error) {
		var set jwt.VerificationKeySet
		for _, k := range application.Keys {
			if id, named := token.Header["kid"]; token.Method.Alg() == k.Algorithm && (!named || id == k.ID) {
				set.Keys = append(set.Keys, k.Public)
			}
		}
		if len(set.Keys) == 0 {
			return nil, errors.New("no credential of this algorithm and kid")
		}
		return set, nil
	}, jwt.WithTimeFunc(t.now), jwt.WithIssuer(application.ClientID), jwt.WithSubject(application.ClientID), jwt.WithAudience(t.baseURL+"/"),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(assertionLeeway), jwt.WithValidMethods([]string{"RS256", "RS384", "PS256"}))
	switch {
	case err != nil:
		return errAssertion("Invalid client_assertion: " + err.Error())
	case claims.ID == "":
		return errAssertion("Invalid client_assertion: jti is missing")
	case claims.ExpiresAt.After(t.now().Add(assertionLifetime + assertionLeeway)):
		return errAssertion("Invalid client_assertion: it lives longer than 5 minutes")
	}
	key := application.ClientID + " " + claims.ID
	if _, used := t.assertions[key]; used || t.fault(FaultAssertionReplayed) {
		return errAssertion("Invalid client_assertion: jti was used before")
	}
	t.assertions[key] = claims.ExpiresAt.Add(assertionLeeway)
	return nil
}
