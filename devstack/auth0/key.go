package auth0

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/jose"
	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/random"
)

// keyRing holds the signing keys: the present one, the next one, which is
// published before it signs, and the previous ones until they are revoked.
type keyRing struct {
	current  signingKey
	next     signingKey
	previous []signingKey // newest first
	spare    []*rsa.PrivateKey
}

type signingKey struct {
	jose.Key
	certificate []byte
}

func newKeyRing(keys []*rsa.PrivateKey, now time.Time) (keyRing, error) {
	ring := keyRing{spare: keys}
	var err error
	if ring.current, err = ring.make(now); err != nil {
		return keyRing{}, err
	}
	ring.next, err = ring.make(now)
	return ring, err
}

// make takes the next spare key, or makes one, and certifies it as Auth0 does:
// its key sets have x5c and x5t.
func (ring *keyRing) make(now time.Time) (signingKey, error) {
	var private *rsa.PrivateKey
	if len(ring.spare) > 0 {
		private, ring.spare = ring.spare[0], ring.spare[1:]
	} else {
		var err error
		if private, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return signingKey{}, fmt.Errorf("auth0: signing key: %w", err)
		}
	}
	certificate, err := x509.CreateCertificate(rand.Reader, certificateTemplate(now), certificateTemplate(now), &private.PublicKey, private)
	if err != nil {
		return signingKey{}, fmt.Errorf("auth0: certify signing key: %w", err)
	}
	return signingKey{jose.Key{ID: random.String(21), Private: private}, certificate}, nil
}

func certificateTemplate(now time.Time) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "tenant.auth0.test"},
		NotBefore: now, NotAfter: now.AddDate(13, 0, 0),
	}
}

func (k signingKey) jwk() object {
	thumbprint := sha1.Sum(k.certificate)
	key := k.JWK()
	key["x5t"] = base64.RawURLEncoding.EncodeToString(thumbprint[:])
	key["x5c"] = []string{base64.StdEncoding.EncodeToString(k.certificate)}
	return key
}

func (ring *keyRing) published() []signingKey {
	return append([]signingKey{ring.current, ring.next}, ring.previous...)
}

// sign makes a JWT with the present key.
func (ring *keyRing) sign(header, claims map[string]any) (string, error) {
	return ring.current.Sign(header, claims)
}

// Sign signs any claims with the present key, for tests of verifiers. Nothing is
// added to the claims.
func (t *Tenant) Sign(header, claims map[string]any) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.keys.sign(header, claims)
}

// RotateKey makes the next key sign from now on. The previous one stays published, and
// its tokens valid, until [Tenant.RevokeKey].
func (t *Tenant) RotateKey() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	next, err := t.keys.make(t.now())
	if err != nil {
		return err
	}
	t.keys.previous = slices.Insert(t.keys.previous, 0, t.keys.current)
	t.keys.current, t.keys.next = t.keys.next, next
	return nil
}

// KeyIDs returns the kids of the published keys: the present one, the next one, and
// the previous ones, newest first.
func (t *Tenant) KeyIDs() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var ids []string
	for _, k := range t.keys.published() {
		ids = append(ids, k.ID)
	}
	return ids
}

// RevokeKey withdraws a previous key. The one that signs, and the next one, can't
// be revoked.
func (t *Tenant) RevokeKey(id string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.keys.previous, func(k signingKey) bool { return k.ID == id })
	if i < 0 {
		return fmt.Errorf("auth0: revoke key %q: not a previous key", id)
	}
	t.keys.previous = slices.Delete(t.keys.previous, i, i+1)
	return nil
}

func (t *Tenant) serveKeySet(w http.ResponseWriter, _ *http.Request) {
	if t.fault(FaultJWKSUnavailable) {
		writeError(w, errUnavailable())
		return
	}
	t.mu.Lock()
	keys := []object{}
	for _, k := range t.keys.published() {
		if k.ID == t.keys.current.ID && t.fault(FaultKeyUnpublished) {
			continue
		}
		keys = append(keys, k.jwk())
	}
	t.mu.Unlock()
	w.Header().Set("Cache-Control", "public, max-age=15, stale-while-revalidate=15, stale-if-error=86400")
	oauthserver.WriteJSON(w, http.StatusOK, object{"keys": keys})
}

// verify checks a JWT that this tenant signed for itself, and its lifetime.
func (t *Tenant) verify(token string) (jwt.MapClaims, error) {
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, t.publishedKey, jwt.WithValidMethods([]string{RS256, PS256}), jwt.WithTimeFunc(t.now), jwt.WithExpirationRequired())
	return claims, err
}

// publishedKey returns the key that a token's kid names.
func (t *Tenant) publishedKey(token *jwt.Token) (any, error) {
	for _, k := range t.keys.published() {
		if k.ID == token.Header["kid"] {
			return &k.Private.PublicKey, nil
		}
	}
	return nil, errors.New("unknown key")
}
