package config

import (
	"fmt"
	"slices"

	"github.com/zen-auth/zen/core/provider"
)

// cap holds what a project file has a part in to the strictest of the user's own
// profiles of the same database: a new profile, a profile that the project selects, or
// a database that it names can do no more than any of these, and its tokens are made
// by the providers of one of them. What a flag or the environment says is the user's
// own word, and stronger. inUser is the user's profile of that name; chosen says that
// the project selected the profile or the database. held says that no login
// replaces the provider now.
func (c *Config) cap(v *values, databases []*profile, inUser values, chosen bool) (held bool, err error) {
	held, err = c.capProviders(v, databases, inUser, chosen)
	if err != nil {
		return false, err
	}
	if !chosen {
		return held, nil // values.narrows has compared access and permissions
	}
	for _, p := range databases {
		own := c.user.values(p)
		if own.access.Value == provider.AccessReadOnly && !v.access.isUsers() && v.access.Value != provider.AccessReadOnly {
			if v.access.Origin.Kind == KindProjectFile {
				return false, widens(v.access.Origin, "access rw, where your own profile of that database has ro ("+own.access.Origin.String()+")")
			}
			v.access = own.access
		}
		if len(own.permissions.Value) == 0 || v.permissions.isUsers() {
			continue
		}
		if v.permissions.Origin.Kind == KindProjectFile {
			return false, widens(v.permissions.Origin, "permissions, which your own profile of that database has already ("+own.permissions.Origin.String()+")")
		}
		if len(v.permissions.Value) == 0 {
			v.permissions = own.permissions
			continue
		}
		both := intersection(v.permissions.Value, own.permissions.Value)
		if len(both) == 0 {
			return false, &provider.Error{
				Kind:    provider.ErrConfig,
				Message: fmt.Sprintf("the permissions of your profiles of %s have nothing in common (%s, %s), and the project file may use no more than that", v.database.Value, v.permissions.Origin, own.permissions.Origin),
				Hint:    "choose one of them with --profile",
			}
		}
		v.permissions.Value = both
	}
	return held, nil
}

// isUsers reports whether the user set the value for this one run.
func (v Value[T]) isUsers() bool {
	return v.Origin.Kind == KindFlag || v.Origin.Kind == KindEnvironment
}

// capProviders holds the providers to those of one of the user's profiles of the
// database. Where no such profile names any, a login chooses, but not the project file
// if there is none: with the storage none.
func (c *Config) capProviders(v *values, databases []*profile, inUser values, chosen bool) (held bool, err error) {
	byProject := v.provider.Origin.Kind == KindProjectFile || v.tokenProvider.Origin.Kind == KindProjectFile
	if !v.database.IsSet() || !byProject && !chosen || v.provider.isUsers() {
		return false, nil
	}
	own := make([]values, 0, len(databases)+1)
	for _, p := range databases {
		own = append(own, c.user.values(p))
	}
	if v.database.Origin.Kind != KindProjectFile {
		own = append(own, inUser) // whatever database it names, the user gave it these providers
	}
	own = slices.DeleteFunc(own, func(o values) bool { return !o.provider.IsSet() && !o.tokenProvider.IsSet() })
	if len(own) == 0 {
		return false, v.capUnnamed(len(databases) > 0)
	}
	for _, o := range own {
		if v.provider.IsSet() && o.provider.IsSet() && o.provider.Value != v.provider.Value {
			continue
		}
		switch {
		case v.tokenProvider.isUsers():
			v.provider = v.provider.or(o.provider)
			return chosen, nil
		case !v.tokenProvider.IsSet() || v.tokenProvider.Value == o.tokenProvider.Value:
			v.provider, v.tokenProvider = v.provider.or(o.provider), o.tokenProvider
			return chosen, nil
		}
	}
	if !byProject { // they are of a profile of another database
		v.provider = own[0].provider
		if !v.tokenProvider.isUsers() {
			v.tokenProvider = own[0].tokenProvider
		}
		return true, nil
	}
	origin, what := v.provider.Origin, "provider "+v.provider.Value
	if v.tokenProvider.Origin.Kind == KindProjectFile {
		origin, what = v.tokenProvider.Origin, "token_provider "+v.tokenProvider.Value
	}
	return false, widens(origin, what+", where your own profile of that database has another ("+own[0].provider.or(own[0].tokenProvider).Origin.String()+")")
}

// capUnnamed is capProviders where none of the user's profiles names a provider. known
// says that one of them has the database.
func (v *values) capUnnamed(known bool) error {
	switch {
	case v.tokenProvider.Origin.Kind == KindProjectFile:
		return widens(v.tokenProvider.Origin, "token_provider "+v.tokenProvider.Value+", which no profile of your own names for that database")
	case v.storage.Value == "none" && known && v.provider.Origin.Kind == KindProjectFile:
		return widens(v.provider.Origin, "provider "+v.provider.Value+", which no profile of your own names for that database: with the storage none it would issue the tokens without a sign-in")
	}
	return nil
}

// widens returns the error for what a project file says beyond the user's own profiles.
func widens(origin Origin, what string) error {
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("%s sets %s: a project file may narrow what a token can do, never widen it", origin, what),
		Hint:    "change your own file, or use a flag or the environment",
	}
}

// intersection returns what both lists allow.
func intersection(a, b []provider.Permission) []provider.Permission {
	var both []provider.Permission
	for _, p := range a {
		for _, q := range b {
			tables, ok := commonTables(p.Tables, q.Tables)
			actions := common(p.Actions, q.Actions)
			if ok && len(actions) > 0 {
				both = append(both, provider.Permission{Tables: tables, Actions: actions})
			}
		}
	}
	return both
}

// commonTables returns the tables of both, where nil is all of them; ok is false where
// there are none.
func commonTables(a, b []string) (tables []string, ok bool) {
	switch {
	case a == nil:
		return b, true
	case b == nil:
		return a, true
	}
	tables = common(a, b)
	return tables, len(tables) > 0
}

func common[T comparable](a, b []T) []T {
	var both []T
	for _, x := range a {
		if slices.Contains(b, x) {
			both = append(both, x)
		}
	}
	return both
}
