package clerk

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/http"

	"github.com/golang-jwt/jwt/v5"
)

// keyRing holds the key that signs and the retired ones that are still published.
type keyRing struct {
	signing   instanceKey
	published []instanceKey // newest first, signing among them
	clients   instanceKey   // signs client JWTs; signing, unless sessions outlived that
}

// maxPublished bounds what many rotations with overlap leave in the key set.
const maxPublished = 4

type instanceKey struct {
	id      string // kid
	private *rsa.PrivateKey
}

func newKeyRing(id string, private *rsa.PrivateKey) (keyRing, error) {
	if private == nil {
		var err error
		if private, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return keyRing{}, fmt.Errorf("clerk: instance key: %w", err)
		}
	}
	key := instanceKey{id: id, private: private}
	return keyRing{signing: key, published: []instanceKey{key}, clients: key}, nil
}

func makeStrangeKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return key
}

// jwks is the key set as both APIs publish it (RFC 7517).
func (ring keyRing) jwks() object {
	keys := make([]object, 0, len(ring.published))
	for _, key := range ring.published {
		keys = append(keys, object{
			"use": "sig",
			"kty": "RSA",
			"kid": key.id,
			"alg": "RS256",
			"n":   base64.RawURLEncoding.EncodeToString(key.private.N.Bytes()),
			"e":   base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.private.E)).Bytes()),
		})
	}
	return object{"keys": keys}
}

// sign makes a JWT with the key that signs now.
func (ring keyRing) sign(header, claims map[string]any) (string, error) {
	return ring.signing.sign(header, claims)
}

// sign makes a JWT. Header fields override alg, kid and typ; a nil one is left out.
func (key instanceKey) sign(header, claims map[string]any) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims(claims))
	token.Header["kid"] = key.id
	for name, value := range header {
		if value == nil {
			delete(token.Header, name)
			continue
		}
		token.Header[name] = value
	}
	signed, err := token.SignedString(key.private)
	if err != nil {
		return "", fmt.Errorf("clerk: sign token: %w", err)
	}
	return signed, nil
}

// verify checks a JWT that this instance signed for itself, and its lifetime.
func (inst *Instance) verify(token string) (jwt.MapClaims, error) {
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		var known jwt.VerificationKeySet
		for _, key := range []instanceKey{inst.keys.signing, inst.keys.clients} {
			if t.Header["kid"] == key.id {
				known.Keys = append(known.Keys, &key.private.PublicKey)
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
	// KeepSessions leaves everybody signed in, as issuers do that rotate as a matter of
	// routine. Clerk isn't known to.
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
	// Not weather: the key sets have no rate limit.
	if inst.fault(FaultUnavailable) || inst.fault(FaultJWKSUnavailable) {
		writeError(w, errServiceUnavailable())
		return
	}
	inst.mu.Lock()
	ring := inst.keys
	if inst.fault(FaultKeySwapped) {
		ring.published = []instanceKey{{id: ring.signing.id, private: inst.strangeKey()}}
	}
	set := ring.jwks()
	inst.mu.Unlock()
	w.Header().Set("Cache-Control", "public, max-age=300")
	writeJSON(w, http.StatusOK, set)
}
