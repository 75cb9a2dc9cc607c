package auth0

import (
	"crypto/rsa"
	"log/slog"
	"time"
)

// Lifetimes that Auth0 uses unless the tenant says otherwise.
const (
	DefaultTokenLifetime   = 24 * time.Hour
	DefaultRefreshLifetime = 30 * 24 * time.Hour
	idTokenLifetime        = 10 * time.Hour
	browserLifetime        = 3 * 24 * time.Hour // of a browser's sign-in
)

// Options shape a tenant. The zero value is one with Alice of Acme and Bob of
// Globex, one API and three applications: see [DefaultApplications].
type Options struct {
	// BaseURL is the tenant's own address without a trailing slash, such as
	// http://127.0.0.1:4001. The issuer is this and a slash. It may be left
	// empty and set with [Tenant.SetBaseURL] once the port is known.
	BaseURL string
	// Now is the clock of every lifetime. Default: time.Now.
	Now func() time.Time
	// Keys sign: the first one now, the second after a rotation, and so on.
	// Default and whenever they run out: new RSA-2048 keys.
	Keys []*rsa.PrivateKey

	// Users and Organizations exist from the start. Both nil: the default ones.
	Users         []User
	Organizations []Organization
	// Roles are the roles that members of organizations may have. Nil: DefaultRoles.
	Roles []Role
	// Applications and APIs exist from the start. Nil: the default ones.
	Applications []Application
	APIs         []API
	// Action runs at every sign-in and refresh. Nil sets nothing.
	Action Action
	// MachineAction runs at every client credentials exchange. Nil sets nothing:
	// machines' tokens then have no custom claims.
	MachineAction MachineAction

	// SkipCallbackConfirmation leaves out the question that Auth0 asks before
	// it redirects to a loopback address (tenant setting
	// skip_non_verifiable_callback_uri_confirmation_prompt).
	SkipCallbackConfirmation bool

	// Fault, when it returns true for one of the Fault… names, makes the tenant
	// fail that way for this request. It must be safe for concurrent use.
	Fault func(name string) bool
	// Logger gets what the pages don't show. Default: slog.Default().
	Logger *slog.Logger
}

// User is one user of the tenant.
type User struct {
	ID            string // auth0|…; default: random
	Email         string
	Password      string
	Name          string // default: Email
	GivenName     string
	FamilyName    string
	Organizations []string // by name or id
	// Roles are the roles in an organization, by its name: ids or names of Options.Roles.
	Roles map[string][]string
	// AppMetadata is for Actions.
	AppMetadata map[string]any
}

// Organization is one organization of the tenant.
type Organization struct {
	ID          string // org_…; default: random
	Name        string // lower case, as in a URL
	DisplayName string // default: Name
}

// OrganizationUsage says whether people sign in to an application as members of
// an organization.
type OrganizationUsage string

// The usages, as the Management API names them. An application that allows or
// requires organizations can't use the device flow.
const (
	OrganizationsDeny    OrganizationUsage = "deny"
	OrganizationsAllow   OrganizationUsage = "allow"
	OrganizationsRequire OrganizationUsage = "require"
)

// Grant types that an application may be allowed.
const (
	GrantCode        = "authorization_code"
	GrantRefresh     = "refresh_token"
	GrantDevice      = "urn:ietf:params:oauth:grant-type:device_code"
	GrantCredentials = "client_credentials"
)

// Algorithms that sign an API's access tokens. With HS256 it is the API's secret that
// signs, and no key set verifies.
const (
	RS256 = "RS256"
	PS256 = "PS256"
	HS256 = "HS256"
)

// Application is a client of the tenant.
type Application struct {
	ClientID string // default: random
	Name     string
	// Secret makes it confidential. Without one it is a native application
	// (token endpoint authentication method none), which must use PKCE.
	Secret string
	// Keys make it confidential in place of a secret: it signs a client assertion
	// for each call (private_key_jwt).
	Keys []AssertionKey
	// Callbacks are the redirect URIs, which have to match exactly.
	Callbacks []string
	// LogoutURLs are the URLs to which a logout may redirect; they have to match exactly.
	LogoutURLs []string
	// GrantTypes, default: those of people for a native application, and
	// client_credentials for a confidential one without Callbacks.
	GrantTypes []string
	// Grants are the APIs that it may call for itself.
	Grants []ClientGrant
	// Organizations, default: deny.
	Organizations OrganizationUsage
	// MyOrganization are the scopes of the My Organization API that the application may
	// have for a person, with its refresh tokens; by default none.
	MyOrganization []string
	// ReusableRefreshTokens turns rotation off.
	ReusableRefreshTokens bool
	// RefreshLeeway is the time for which the refresh token before the present one still
	// works. Auth0's default is 0: any reuse revokes the family.
	RefreshLeeway time.Duration
	// RefreshLifetime counts from the sign-in; rotation doesn't extend it.
	// Default: 30 days.
	RefreshLifetime time.Duration

	changed changed
}

