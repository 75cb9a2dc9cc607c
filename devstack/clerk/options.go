package clerk

import (
	"crypto/rsa"
	"encoding/json"
	"log/slog"
	"time"
)

// Lifetimes that Clerk uses unless the instance says otherwise.
const (
	DefaultTokenLifetime   = 60 * time.Second
	DefaultSessionLifetime = 7 * 24 * time.Hour
	DefaultClockSkew       = 5 * time.Second
	defaultTicketLifetime  = 30 * 24 * time.Hour
)

// Options shape an instance. The zero value is a development instance with two
// users: alice@example.test, administrator of Acme, and bob@example.test, member
// of Globex.
type Options struct {
	// BaseURL is the instance's own address without a trailing slash, such as
	// http://127.0.0.1:4000. It is the issuer of every token. It may be left
	// empty and set with [Instance.SetBaseURL] once the port is known.
	BaseURL string

	// ProxyPath, such as /__clerk, has the Frontend API answer below it, too, and be
	// known by it, as where an app's own domain forwards to Clerk (proxyUrl): the issuer
	// is BaseURL and this. The Backend API and the Account Portal stay where they are.
	ProxyPath string
	// Now is the clock of every lifetime. Default: time.Now.
	Now func() time.Time

	// Key signs everything. Default: a new RSA-2048 key.
	Key *rsa.PrivateKey
	// InstanceID is the kid of the key, ins_…. Default: random.
	InstanceID string
	// SecretKey opens the Backend API, sk_test_…. Default: random.
	SecretKey string
	// Production makes it a production instance: pk_live_, sk_live_, and no
	// POST /v1/sessions.
	Production bool

	// Organizations and Users exist from the start. Both nil: the default two.
	Organizations []Organization
	Users         []User
	// Templates are the JWT templates that exist from the start.
	Templates []Template

	// SessionTokenVersion is 2, or 1 for the flat organization claims that
	// Clerk deprecated on 2025-04-14. Default: 2.
	SessionTokenVersion int
	// SessionTokenLifetime, default 60 s.
	SessionTokenLifetime time.Duration
	// SessionLifetime, default 7 days.
	SessionLifetime time.Duration

	// MultiSession lets a client sign in while it has a session. Without it a
	// second sign-in answers session_exists, as a new Clerk instance does.
	MultiSession bool
	// NoActiveOrganization leaves a new session without an organization, even
	// when its user belongs to one. Otherwise the user's first is active, as
	// Clerk's "membership required" setting has it.
	NoActiveOrganization bool
	// ClientTrust asks for a code by e-mail when a person without second factors signs
	// in with a password on a client that has not seen them before.
	ClientTrust bool
	// SessionClaims customise session tokens: a JSON object, in which strings may hold
	// shortcodes. Nil adds none.
	SessionClaims json.RawMessage
	// NativeAPIDisabled answers every native call with native_api_disabled.
	NativeAPIDisabled bool
	// RotationGrace is the time for which a client JWT still works after the client's
	// token rotated. Clerk documents that the token rotates on each sign-in and
	// sign-out and that the old one "can no longer be used", hence the default 0.
	RotationGrace time.Duration

	// Machines exist from the start, with tokens of their own.
	Machines []Machine
	// OAuthApplications exist from the start. Nil: a public one for programs on
	// the loopback, [DefaultOAuthClientID].
	OAuthApplications []OAuthApplication
	// DeviceGrant turns the device authorization grant on and announces it in
	// the metadata. At Clerk it is in beta and has to be asked for.
	DeviceGrant bool

	// RateLimits bounds calls. Nil does not, so that tests with a clock that
	// stands still can sign in as often as they like; see [DefaultRateLimits].
	RateLimits *RateLimits
	// APIKeysDisabled turns the API keys feature off.
	APIKeysDisabled bool

	// SendCode takes the place of e-mail: it gets the one-time code that
	// email_code sign-in sent to an address. It is called with the instance
	// locked and must return at once. Addresses with +clerk_test get 424242,
	// as at Clerk, and are not reported.
	SendCode func(address, code string)

	// Logger gets what pages don't tell. Default: slog.Default().
	Logger *slog.Logger

	// Fault, when it returns true for one of the Fault… names, makes the
	// instance fail that way for this request. It must be safe for concurrent use.
	Fault func(name string) bool
}

// Organization is one organization of the instance.
type Organization struct {
	ID             string // org_…; default: random
	Name           string
	Slug           string
	PublicMetadata map[string]any
	// MaxMemberships bounds members and invitations. Default: 5, as at Clerk;
	// negative is no bound.
	MaxMemberships int
}

// User is one user of the instance.
type User struct {
	ID             string // user_…; default: random
	Email          string
	Password       string // empty: no password sign-in
	FirstName      string
	LastName       string
	PublicMetadata map[string]any
	UnsafeMetadata map[string]any // which the user can write
	Memberships    []Membership

	// SSO is the one strategy by which the user signs in, such as oauth_google or
	// enterprise_sso: neither a password nor a code by e-mail is offered.
	SSO string
	// SecondFactors are the factors that a sign-in asks for beside the first: email_code,
	// totp, backup_code. A ticket passes them by.
	SecondFactors []string
	// TOTPSecret is the secret of the user's authenticator (RFC 6238), base 32.
	TOTPSecret string
	// BackupCodes work once each.
	BackupCodes []string
	// Banned and Locked keep the user out.
	Banned, Locked bool
}

// Membership says what a user is in an organization.
type Membership struct {
	// Organization is the slug or the ID.
	Organization string
	// Role is a role key such as org:admin or org:member.
	Role string
	// Permissions are custom permission keys, org:FEATURE:PERMISSION. System
	// permissions (org:sys_…) never reach a token and are left out of it.
	Permissions []string
}

// Template is a JWT template.
type Template struct {
	Name string
	// Claims is a JSON object; strings in it may hold shortcodes.
	Claims json.RawMessage
	// Lifetime, default 60 s.
	Lifetime time.Duration
	// ClockSkew is the time by which nbf lies before iat, default 5 s.
	ClockSkew time.Duration
	// SigningAlgorithm and SigningKey sign in place of the instance's key: HS256 with a
	// secret, RS256 with a private key (PEM). No key set has them.
	SigningAlgorithm, SigningKey string
}

// DefaultOrganizations returns the organizations of an instance that names none.
func DefaultOrganizations() []Organization {
	return []Organization{
		{Name: "Acme", Slug: "acme"},
		{Name: "Globex", Slug: "globex"},
	}
}

// DefaultUsers returns the users of an instance that names none.
func DefaultUsers() []User {
	return []User{
		{
			Email: "alice@example.test", Password: "alice-dev-password", FirstName: "Alice", LastName: "Archer",
			Memberships: []Membership{{Organization: "acme", Role: "org:admin"}},
		},
		{
			Email: "bob@example.test", Password: "bob-dev-password", FirstName: "Bob", LastName: "Baker",
			Memberships: []Membership{{Organization: "globex", Role: "org:member"}},
		},
	}
}
