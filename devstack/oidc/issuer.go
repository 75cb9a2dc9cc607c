package oidc

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zen-auth/zen/devstack/jose"
	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/portal"
	"github.com/zen-auth/zen/devstack/random"
)

// Issuer is one OpenID issuer. Its methods are safe for concurrent use.
type Issuer struct {
	opts    Options
	site    *portal.Site
	handler http.Handler
	// stranger is the key published instead of key if that fault is on.
	stranger func() (jose.Key, error)

	// mu guards everything below. A request holds it from the moment its form is read
	// until its answer is computed.
	mu           sync.Mutex
	key          jose.Key // without a Private until it is first needed
	users        []User
	clients      []Client
	browsers     map[string]*browser
	transactions map[string]*transaction
	codes        map[string]*code
	devices      map[string]*device
	refresh      map[string]*refreshToken
	access       map[string]*accessToken
}

// object is a JSON object of an answer.
type object = map[string]any

// New makes an issuer.
func New(opts Options) (*Issuer, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.TokenLifetime = cmp.Or(opts.TokenLifetime, DefaultTokenLifetime)
	opts.RefreshLifetime = cmp.Or(opts.RefreshLifetime, DefaultRefreshLifetime)
	if opts.Users == nil {
		opts.Users = DefaultUsers()
	}
	if opts.Clients == nil {
		opts.Clients = DefaultClients()
	}
	i := &Issuer{
		opts: opts, key: jose.Key{ID: random.String(43), Private: opts.Key}, clients: opts.Clients,
		browsers: map[string]*browser{}, transactions: map[string]*transaction{}, codes: map[string]*code{},
		devices: map[string]*device{}, refresh: map[string]*refreshToken{}, access: map[string]*accessToken{},
	}
	i.stranger = sync.OnceValues(func() (jose.Key, error) { return jose.NewKey(random.String(43)) })
	for _, c := range opts.Clients {
		if c.ID == "" {
			return nil, errors.New("oidc: client: want an id")
		}
	}
	for _, u := range opts.Users {
		if u.Email == "" {
			return nil, errors.New("oidc: user: want an e-mail address")
		}
		if i.userByEmail(u.Email) != nil {
			return nil, fmt.Errorf("oidc: user %q: declared twice", u.Email)
		}
		if u.Subject == "" {
			sum := sha256.Sum256([]byte(strings.ToLower(u.Email)))
			u.Subject = hex.EncodeToString(sum[:16])
		}
		i.users = append(i.users, u)
	}
	i.site = portal.New(portal.Options{Brand: "Local OpenID", Footer: "A local issuer. Its users are made up.", StylePath: stylePath, Logger: opts.Logger})
	i.handler = i.routes()
	return i, nil
}

// Address returns the iss of every token.
func (i *Issuer) Address() string { return i.opts.BaseURL + Path }

// Handler serves the issuer. It has to be mounted at [Path] and a slash.
func (i *Issuer) Handler() http.Handler { return i.handler }

// Users returns the issuer's people.
func (i *Issuer) Users() []User { return slices.Clone(i.users) }

func (i *Issuer) now() time.Time { return i.opts.Now().Round(0) }

func (i *Issuer) fault(name string) bool { return i.opts.Fault != nil && i.opts.Fault(name) }

func (i *Issuer) userByEmail(email string) *User {
	for n := range i.users {
		if strings.EqualFold(i.users[n].Email, email) {
			return &i.users[n]
		}
	}
	return nil
}

func (i *Issuer) client(id string) *Client {
	for n := range i.clients {
		if i.clients[n].ID == id {
			return &i.clients[n]
		}
	}
	return nil
}

// allows reports whether a redirect URI is one of the client's.
func (c *Client) allows(redirectURI string) bool {
	return oauthserver.AllowsRedirect(c.RedirectURIs, redirectURI, "127.0.0.1", "::1")
}

// signingKey returns the key, made when it is first needed.
func (i *Issuer) signingKey() (jose.Key, error) {
	if i.key.Private == nil {
		key, err := jose.NewKey(i.key.ID)
		if err != nil {
			return jose.Key{}, err
		}
		i.key = key
	}
	return i.key, nil
}

// prune forgets what has expired.
func (i *Issuer) prune() {
	now := i.now()
	maps.DeleteFunc(i.browsers, func(_ string, b *browser) bool { return !now.Before(b.expireAt) })
	maps.DeleteFunc(i.transactions, func(_ string, t *transaction) bool { return !now.Before(t.expireAt) })
	maps.DeleteFunc(i.codes, func(_ string, c *code) bool { return !now.Before(c.expireAt) })
	maps.DeleteFunc(i.refresh, func(_ string, r *refreshToken) bool { return !now.Before(r.expireAt) })
	maps.DeleteFunc(i.access, func(_ string, a *accessToken) bool { return !now.Before(a.expireAt) })
	// An expired device gets that answer if it polls in time.
	maps.DeleteFunc(i.devices, func(_ string, d *device) bool { return !now.Before(d.expireAt.Add(deviceLifetime)) })
}
