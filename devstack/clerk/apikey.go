package clerk

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zen-auth/zen/devstack/random"
)

// apiKey is one API key. Its secret begins with ak_, as its id does.
type apiKey struct {
	id, secret  string
	name        string
	description string
	subject     string
	claims      json.RawMessage // any JSON, or nil
	scopes      []string
	createdBy   string
	reason      string // of the revocation
	revoked     bool
	createdAt   time.Time
	updatedAt   time.Time
	lastUsedAt  time.Time
	expireAt    time.Time // zero: never
}

func newAPIKeySecret() string {
	secret := make([]byte, 32)
	rand.Read(secret)
	return "ak_" + base64.StdEncoding.EncodeToString(secret)
}

func (inst *Instance) apiKeysDisabled() bool {
	return inst.opts.APIKeysDisabled || inst.fault(FaultAPIKeysDisabled)
}

func (inst *Instance) expired(k *apiKey) bool {
	return !k.expireAt.IsZero() && !inst.now().Before(k.expireAt)
}

var apiKeySubject = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(user|org|mch|scim)_\w+$`) })

// The errors of API keys have neither meta nor a trace id.
func errBadRequest(text string) *apiError {
	return &apiError{status: 400, code: "bad_request", message: "Bad Request", long: text}
}

// APIKey is an API key created by a backend.
type APIKey struct {
	Name    string
	Subject string // a user's id, or an organization's
	Scopes  []string
	Claims  json.RawMessage // any JSON
	// Lifetime is the key's lifetime. Zero means unlimited, negative means expired.
	Lifetime time.Duration
}

// AddAPIKey makes a key without the Backend API, and returns its id and its secret.
func (inst *Instance) AddAPIKey(a APIKey) (id, secret string, err error) {
	if !apiKeySubject().MatchString(a.Subject) || len(a.Name) < 3 {
		return "", "", fmt.Errorf("clerk: add API key %q of %q: want a name of three letters and a subject", a.Name, a.Subject)
	}
	inst.mu.Lock()
	defer inst.mu.Unlock()
	k := &apiKey{name: a.Name, subject: a.Subject, scopes: a.Scopes, claims: a.Claims}
	inst.keepAPIKey(k, a.Lifetime)
	return k.id, k.secret, nil
}

// RevokeAPIKey revokes a key, as the dashboard can.
func (inst *Instance) RevokeAPIKey(id string) error {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	k := inst.apiKeys[id]
	if k == nil {
		return fmt.Errorf("clerk: revoke API key: no key %q", id)
	}
	k.revoked, k.updatedAt = true, inst.now()
	return nil
}

// keepAPIKey completes a key. A lifetime of 0 is unlimited.
func (inst *Instance) keepAPIKey(k *apiKey, lifetime time.Duration) {
	k.id, k.secret = "ak_"+random.Hex(16), newAPIKeySecret()
	k.createdAt = inst.now()
	k.updatedAt = k.createdAt
	if lifetime != 0 {
		k.expireAt = k.createdAt.Add(lifetime)
	}
	inst.apiKeys[k.id] = k
}

func createAPIKey(inst *Instance, _ *http.Request, body params) (any, error) {
	k := &apiKey{claims: body["claims"]}
	for _, err := range []error{
		body.only("type", "name", "description", "subject", "claims", "scopes", "created_by", "seconds_until_expiration"),
		body.into("scopes", &k.scopes), body.into("created_by", &k.createdBy),
	} {
		if err != nil {
			return nil, errBadRequest(err.Error())
		}
	}
	return inst.saveAPIKey(k, body)
}

// saveAPIKey makes a key from the fields that both APIs have. Only its response contains
// the secret without being asked for it.
func (inst *Instance) saveAPIKey(k *apiKey, body params) (any, error) {
	if inst.apiKeysDisabled() {
		return nil, errAPIKeysDisabled()
	}
	var (
		kind    string
		seconds *int64
	)
	for _, err := range []error{
		body.into("type", &kind), body.into("name", &k.name), body.into("description", &k.description), body.into("subject", &k.subject),
		body.into("seconds_until_expiration", &seconds),
	} {
		if err != nil {
			return nil, errBadRequest(err.Error())
		}
	}
	switch {
	case len(k.name) < 3:
		return nil, errBadRequest("Invalid 'name': must be at least 3 characters")
	case len(k.description) > 255:
		return nil, errBadRequest("Invalid 'description': must be at most 255 characters")
	case !apiKeySubject().MatchString(k.subject):
		return nil, errBadRequest("Invalid 'subject': Failed regex check")
	case kind != "" && kind != "api_key":
		return nil, errBadRequest("Invalid 'type': must be api_key")
	case seconds != nil && (*seconds < 1 || *seconds > maxLifetimeSeconds):
		return nil, errBadRequest("Invalid 'seconds_until_expiration': must be positive")
	}
	var lifetime time.Duration
	if seconds != nil {
		lifetime = time.Duration(*seconds) * time.Second
	}
	inst.keepAPIKey(k, lifetime)
	view := inst.apiKeyView(k)
	view["secret"] = k.secret
	return view, nil
}

func (inst *Instance) apiKeyView(k *apiKey) object {
	at := func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return ms(t)
	}
	claims := k.claims
	if len(claims) == 0 {
		claims = json.RawMessage("null")
	}
	return object{
		"object": "api_key", "id": k.id, "type": "api_key", "subject": k.subject, "name": k.name, "description": nullable(k.description),
		"claims": claims, "scopes": append([]string{}, k.scopes...), "revoked": k.revoked, "revocation_reason": nullable(k.reason),
		"expired": inst.expired(k), "expiration": at(k.expireAt), "created_by": nullable(k.createdBy), "last_used_at": at(k.lastUsedAt),
		"created_at": ms(k.createdAt), "updated_at": ms(k.updatedAt),
	}
}

// verifyAPIKey finds the key with a secret. One that was revoked or has expired is not
// found: "If the API key is invalid, revoked, or expired, the method will throw an error"
// (Clerk, API keys).
func verifyAPIKey(inst *Instance, _ *http.Request, body params) (any, error) {
	if inst.apiKeysDisabled() {
		return nil, errAPIKeysDisabled()
	}
	var secret string
	if err := body.only("secret"); err != nil {
		return nil, errBadRequest(err.Error())
	}
	if err := body.into("secret", &secret); err != nil || secret == "" {
		return nil, errBadRequest("Invalid 'secret': Required")
	}
	for _, k := range inst.apiKeys {
		if random.Same(k.secret, secret) && !k.revoked && !inst.expired(k) && !inst.fault(FaultAPIKeyUnknown) {
			k.lastUsedAt = inst.now()
			return inst.verifiedView(k), nil
		}
	}
	return nil, errTokenNotFound("API key")
}

// verifiedView returns a key in the form of a verification. For an invalid key Clerk
// documents both flags and an error: the faults use the flags.
func (inst *Instance) verifiedView(k *apiKey) object {
	view := inst.apiKeyView(k)
	switch {
	case inst.fault(FaultAPIKeyRevoked):
		view["revoked"], view["revocation_reason"] = true, "leaked"
	case inst.fault(FaultAPIKeyExpired):
		view["expired"], view["expiration"] = true, ms(inst.now().Add(-time.Hour))
	case inst.fault(FaultAPIKeyBare):
		view["scopes"], view["claims"] = []string{}, nil
	}
	return view
}

func listAPIKeys(inst *Instance, r *http.Request, _ params) (any, error) {
	return inst.apiKeysOf(queryOf(r), queryOf(r).Get("subject"))
}

// apiKeysOf returns a subject's keys, newest first, revoked and expired ones only if
// the query asks for them.
func (inst *Instance) apiKeysOf(q urlQuery, subject string) (any, error) {
	if subject == "" {
		return nil, errBadRequest("Invalid 'subject': Required")
	}
	var found []*apiKey
	for _, k := range inst.apiKeys {
		valid := !k.revoked && !inst.expired(k)
		if k.subject == subject && (valid || q.Get("include_invalid") == "true") &&
			strings.Contains(strings.ToLower(k.name), strings.ToLower(q.Get("query"))) {
			found = append(found, k)
		}
	}
	slices.SortFunc(found, func(a, b *apiKey) int {
		if c := b.createdAt.Compare(a.createdAt); c != 0 {
			return c
		}
		return strings.Compare(a.id, b.id)
	})
	return list(q, found, inst.apiKeyView)
}

func (inst *Instance) findAPIKey(r *http.Request) (*apiKey, error) {
	if k := inst.apiKeys[r.PathValue("id")]; k != nil {
		return k, nil
	}
	return nil, errTokenNotFound("API key")
}

func readAPIKey(inst *Instance, r *http.Request, _ params) (any, error) {
	k, err := inst.findAPIKey(r)
	if err != nil {
		return nil, err
	}
	return inst.apiKeyView(k), nil
}

func readAPIKeySecret(inst *Instance, r *http.Request, _ params) (any, error) {
	k, err := inst.findAPIKey(r)
	if err != nil {
		return nil, err
	}
	return object{"secret": k.secret}, nil
}

func revokeAPIKey(inst *Instance, r *http.Request, body params) (any, error) {
	k, err := inst.findAPIKey(r)
	if err != nil {
		return nil, err
	}
	return inst.revoke(k, body)
}

func (inst *Instance) revoke(k *apiKey, body params) (any, error) {
	if err := body.into("revocation_reason", &k.reason); err != nil {
		return nil, errBadRequest(err.Error())
	}
	k.revoked, k.updatedAt = true, inst.now()
	return inst.apiKeyView(k), nil
}

func deleteAPIKey(inst *Instance, r *http.Request, _ params) (any, error) {
	k, err := inst.findAPIKey(r)
	if err != nil {
		return nil, err
	}
	delete(inst.apiKeys, k.id)
	return object{"object": "api_key", "id": k.id, "deleted": true}, nil
}
