package clerk

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// JOSE header cat: which class of token this is. All classes are signed by the
// same key, so it is the one cheap way to tell them apart.
const (
	categorySession  = "cl_B7d4PD111AAA"
	categoryTemplate = "cl_B7d4PD222AAA"
	categoryM2M      = "cl_B7d4PD333AAA"
)

// defaultClaims returns the claims that every token has. azp is the Origin of the
// request and is missing when there was none, as for a native client.
func (inst *Instance) defaultClaims(s *session, origin string, lifetime, skew time.Duration) map[string]any {
	now := inst.tokenTime()
	claims := map[string]any{
		"exp": now.Add(lifetime).Unix(),
		"iat": now.Unix(),
		"iss": inst.baseURL,
		"jti": newJTI(),
		"nbf": now.Add(-skew).Unix(),
		"sub": s.user.ID,
	}
	if origin != "" {
		claims["azp"] = origin
	}
	return claims
}

// sessionToken mints the short token of a session.
func (inst *Instance) sessionToken(s *session, origin string, lifetime time.Duration) (string, error) {
	claims := (&template{claims: inst.sessionClaims}).render(inst.scope(s))
	maps.Copy(claims, inst.defaultClaims(s, origin, lifetime, 10*time.Second))
	claims["sid"] = s.id
	m := inst.activeMembership(s)
	if inst.opts.SessionTokenVersion == 1 {
		delete(claims, "jti")
		if m != nil {
			claims["org_id"] = m.organization.ID
			claims["org_slug"] = m.organization.Slug
			claims["org_role"] = m.Role
			claims["org_permissions"] = m.custom()
		}
	} else {
		minutes := int(inst.now().Sub(s.createdAt) / time.Minute)
		claims["v"] = 2
		claims["sts"] = s.status
		claims["fva"] = []int{minutes, -1}
		if m != nil {
			maps.Copy(claims, m.compact())
		}
	}
	s.lastActiveAt = inst.now()
	return inst.keys.sign(map[string]any{"cat": categorySession}, claims)
}

// templateToken mints a token from a JWT template. The default claims override the
// template's.
func (inst *Instance) templateToken(s *session, t *template, origin string, lifetime time.Duration) (string, error) {
	claims := t.render(inst.scope(s))
	if inst.fault(FaultTemplateEmpty) {
		clear(claims)
	}
	if inst.fault(FaultTemplateAudience) {
		claims["aud"] = "https://app.example.test"
	}
	maps.Copy(claims, inst.defaultClaims(s, origin, lifetime, t.skew))
	s.lastActiveAt = inst.now()
	if t.signer != nil {
		return t.signer.sign(claims)
	}
	return inst.keys.sign(map[string]any{"cat": categoryTemplate}, claims)
}

// custom returns the permissions that reach a token: system permissions do not.
func (m *membership) custom() []string {
	out := []string{}
	for _, permission := range m.Permissions {
		if !strings.HasPrefix(permission, "org:sys_") {
			out = append(out, permission)
		}
	}
	return out
}

// compact writes the membership as version 2 does: o.per lists the permission
// names, fea the features, and o.fpm has for each feature a bit mask over o.per,
// lowest bit first.
func (m *membership) compact() map[string]any {
	org := map[string]any{
		"id":  m.organization.ID,
		"slg": m.organization.Slug,
		"rol": strings.TrimPrefix(m.Role, "org:"),
	}
	masks := map[string]map[string]bool{} // feature, permission
	var names []string
	for _, permission := range m.custom() {
		feature, name, ok := strings.Cut(strings.TrimPrefix(permission, "org:"), ":")
		if !ok {
			continue
		}
		if masks[feature] == nil {
			masks[feature] = map[string]bool{}
		}
		masks[feature][name] = true
		names = append(names, name)
	}
	if len(names) == 0 {
		return map[string]any{"o": org}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	var features, fpm []string
	for _, feature := range slices.Sorted(maps.Keys(masks)) {
		mask := 0
		for bit, name := range names {
			if masks[feature][name] {
				mask |= 1 << bit
			}
		}
		features = append(features, "o:"+feature)
		fpm = append(fpm, strconv.Itoa(mask))
	}
	org["per"] = strings.Join(names, ",")
	org["fpm"] = strings.Join(fpm, ",")
	return map[string]any{"o": org, "fea": strings.Join(features, ",")}
}

// SessionToken mints a session token without a request, for tests.
func (inst *Instance) SessionToken(sessionID string) (string, error) {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	s := inst.sessions[sessionID]
	if s == nil || !inst.active(s) {
		return "", fmt.Errorf("clerk: session token: no active session %q", sessionID)
	}
	return inst.sessionToken(s, "", inst.opts.SessionTokenLifetime)
}

// TemplateToken mints a template token without a request, for tests.
func (inst *Instance) TemplateToken(sessionID, name string) (string, error) {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	s, t := inst.sessions[sessionID], inst.templates[name]
	if s == nil || !inst.active(s) {
		return "", fmt.Errorf("clerk: template token: no active session %q", sessionID)
	}
	if t == nil {
		return "", fmt.Errorf("clerk: template token: no template %q", name)
	}
	return inst.templateToken(s, t, "", t.lifetime)
}

// Sign signs any claims with the instance key, for tests of verifiers: an
// id_token, an at+jwt, a token without exp. Header fields are added to alg, kid
// and typ or replace them; a nil one removes them. Nothing is added to the claims.
func (inst *Instance) Sign(header, claims map[string]any) (string, error) {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	return inst.keys.sign(header, claims)
}
