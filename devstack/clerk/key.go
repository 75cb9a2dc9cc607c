package clerk

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/jose"
	"github.com/zen-auth/zen/devstack/oauthserver"
)

// keyRing holds the key that signs and the retired ones that are still published.
type keyRing struct {
	signing   jose.Key
	published []jose.Key // newest first, signing among them
	clients   jose.Key   // signs client JWTs; signing, unless sessions outlived that
}

// maxPublished is the largest number of keys that rotations with overlap leave in the key
// set.
const maxPublished = 4

func newKeyRing(id string, private *rsa.PrivateKey) (keyRing, error) {
	if private == nil {
		var err error
		if private, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return keyRing{}, fmt.Errorf("clerk: instance key: %w", err)
		}
	}
	key := jose.Key{ID: id, Private: private}
	return keyRing{signing: key, published: []jose.Key{key}, clients: key}, nil
}

func makeStrangeKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return key
}

// jwks returns the key set as both APIs publish it (RFC 7517).
func (ring keyRing) jwks() object {
	keys := make([]object, 0, len(ring.published))
	for _, key := range ring.published {
		keys = append(keys, key.JWK())
	}
	return object{"keys": keys}
}

// sign makes a JWT with the key that signs now.
func (ring keyRing) sign(header, claims map[string]any) (string, error) {
	return ring.signing.Sign(header, claims)
}

// verify checks a JWT that this instance signed for itself, and its lifetime.
func (inst *Instance) verify(token string) (jwt.MapClaims, error) {
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		var known jwt.VerificationKeySet
		for _, key := range []jose.Key{inst.keys.signing, inst.keys.clients} {
			if t.Header["kid"] == key.ID {
				known.Keys = append(known.Keys, &key.Private.PublicKey)
			}
		}
		return known, nil
	}, jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(inst.now))
	return claims, err
}

// Rotation says how [Instance.RotateKey] replaces the signing key. Clerk
// documents neither choice: its kid is the instance's id, and no overlap is promised.
type Rotation struct {
	// NewKeyID gives the new key a kid of its own instead of the instance's id.
	NewKeyID bool
	// Overlap keeps the old key in the key set, so that tokens already issued
	// go on verifying until they expire.
	Overlap bool
	// KeepSessions keeps everybody signed in, as issuers with routine rotations do. Clerk
	// isn't known to do so.
	KeepSessions bool
}

// RotateKey replaces the signing key and signs everybody out, unless told otherwise:
// rotating "invalidates all active sessions across your entire user base" (Clerk, How
// Clerk works).
func (inst *Instance) RotateKey(r Rotation) error {
	id := inst.opts.InstanceID
	if r.NewKeyID {
		id = newID("ins")
	}
	ring, err := newKeyRing(id, nil) // outside the lock: it takes a tenth of a second
	if err != nil {
		return err
	}
	inst.mu.Lock()
	defer inst.mu.Unlock()
	if r.Overlap {
		ring.published = append(ring.published, inst.keys.published...)
		ring.published = ring.published[:min(len(ring.published), maxPublished)]
	}
	if r.KeepSessions {
		ring.clients = inst.keys.clients
		inst.keys = ring
		return nil
	}
	inst.keys = ring
	for _, s := range inst.sessions {
		if inst.active(s) {
			inst.closeSession(s, statusRevoked)
		}
	}
	clear(inst.clients)
	return nil
}

func (inst *Instance) serveKeySet(w http.ResponseWriter, _ *http.Request) {
	// The general faults don't apply: the key sets have no rate limit.
	if inst.fault(FaultUnavailable) || inst.fault(FaultJWKSUnavailable) {
		writeError(w, errServiceUnavailable())
		return
	}
	inst.mu.Lock()
	ring := inst.keys
	if inst.fault(FaultKeySwapped) {
		ring.published = []jose.Key{{ID: ring.signing.ID, Private: inst.strangeKey()}}
	}
	set := ring.jwks()
	inst.mu.Unlock()
	w.Header().Set("Cache-Control", "public, max-age=300")
	oauthserver.WriteJSON(w, http.StatusOK, set)
}
