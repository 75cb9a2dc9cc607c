package clerk

// UserInfo is the current state of a user.
type UserInfo struct {
	ID            string
	Email         string
	Name          string
	Organizations []string // "SLUG (ROLE)"
	Sessions      int      // that are active
}

// Users returns all users, in the order in which they were added.
func (inst *Instance) Users() []UserInfo {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	var list []UserInfo
	for _, u := range inst.users {
		info := UserInfo{ID: u.ID, Email: u.Email, Name: u.fullName()}
		for _, m := range u.memberships {
			info.Organizations = append(info.Organizations, m.organization.Slug+" ("+m.Role+")")
		}
		for _, s := range inst.sessions {
			if s.user == u && inst.active(s) {
				info.Sessions++
			}
		}
		list = append(list, info)
	}
	return list
}

// KeyInfo is a published key.
type KeyInfo struct {
	ID      string // kid
	Signing bool   // it signs now; the others are retired
}

// Keys returns the published keys, the newest first.
func (inst *Instance) Keys() []KeyInfo {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	var list []KeyInfo
	for _, k := range inst.keys.published {
		list = append(list, KeyInfo{k.ID, k.Private == inst.keys.signing.Private})
	}
	return list
}
