package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/provider"
)

// rightsOf reads a key's database rights from its claims, with Turso's names (a, perm,
// and id, which names one database), and otherwise from its scopes. It returns nil if the
// key has neither.
func (s settings) rightsOf(k clerk.APIKey) (*provider.DatabaseClaims, error) {
	var claims struct {
		ID          string          `json:"id"`
		Access      string          `json:"a"`
		Permissions json.RawMessage `json:"perm"`
	}
	if k.Claims != nil && json.Unmarshal(k.Claims, &claims) != nil {
		var object map[string]any
		if json.Unmarshal(k.Claims, &object) != nil {
			return s.byScope(k), nil // claims may be any JSON
		}
		return nil, badClaims(k, "id or a is not a text")
	}
	permissions, err := readPermissions(claims.Permissions)
	if err != nil {
		return nil, badClaims(k, err.Error())
	}
	d := s.byScope(k)
	switch {
	case claims.Access == "rw":
		d = &provider.DatabaseClaims{Access: provider.AccessReadWrite}
	case claims.Access == "ro":
		d = &provider.DatabaseClaims{Access: provider.AccessReadOnly}
	case claims.Access != "":
		return nil, badClaims(k, fmt.Sprintf("a is %.20q, not ro or rw", claims.Access))
	case permissions != nil && d == nil:
		d = &provider.DatabaseClaims{Access: accessOf(permissions)}
	}
	if d != nil {
		d.DatabaseID, d.Permissions = claims.ID, permissions
	}
	return d, nil
}

// byScope is nil if the key has neither scope.
func (s settings) byScope(k clerk.APIKey) *provider.DatabaseClaims {
	switch {
	case slices.Contains(k.Scopes, s.writeScope):
		return &provider.DatabaseClaims{Access: provider.AccessReadWrite}
	case slices.Contains(k.Scopes, s.readScope):
		return &provider.DatabaseClaims{Access: provider.AccessReadOnly}
	}
	return nil
}

// readPermissions reads [{"t":["notes"],"a":["data_read"]}], where t is absent or null
// for every table. nil means none.
func readPermissions(data json.RawMessage) ([]provider.Permission, error) {
	if len(data) == 0 || string(data) == "null" {
		return nil, nil
	}
	var list []struct {
		Tables  []string          `json:"t"`
		Actions []provider.Action `json:"a"`
	}
	if json.Unmarshal(data, &list) != nil || len(list) == 0 {
		return nil, fmt.Errorf(`perm is not a list like [{"t":["notes"],"a":["data_read"]}]`)
	}
	permissions := make([]provider.Permission, len(list))
	for i, entry := range list {
		if entry.Tables != nil && len(entry.Tables) == 0 || len(entry.Actions) == 0 {
			return nil, fmt.Errorf("perm has an entry without tables or actions")
		}
		for _, action := range entry.Actions {
			if !slices.Contains(provider.Actions(), action) {
				return nil, fmt.Errorf("perm has the action %.40q, which there isn't", action)
			}
		}
		permissions[i] = provider.Permission{Tables: entry.Tables, Actions: entry.Actions}
	}
	return permissions, nil
}

// accessOf returns the access that a permission list needs.
func accessOf(permissions []provider.Permission) provider.Access {
	for _, p := range permissions {
		if slices.ContainsFunc(p.Actions, func(a provider.Action) bool { return a != "data_read" }) {
			return provider.AccessReadWrite
		}
	}
	return provider.AccessReadOnly
}

// narrow removes from a request what the key doesn't allow. nil rights are no limit: a
// user's key without any is limited by the template.
func narrow(d *provider.DatabaseClaims, req provider.TokenRequest) (provider.TokenRequest, error) {
	if d == nil {
		return req, nil
	}
	if d.DatabaseID != "" && req.Target.DatabaseID != "" && d.DatabaseID != req.Target.DatabaseID {
		return req, permissionError("use a key that was made for this database", "the API key is for the database %s, not for %s", d.DatabaseID, req.Target.DatabaseID)
	}
	req.Target.DatabaseID = cmp.Or(d.DatabaseID, req.Target.DatabaseID)
	req.Access = provider.NarrowAccess(req.Access, d.Access)
	both, ok := provider.Narrow(req.Permissions, d.Permissions)
	if !ok {
		return req, permissionError("change permissions in the profile, or the claim perm of the key", "the API key allows nothing of what the profile's permissions do")
	}
	req.Permissions = both
	return req, nil
}

func badClaims(k clerk.APIKey, reason string) error {
	return permissionError("correct the claims of the key with Clerk's Backend API", "the claims of %s: %s", k.Label(), reason)
}

func permissionError(hint, format string, args ...any) error {
	return &provider.Error{Kind: provider.ErrPermission, Message: "apikey: " + fmt.Sprintf(format, args...), Hint: hint}
}

func isOrganization(subject string) bool { return strings.HasPrefix(subject, "org_") }
