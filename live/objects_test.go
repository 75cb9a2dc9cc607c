package live

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/turso"
	"github.com/zen-auth/zen/internal/store"
)

// object is an object in an account.
type object struct{ name, id string }

// kind is a kind of object that a run creates: list returns all of an account, and remove
// removes one.
type kind struct {
	name, need string
	list       func(context.Context) []object
	remove     func(context.Context, object)
}

// kinds returns the kinds in the order of removal: dependent objects first.
func (r *run) kinds() []kind {
	remove := func(path string) func(context.Context, object) {
		return func(ctx context.Context, o object) { r.clerkCall(ctx, http.MethodDelete, path+o.id, nil).into(nil) }
	}
	return []kind{
		{"registration", "turso", r.listRegistrations, r.removeRegistration},
		{"database", "turso", r.listDatabases, func(ctx context.Context, o object) {
			r.tursoCall(ctx, http.MethodDelete, "/databases/"+o.name, nil).into(nil)
		}},
		{"template", "clerk", r.listTemplates, remove("/jwt_templates/")},
		{"application", "clerk", func(ctx context.Context) []object {
			return r.listClerk(ctx, "/oauth_applications?limit=100")
		}, remove("/oauth_applications/")},
		{"organization", "clerk", func(ctx context.Context) []object {
			return r.listClerk(ctx, "/organizations?limit=100&query="+prefix)
		}, remove("/organizations/")},
		{"API key", "clerk", r.listKeys, remove("/api_keys/")},
		{"user", "clerk", r.listUsers, remove("/users/")},
		{"keyring item", "keyring", r.listItems, func(ctx context.Context, o object) { check(r.keyring.Delete(ctx, o.name)) }},
	}
}

// account returns a description of the account that holds objects of a kind, without its
// name.
func (r *run) account(of string) string {
	for _, k := range r.kinds() {
		switch {
		case k.name != of:
		case k.need == "turso":
			return "Turso organization " + r.organization
		case k.need == "clerk":
			return "Clerk instance " + r.instance.Fingerprint()
		}
	}
	return "this machine"
}

func (r *run) listRegistrations(ctx context.Context) (found []object) {
	sets, err := r.turso.KeySets(ctx, r.organization)
	check(err)
	for _, s := range sets {
		found = append(found, object{name: s.Name, id: s.Region})
	}
	return found
}

// removeRegistration trusts only the list, not the response. Removing a registration may need
// its region.
func (r *run) removeRegistration(ctx context.Context, o object) {
	err := r.turso.RemoveKeySet(ctx, r.organization, o.name, o.id)
	there := func(other object) bool { return other.name == o.name }
	if slices.ContainsFunc(r.listRegistrations(ctx), there) {
		check(errors.Join(err, fmt.Errorf("the registration %s is still there", o.name)))
	}
}

func (r *run) listDatabases(ctx context.Context) (found []object) {
	for d, err := range r.turso.Databases(ctx, r.organization, turso.DatabaseFilter{}) {
		check(err)
		if d.Name != r.database { // the user's own database is never deleted
			found = append(found, object{name: d.Name})
		}
	}
	return found
}

func (r *run) listTemplates(ctx context.Context) (found []object) {
	templates, err := r.backend.Templates(ctx)
	check(err)
	for _, t := range templates {
		found = append(found, object{t.Name, t.ID})
	}
	return found
}

// listClerk returns a list of the Backend API whose objects have names.
func (r *run) listClerk(ctx context.Context, path string) (found []object) {
	var answer struct {
		Data []struct{ ID, Name string }
	}
	res := r.clerkCall(ctx, http.MethodGet, path, nil)
	if res.status == http.StatusForbidden || res.status == http.StatusUnprocessableEntity || res.status == http.StatusBadRequest {
		return nil // the instance lacks the feature, so there are none
	}
	res.into(&answer)
	for _, o := range answer.Data {
		found = append(found, object{o.Name, o.ID})
	}
	return found
}

func (r *run) listUsers(ctx context.Context) (found []object) {
	var users []struct {
		ID        string
		Addresses []struct {
			Address string `json:"email_address"`
		} `json:"email_addresses"`
	}
	r.clerkCall(ctx, http.MethodGet, "/users?limit=100&query="+prefix, nil).into(&users)
	for _, u := range users {
		for _, a := range u.Addresses {
			found = append(found, object{a.Address, u.ID})
		}
	}
	return found
}

// listKeys returns the API keys of users that a run created, and of no others.
func (r *run) listKeys(ctx context.Context) (found []object) {
	for _, u := range r.listUsers(ctx) {
		if strings.HasPrefix(u.name, prefix) {
			found = append(found, r.listClerk(ctx, "/api_keys?include_invalid=true&limit=100&subject="+url.QueryEscape(u.id))...)
		}
	}
	return found
}

// item is the name of the keyring item.
const item = prefix + "test"

func (r *run) listItems(ctx context.Context) []object {
	if _, err := r.keyring.Get(ctx, item); errors.Is(err, store.ErrNoItem) {
		return nil
	} else {
		check(err)
	}
	return []object{{name: item}}
}

// sweep removes the objects whose names have the prefix, and the files. What can't be removed
// is returned as an error and stays in the journal; the rest is removed nevertheless.
func (r *run) sweep(ctx context.Context, beginning string) error {
	failures := []error{os.RemoveAll(r.dir)}
	for _, k := range r.kinds() {
		if r.lacks[k.need] != "" {
			continue
		}
		err := caught(func() {
			var failed []error
			for _, o := range k.list(ctx) {
				if !strings.HasPrefix(o.name, beginning) && o.name != item {
					continue
				}
				if err := caught(func() { k.remove(ctx, o) }); err != nil {
					failed = append(failed, fmt.Errorf("remove the %s %s: %w", k.name, o.name, err))
				}
			}
			check(errors.Join(failed...))
			check(r.journal.forget(k.name, r.account(k.name), beginning))
		})
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", k.name, err))
		}
	}
	return errors.Join(failures...)
}