// ClientGrant allows an application an API without a person.
type ClientGrant struct {
	Audience string
	Scopes   []string
	// Organizations says whether a token may, or must, be for an organization.
	// Default: deny.
	Organizations OrganizationUsage
}

// AssertionKey is a public key that verifies an application's client assertions.
type AssertionKey struct {
	ID        string // kid, which an assertion need not name
	Algorithm string // RS256, RS384 or PS256. Default: RS256
	Public    *rsa.PublicKey
}

// API is an audience for which access tokens are JWTs.
type API struct {
	Identifier string
	// Algorithm is RS256, PS256 or HS256. Default: RS256.
	Algorithm string
	Scopes    []string
	// TokenLifetime, default 24 h.
	TokenLifetime time.Duration
	// DenyOfflineAccess issues no refresh tokens, whatever the scope says.
	DenyOfflineAccess bool
	// RFC9068 issues tokens of type at+jwt, with client_id and jti in place of
	// azp (Auth0: the dialect rfc9068_profile).
	RFC9068 bool
}

// The default API and applications.
const (
	DefaultAudience    = "https://db.example.test"
	DefaultWriteScope  = "db:write"
	DefaultClientID    = "zenDevNativeApplicationClient001"
	DefaultOrgClientID = "zenDevNativeApplicationClient002"

	DefaultMachineClientID = "zenDevMachineApplicationClient01"
	DefaultMachineSecret   = "zen-dev-machine-secret-of-a-local-tenant"
)

// DefaultCallbacks returns the redirect URIs of the default applications: Auth0
// matches ports, so a program on the loopback tries a few.
func DefaultCallbacks() []string {
	return []string{
		"http://127.0.0.1:53682/callback", "http://127.0.0.1:53683/callback", "http://127.0.0.1:53684/callback",
		"http://127.0.0.1:53685/callback", "http://127.0.0.1:53686/callback",
	}
}

// DefaultApplications returns a native application for browsers and devices, one that
// requires an organization, and one for machines.
func DefaultApplications() []Application {
	return []Application{
		{ClientID: DefaultClientID, Name: "zen", Callbacks: DefaultCallbacks()},
		{ClientID: DefaultOrgClientID, Name: "zen for teams", Callbacks: DefaultCallbacks(), Organizations: OrganizationsRequire, MyOrganization: MyOrganizationScopes()},
		{
			ClientID: DefaultMachineClientID, Name: "zen for machines", Secret: DefaultMachineSecret,
			Grants: []ClientGrant{{Audience: DefaultAudience, Scopes: []string{DefaultWriteScope}, Organizations: OrganizationsAllow}},
		},
	}
}

// DefaultAPIs is one API.
func DefaultAPIs() []API {
	return []API{{Identifier: DefaultAudience, Scopes: []string{DefaultWriteScope}}}
}

// DefaultOrganizations are Acme and Globex.
func DefaultOrganizations() []Organization {
	return []Organization{{Name: "acme", DisplayName: "Acme"}, {Name: "globex", DisplayName: "Globex"}}
}

// DefaultUsers are Alice of Acme and Bob of Globex.
func DefaultUsers() []User {
	return []User{
		{Email: "alice@example.test", Password: "alice-dev-password", Name: "Alice Archer", GivenName: "Alice", FamilyName: "Archer", Organizations: []string{"acme"}, Roles: map[string][]string{"acme": {"admin"}}},
		{Email: "bob@example.test", Password: "bob-dev-password", Name: "Bob Baker", GivenName: "Bob", FamilyName: "Baker", Organizations: []string{"globex"}, Roles: map[string][]string{"globex": {"member"}}},
	}
}
