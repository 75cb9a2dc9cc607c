package auth0

// UserInfo is the current state of a user.
type UserInfo struct {
	ID            string
	Email         string
	Name          string
	Organizations []string // names
}

// Users returns all users, in the order in which they were added.
func (t *Tenant) Users() []UserInfo {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []UserInfo
	for _, u := range t.users {
		info := UserInfo{ID: u.ID, Email: u.Email, Name: u.Name}
		for _, o := range u.organizations {
			info.Organizations = append(info.Organizations, o.Name)
		}
		list = append(list, info)
	}
	return list
}
