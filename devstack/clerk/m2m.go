package clerk

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/devstack/random"
)

// Machine is a machine of the instance, which creates tokens with its own secret.
type Machine struct {
	ID   string // mch_…; default: random
	Name string
	// Secret is the machine's secret key, ak_…. Default: random.
	Secret string
	// Scopes are the ids of the machines that it may talk to.
	Scopes []string
}

// m2mToken is a machine-to-machine token.
type m2mToken struct {
	id        string // mt_ and 32 hexadecimal digits; the jti of a JWT
	secret    string // the token, JWT or not
	machine   *Machine
	claims    map[string]any
	reason    string // of the revocation
	revoked   bool
	createdAt time.Time
	updatedAt time.Time
	usedAt    time.Time
	expireAt  time.Time // zero: never
}

// defaultM2MLifetime is that of a JWT; an opaque token lives until revoked. An
// assumption: Clerk documents no number.
const defaultM2MLifetime = time.Hour

// AddMachine adds a machine and returns its id and its secret key.
func (inst *Instance) AddMachine(m Machine) (id, secret string) {
	if m.ID == "" {
		m.ID = newID("mch")
	}
	if m.Secret == "" {
		m.Secret = newAPIKeySecret()
	}
	inst.mu.Lock()
	defer inst.mu.Unlock()
	inst.machines[m.ID] = &m
	return m.ID, m.Secret
}

// machineOf returns the machine whose secret key a request carries, or nil.
func (inst *Instance) machineOf(r *http.Request) *Machine {
	_, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	for _, m := range inst.machines {
		if random.Same(m.Secret, key) {
			return m
		}
	}
	return nil
}

// isMachine reports whether a request has a machine's secret key instead of the
// instance's, and may have it.
func (inst *Instance) isMachine(r *http.Request) bool {
	if !strings.Contains(r.URL.Path, "/m2m_tokens") {
		return false
	}
	inst.mu.Lock()
	defer inst.mu.Unlock()
	return inst.machineOf(r) != nil
}

func createM2MToken(inst *Instance, r *http.Request, body params) (any, error) {
	machine := inst.machineOf(r)
	if machine == nil {
		return nil, errBadRequest("M2M tokens are created with a machine secret key")
	}
	var (
		format  string
		seconds *float64
		least   int64
		claims  map[string]any
	)
	for _, err := range []error{
		body.only("token_format", "seconds_until_expiration", "claims", "min_remaining_ttl_seconds"), body.into("token_format", &format),
		body.into("seconds_until_expiration", &seconds), body.into("claims", &claims), body.into("min_remaining_ttl_seconds", &least),
	} {
		if err != nil {
			return nil, errBadRequest(err.Error())
		}
	}
	if seconds != nil && (*seconds <= 0 || *seconds > maxLifetimeSeconds) {
		return nil, errBadRequest("Invalid 'seconds_until_expiration': must be positive")
	}
	now := inst.now()
	t := &m2mToken{id: "mt_" + random.Hex(16), machine: machine, claims: claims, createdAt: now, updatedAt: now}
	if seconds != nil {
		t.expireAt = now.Add(time.Duration(*seconds * float64(time.Second)))
	}
	switch format {
	case "", "opaque":
		if old := inst.reusableM2M(t, least); old != nil {
			return created{inst.m2mView(old, true)}, nil
		}
		t.secret = "mt_" + random.String(43)
	case "jwt":
		if t.expireAt.IsZero() {
			t.expireAt = now.Add(defaultM2MLifetime)
		}
		payload := maps.Clone(claims)
		if payload == nil {
			payload = map[string]any{}
		}
		maps.Copy(payload, map[string]any{
			"iss": inst.baseURL, "sub": machine.ID, "jti": t.id, "iat": now.Unix(), "nbf": now.Unix(), "exp": t.expireAt.Unix(),
		})
		signed, err := inst.keys.sign(map[string]any{"cat": categoryM2M}, payload)
		if err != nil {
			return nil, err
		}
		t.secret = signed
	default:
		return nil, errBadRequest("Invalid 'token_format': must be opaque or jwt")
	}
	inst.m2mTokens[t.id] = t
	return created{inst.m2mView(t, true)}, nil
}

