package clerk

import (
	"net/http"
	"time"
)

// Bounds of expires_in_seconds for a JWT: half a minute to ten years.
const (
	minLifetimeSeconds = 30
	maxLifetimeSeconds = 315360000
)

// createSession is for testing alone: Clerk refuses it on production instances.
func createSession(inst *Instance, _ *http.Request, body params) (any, error) {
	if inst.opts.Production {
		return nil, errEnvironment()
	}
	var userID, organization string
	for _, err := range []error{
		body.only("user_id", "active_organization_id"),
		body.into("user_id", &userID),
		body.into("active_organization_id", &organization),
	} {
		if err != nil {
			return nil, err
		}
	}
	if userID == "" {
		return nil, errParamMissing("user_id")
	}
	u := inst.userByID(userID)
	if u == nil {
		return nil, errUserNotFound(userID)
	}
	if organization != "" && u.membership(organization) == nil {
		return nil, errOrganizationNotFound()
	}
	return inst.backendSessionView(inst.newSession(u, "", organization)), nil
}

func listSessions(inst *Instance, r *http.Request, _ params) (any, error) {
	query := r.URL.Query()
	if query.Get("user_id") == "" && query.Get("client_id") == "" {
		return nil, errParamMissing("user_id")
	}
	found := []object{}
	for _, u := range inst.users {
		if id := query.Get("user_id"); id != "" && id != u.ID {
			continue
		}
		for _, s := range inst.sessionsOf(u.ID) {
			inst.active(s)
			if id := query.Get("client_id"); id != "" && id != s.clientID {
				continue
			}
			if status := query.Get("status"); status == "" || status == s.status {
				found = append(found, inst.backendSessionView(s))
			}
		}
	}
	if query.Get("paginated") == "true" {
		return object{"data": found, "total_count": len(found)}, nil
	}
	return found, nil
}

func (inst *Instance) findSession(r *http.Request) (*session, error) {
	id := r.PathValue("id")
	s := inst.sessions[id]
	if s == nil || inst.fault(FaultSessionGone) {
		return nil, errSessionNotFound(id)
	}
	inst.active(s)
	return s, nil
}

func readSession(inst *Instance, r *http.Request, _ params) (any, error) {
	s, err := inst.findSession(r)
	if err != nil {
		return nil, err
	}
	return inst.backendSessionView(s), nil
}

func revokeSession(inst *Instance, r *http.Request, _ params) (any, error) {
	s, err := inst.findSession(r)
	if err != nil {
		return nil, err
	}
	if s.status != statusActive {
		return nil, errSessionNotFound(s.id)
	}
	inst.closeSession(s, statusRevoked)
	return inst.backendSessionView(s), nil
}

// mintToken mints a session token, or a template token when the path names one.
func mintToken(inst *Instance, r *http.Request, body params) (any, error) {
	var seconds *int64
	if err := body.only("expires_in_seconds"); err != nil {
		return nil, err
	}
	if err := body.into("expires_in_seconds", &seconds); err != nil {
		return nil, err
	}
	if seconds != nil && (*seconds < minLifetimeSeconds || *seconds > maxLifetimeSeconds) {
		return nil, errParamInvalid("expires_in_seconds")
	}
	s, err := inst.findSession(r)
	if err != nil {
		return nil, err
	}
	if s.status != statusActive {
		return nil, errSessionNotFound(s.id)
	}
	lifetime := func(usual time.Duration) time.Duration {
		if seconds != nil {
			return time.Duration(*seconds) * time.Second
		}
		return usual
	}
	var signed string
	if name := r.PathValue("template"); name == "" {
		signed, err = inst.sessionToken(s, "", lifetime(inst.opts.SessionTokenLifetime))
	} else {
		t, missing := inst.findTemplate(name)
		if missing != nil {
			return nil, missing
		}
		signed, err = inst.templateToken(s, t, "", lifetime(t.lifetime))
	}
	return object{"object": "token", "jwt": signed}, err
}
