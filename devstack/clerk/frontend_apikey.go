package clerk

// The API keys that users create for themselves. Such a key has neither scopes nor
// claims: only the Backend API can set those. Unlike the rest of the Frontend API, these
// paths have no version, take JSON, and answer without the envelope.

// ownSubject checks that a key is the user's, or their organization's to manage.
func ownSubject(u *user, subject string) error {
	if subject == u.ID {
		return nil
	}
	if m := u.membership(subject); m != nil && m.may(permissionManageMembers) {
		return nil
	}
	return errNotFound()
}

func listMyAPIKeys(inst *Instance, c *call) (any, error) {
	u, err := inst.signedInUser(c)
	if err != nil {
		return nil, err
	}
	subject := c.r.URL.Query().Get("subject")
	if err := ownSubject(u, subject); subject != "" && err != nil {
		return nil, err
	}
	return inst.apiKeysOf(queryOf(c.r), subject)
}

func createMyAPIKey(inst *Instance, c *call) (any, error) {
	u, err := inst.signedInUser(c)
	if err != nil {
		return nil, err
	}
	if err := c.json.only("type", "name", "description", "subject", "seconds_until_expiration"); err != nil {
		return nil, errBadRequest(err.Error())
	}
	var subject string
	if err := c.json.into("subject", &subject); err != nil {
		return nil, errBadRequest(err.Error())
	}
	if err := ownSubject(u, subject); err != nil {
		return nil, err
	}
	key, err := inst.saveAPIKey(&apiKey{createdBy: u.ID}, c.json)
	if err != nil {
		return nil, err
	}
	return created{key}, nil
}

func revokeMyAPIKey(inst *Instance, c *call) (any, error) {
	u, err := inst.signedInUser(c)
	if err != nil {
		return nil, err
	}
	k, err := inst.findAPIKey(c.r)
	if err != nil {
		return nil, err
	}
	if err := ownSubject(u, k.subject); err != nil {
		return nil, err
	}
	return inst.revoke(k, c.json)
}
