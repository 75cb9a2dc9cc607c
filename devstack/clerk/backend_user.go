package clerk

import (
	"net/http"
	"slices"
	"strings"
)

func listUsers(inst *Instance, r *http.Request, _ params) (any, error) {
	found := []object{}
	for _, u := range inst.matchUsers(r) {
		found = append(found, inst.userView(u))
	}
	return found, nil
}

func countUsers(inst *Instance, r *http.Request, _ params) (any, error) {
	return object{"object": "total_count", "total_count": len(inst.matchUsers(r))}, nil
}

// matchUsers filters by e-mail address, the one filter that a bridge needs.
func (inst *Instance) matchUsers(r *http.Request) []*user {
	wanted := r.URL.Query()["email_address"]
	if len(wanted) == 0 {
		return inst.users
	}
	return slices.DeleteFunc(slices.Clone(inst.users), func(u *user) bool {
		return !slices.ContainsFunc(wanted, func(email string) bool { return strings.EqualFold(email, u.Email) })
	})
}

func readUser(inst *Instance, r *http.Request, _ params) (any, error) {
	u := inst.userByID(r.PathValue("id"))
	if u == nil {
		return nil, errUserNotFound(r.PathValue("id"))
	}
	return inst.userView(u), nil
}
