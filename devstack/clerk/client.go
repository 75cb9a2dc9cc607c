package clerk

import (
	"net/http"
	"strings"
	"time"

	"github.com/zen-auth/zen/devstack/random"
)

// client is one device: what a browser's __client cookie or a native app's
// client JWT stands for.
type client struct {
	id        string
	createdAt time.Time
	updatedAt time.Time

	sessions []*session // in order of sign-in; ended ones are dropped
	signIn   *signIn    // the current attempt, or nil
	known    []string   // users who were signed in

	// The rotating token guards against session fixation: the client JWT carries
	// it and it changes with every sign-in and sign-out.
	rotating   string
	previous   string
	rotatedAt  time.Time
	currentJWT string
}

func (inst *Instance) newClient() (*client, error) {
	now := inst.now()
	cl := &client{id: newID("client"), createdAt: now}
	if err := inst.rotate(cl); err != nil {
		return nil, err
	}
	cl.previous = ""
	inst.clients[cl.id] = cl
	return cl, nil
}

// rotate gives the client a new client JWT. That has no exp, no iss and no sub:
// Clerk documents its content as id and rotating_token, and its life as the session's.
func (inst *Instance) rotate(cl *client) error {
	cl.previous, cl.rotating = cl.rotating, random.String(32)
	cl.rotatedAt = inst.now()
	cl.updatedAt = cl.rotatedAt
	signed, err := inst.keys.clients.Sign(nil, map[string]any{"id": cl.id, "rotating_token": cl.rotating})
	cl.currentJWT = signed
	return err
}

// authenticate finds the client of a native request. No Authorization, or an
// empty one, is no client and no error: that is how a new device begins.
//
// An unverifiable JWT gets authentication_invalid, which is an assumption: the catalogue
// does not distinguish the two 401s. A JWT from before a rotation gets signed_out and a
// new, empty client, since Clerk's Expo SDK expects a "replacement device token" in the
// header of such an answer (clerk/javascript, expo/src/utils/hostedAuth.ts).
func (inst *Instance) authenticate(r *http.Request) (*client, error) {
	token := strings.TrimSpace(r.Header.Get("Authorization"))
	// Clerk's Expo SDK sends the bare token, its OpenAPI description says Bearer.
	if scheme, rest, ok := strings.Cut(token, " "); ok && strings.EqualFold(scheme, "Bearer") {
		token = strings.TrimSpace(rest)
	}
	if token == "" {
		return nil, nil
	}
	claims, err := inst.verify(token)
	if err != nil {
		return nil, errAuthenticationInvalid()
	}
	id, _ := claims["id"].(string)
	rotating, _ := claims["rotating_token"].(string)
	cl := inst.clients[id]
	if cl == nil || rotating == "" {
		return nil, errAuthenticationInvalid()
	}
	signedOut := inst.fault(FaultSignedOut)
	if random.Same(rotating, cl.rotating) && !signedOut {
		return cl, nil
	}
	if !signedOut && random.Same(rotating, cl.previous) && inst.now().Before(cl.rotatedAt.Add(inst.opts.RotationGrace)) {
		return cl, nil
	}
	replacement, err := inst.newClient()
	if err != nil {
		return nil, err
	}
	return replacement, errSignedOut()
}

// activeSessions drops inactive sessions and returns the rest.
func (inst *Instance) activeSessions(cl *client) []*session {
	kept := cl.sessions[:0]
	for _, s := range cl.sessions {
		if inst.active(s) {
			kept = append(kept, s)
		}
	}
	clear(cl.sessions[len(kept):])
	cl.sessions = kept
	return kept
}

// sessionOf finds an active session of a client. An ended session is not found: Clerk
// documents the 404 but not its cause, and users of clerk-js report "No session was
// found" after sign-out.
func (inst *Instance) sessionOf(cl *client, id string) (*session, error) {
	if cl == nil {
		return nil, errSignedOut()
	}
	for _, s := range inst.activeSessions(cl) {
		if s.id == id && !inst.sessionsGone() {
			return s, nil
		}
	}
	return nil, errSessionNotFound(id)
}

// endSessions closes some of a client's sessions and rotates its token.
func (inst *Instance) endSessions(cl *client, status string, sessions ...*session) error {
	for _, s := range sessions {
		inst.closeSession(s, status)
	}
	inst.activeSessions(cl)
	return inst.rotate(cl)
}
