package oidc

import (
	"crypto/rsa"
	"log/slog"
	"time"
)

// Path is the path at which the issuer is mounted: its address is the server's and this.
const Path = "/oidc"

// DefaultClientID is the client id of the native application that an issuer has unless
// it is told of others.
const DefaultClientID = "zen"

// Lifetimes, which are Keycloak's unless it is told otherwise.
const (
	DefaultTokenLifetime   = 5 * time.Minute
	DefaultRefreshLifetime = 10 * time.Hour
)

// Options shape an issuer.
type Options struct {
	// BaseURL is the server's address, without a trailing slash; the issuer's is this
	// and [Path].
	BaseURL string
	// Now is the clock of every lifetime. Nil means time.Now.
	Now func() time.Time
	// Key signs. Nil means a new one, made when it is first needed.
	Key *rsa.PrivateKey
	// Users and Clients exist from the start. Nil: Alice and Bob, one native client.
	Users   []User
	Clients []Client
	// TokenLifetime is the life of id_tokens and access tokens, RefreshLifetime that of
	// a sign-in without use.
	TokenLifetime, RefreshLifetime time.Duration
	// Fault, when it returns true for one of the Fault… names, makes the issuer fail
	// that way for this request. It must be safe for concurrent use.
	Fault func(name string) bool
	// Logger gets what the pages don't show. Nil means slog.Default().
	Logger *slog.Logger
}

// User is one of the issuer's people.
type User struct {
	Subject  string // sub; made from the address if empty
	Email    string
	Password string
	Name     string
	Groups   []string
}

// Client is an application of the issuer's.
type Client struct {
	ID, Name string
	// Secret makes it confidential; without one it must use PKCE.
	Secret string
	// RedirectURIs have to match exactly, except that ports of 127.0.0.1 and [::1] are
	// not compared (RFC 8252, section 7.3).
	RedirectURIs []string
	LogoutURIs   []string
}

// DefaultUsers are Alice, an administrator, and Bob.
func DefaultUsers() []User {
	return []User{
		{Email: "alice@example.test", Password: "alice-dev-password", Name: "Alice Archer", Groups: []string{"staff", "admins"}},
		{Email: "bob@example.test", Password: "bob-dev-password", Name: "Bob Baker", Groups: []string{"staff"}},
	}
}

// DefaultClients is one native client.
func DefaultClients() []Client {
	return []Client{{ID: DefaultClientID, Name: "zen", RedirectURIs: []string{"http://127.0.0.1/callback"}}}
}
