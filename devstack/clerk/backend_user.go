package clerk

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

func listUsers(inst *Instance, r *http.Request, _ params) (any, error) {
	part, _, err := page(queryOf(r), inst.matchUsers(r))
	if err != nil {
		return nil, err
	}
	found := []object{}
	for _, u := range part {
		found = append(found, inst.backendUserView(u))
	}
	return found, nil
}

func countUsers(inst *Instance, r *http.Request, _ params) (any, error) {
	return object{"object": "total_count", "total_count": len(inst.matchUsers(r))}, nil
}

// matchUsers filters by e-mail address, id, or a part of these or of the name.
func (inst *Instance) matchUsers(r *http.Request) []*user {
	q := r.URL.Query()
	anyOf := func(wanted []string, value string) bool {
		return len(wanted) == 0 || slices.ContainsFunc(wanted, func(w string) bool { return strings.EqualFold(w, value) })
	}
	part := strings.ToLower(q.Get("query"))
	return slices.DeleteFunc(slices.Clone(inst.users), func(u *user) bool {
		return !anyOf(q["email_address"], u.Email) || !anyOf(q["user_id"], u.ID) ||
			!strings.Contains(strings.ToLower(u.fullName()+" "+u.Email+" "+u.ID), part)
	})
}

func (inst *Instance) pathUser(r *http.Request) (*user, error) {
	if u := inst.userByID(r.PathValue("id")); u != nil {
		return u, nil
	}
	return nil, errUserNotFound(r.PathValue("id"))
}

func (inst *Instance) backendUserView(u *user) object {
	view := inst.userView(u)
	view["private_metadata"] = u.privateMetadata
	delete(view, "organization_memberships")
	return view
}

func readUser(inst *Instance, r *http.Request, _ params) (any, error) {
	u, err := inst.pathUser(r)
	if err != nil {
		return nil, err
	}
	return inst.backendUserView(u), nil
}

func createUser(inst *Instance, _ *http.Request, body params) (any, error) {
	var (
		added           User
		emails          []string
		privateMetadata map[string]any
	)
	for _, err := range []error{
		body.into("email_address", &emails), body.into("password", &added.Password), body.into("first_name", &added.FirstName),
		body.into("last_name", &added.LastName), body.into("public_metadata", &added.PublicMetadata), body.into("private_metadata", &privateMetadata),
	} {
		if err != nil {
			return nil, err
		}
	}
	switch {
	case len(emails) == 0 || emails[0] == "":
		return nil, errParamMissing("email_address")
	case !strings.Contains(emails[0], "@"):
		return nil, errParamInvalid("email_address")
	case added.Password != "" && len(added.Password) < 8:
		return nil, errPasswordTooShort()
	}
	added.Email = emails[0]
	if inst.userByEmail(added.Email) != nil {
		return nil, errIdentifierExists("email_address", "That email address is taken. Please try another.")
	}
	u, err := inst.addUser(added)
	if err != nil {
		return nil, errParamInvalid("public_metadata")
	}
	maps.Copy(u.privateMetadata, privateMetadata)
	return inst.backendUserView(u), nil
}

func updateUser(inst *Instance, r *http.Request, body params) (any, error) {
	u, err := inst.pathUser(r)
	if err != nil {
		return nil, err
	}
	changed := u.User
	for _, err := range []error{
		body.into("first_name", &changed.FirstName), body.into("last_name", &changed.LastName), body.into("password", &changed.Password),
	} {
		if err != nil {
			return nil, err
		}
	}
	if changed.Password != u.Password && len(changed.Password) < 8 {
		return nil, errPasswordTooShort()
	}
	u.User, u.updatedAt = changed, inst.now()
	return inst.mergeMetadata(u, body, false)
}

// updateMetadata merges metadata: a null field is removed.
func updateMetadata(inst *Instance, r *http.Request, body params) (any, error) {
	u, err := inst.pathUser(r)
	if err == nil {
		err = body.only("public_metadata", "private_metadata", "unsafe_metadata")
	}
	if err != nil {
		return nil, err
	}
	return inst.mergeMetadata(u, body, true)
}

// mergeMetadata writes the metadata of a body, in the place of the old or into it.
func (inst *Instance) mergeMetadata(u *user, body params, merge bool) (any, error) {
	for name, target := range map[string]*map[string]any{"public_metadata": &u.PublicMetadata, "private_metadata": &u.privateMetadata, "unsafe_metadata": &u.UnsafeMetadata} {
		raw, ok := body[name]
		if !ok {
			continue
		}
		metadata, err := decodeObject(raw)
		if err != nil {
			return nil, errParamInvalid(name)
		}
		next := map[string]any{}
		if merge {
			maps.Copy(next, *target)
		}
		for key, value := range metadata {
			if next[key] = value; value == nil {
				delete(next, key)
			}
		}
		*target, u.updatedAt = next, inst.now()
	}
	return inst.backendUserView(u), nil
}

// markUser changes a ban or lock; ending also revokes the sessions.
func markUser(change func(*user), ending bool) backendHandler {
	return func(inst *Instance, r *http.Request, _ params) (any, error) {
		u, err := inst.pathUser(r)
		if err != nil {
			return nil, err
		}
		change(u)
		u.updatedAt = inst.now()
		for _, s := range inst.sessionsOf(u.ID) {
			if ending && inst.active(s) {
				inst.closeSession(s, statusRevoked)
			}
		}
		if ending {
			inst.oauth.forget(u)
		}
		return inst.backendUserView(u), nil
	}
}

func deleteUser(inst *Instance, r *http.Request, _ params) (any, error) {
	u, err := inst.pathUser(r)
	if err != nil {
		return nil, err
	}
	for _, s := range inst.sessionsOf(u.ID) {
		if inst.active(s) {
			inst.closeSession(s, statusRevoked)
		}
		delete(inst.sessions, s.id)
	}
	inst.oauth.forget(u)
	inst.users = slices.DeleteFunc(inst.users, func(other *user) bool { return other == u })
	return object{"object": "user", "id": u.ID, "deleted": true}, nil
}

func userMemberships(inst *Instance, r *http.Request, _ params) (any, error) {
	u, err := inst.pathUser(r)
	if err != nil {
		return nil, err
	}
	return list(queryOf(r), u.memberships, func(m *membership) object { return inst.memberView(member{u, m}) })
}