// reusableM2M returns an opaque token with the same machine and claims that is valid for
// another min_remaining_ttl_seconds, or nil.
func (inst *Instance) reusableM2M(wanted *m2mToken, least int64) *m2mToken {
	if least <= 0 {
		return nil
	}
	claims := fmt.Sprint(wanted.claims) // maps print in order of their keys
	for _, t := range inst.m2mTokens {
		left := t.expireAt.IsZero() || t.expireAt.Sub(inst.now()) >= time.Duration(least)*time.Second
		if t.machine == wanted.machine && !t.revoked && left && strings.HasPrefix(t.secret, "mt_") && fmt.Sprint(t.claims) == claims {
			return t
		}
	}
	return nil
}

func (t *m2mToken) expired(now time.Time) bool {
	return !t.expireAt.IsZero() && !now.Before(t.expireAt)
}

func (inst *Instance) m2mView(t *m2mToken, withToken bool) object {
	at := func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return ms(t)
	}
	claims := any(t.claims)
	if len(t.claims) == 0 {
		claims = json.RawMessage("null")
	}
	view := object{
		"object": "machine_to_machine_token", "id": t.id, "subject": t.machine.ID, "claims": claims, "scopes": append([]string{}, t.machine.Scopes...),
		"revoked": t.revoked, "revocation_reason": nullable(t.reason), "expired": t.expired(inst.now()), "expiration": at(t.expireAt),
		"last_used_at": at(t.usedAt), "created_at": ms(t.createdAt), "updated_at": ms(t.updatedAt),
	}
	if withToken {
		view["token"] = t.secret
	}
	return view
}

// verifyM2MToken answers the instance, and a machine that the token is meant for.
func verifyM2MToken(inst *Instance, r *http.Request, body params) (any, error) {
	var token string
	if err := body.only("token"); err != nil {
		return nil, errBadRequest(err.Error())
	}
	if err := body.into("token", &token); err != nil || token == "" {
		return nil, errBadRequest("Invalid 'token': Required")
	}
	asking := inst.machineOf(r)
	for _, t := range inst.m2mTokens {
		if !random.Same(t.secret, token) || t.revoked || t.expired(inst.now()) {
			continue
		}
		if asking == nil || asking == t.machine || slices.Contains(t.machine.Scopes, asking.ID) {
			t.usedAt = inst.now()
			return inst.m2mView(t, false), nil
		}
	}
	return nil, errTokenNotFound("M2M token")
}

func listM2MTokens(inst *Instance, r *http.Request, _ params) (any, error) {
	q := queryOf(r)
	if inst.machines[q.Get("subject")] == nil {
		return nil, errTokenNotFound("Machine")
	}
	var found []*m2mToken
	for _, t := range inst.m2mTokens {
		if t.machine.ID == q.Get("subject") && (!t.revoked || q.Get("revoked") == "true") && (!t.expired(inst.now()) || q.Get("expired") == "true") {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b *m2mToken) int { return strings.Compare(a.id, b.id) })
	answer, err := list(q, found, func(t *m2mToken) object { return inst.m2mView(t, false) })
	if err != nil {
		return nil, err
	}
	return object{"m2m_tokens": answer["data"], "total_count": answer["total_count"]}, nil
}

func revokeM2MToken(inst *Instance, r *http.Request, body params) (any, error) {
	t, asking := inst.m2mTokens[r.PathValue("id")], inst.machineOf(r)
	if t == nil || (asking != nil && asking != t.machine) {
		return nil, errTokenNotFound("M2M token")
	}
	if err := body.into("revocation_reason", &t.reason); err != nil {
		return nil, errBadRequest(err.Error())
	}
	t.revoked, t.updatedAt = true, inst.now()
	return inst.m2mView(t, false), nil
}
