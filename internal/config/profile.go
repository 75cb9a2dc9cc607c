package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/names"
	"github.com/zen-auth/zen/internal/text"
)

// Profile is a profile with every layer applied. A value that no layer has is not
// set; only Access has a default.
type Profile struct {
	Name Value[string]
	// Database is in the normal form of ParseDatabase.
	Database Value[string]
	// DatabaseID is Turso's id of the database.
	DatabaseID Value[string]
	// Own says that the user's own configuration names Database as this profile's: a
	// token whose database isn't known otherwise may go there, and nowhere else.
	Own      bool
	Provider Value[string]
	// ProviderHeld says that no login replaces Provider, since a project file chose the
	// profile or the database.
	ProviderHeld bool
	// Organization is the one that the profile is held to, by the issuer's id or slug; not
	// set is whichever the sign-in is for.
	Organization Value[string]
	// TokenProvider is not set where Provider issues the tokens too.
	TokenProvider Value[string]
	// Fallback are the providers, in order, that issue the tokens while those of
	// Provider don't reach the database.
	Fallback    Value[[]string]
	Access      Value[provider.Access]
	Permissions Value[[]provider.Permission]
	// Storage is keyring, file or none; not set leaves it to the store.
	Storage Value[string]
}

// Target returns the database of the profile.
func (p Profile) Target() provider.Target {
	return provider.Target{URL: p.Database.Value, DatabaseID: p.DatabaseID.Value}
}

// values are the settings of a profile in one layer.
type values struct {
	database, databaseID    Value[string]
	provider, tokenProvider Value[string]
	organization            Value[string]
	fallback                Value[[]string]
	access                  Value[provider.Access]
	permissions             Value[[]provider.Permission]
	storage                 Value[string]
}

func (v values) or(next values) values {
	return values{
		database:      v.database.or(next.database),
		databaseID:    v.databaseID.or(next.databaseID),
		provider:      v.provider.or(next.provider),
		tokenProvider: v.tokenProvider.or(next.tokenProvider),
		organization:  v.organization.or(next.organization),
		fallback:      v.fallback.or(next.fallback),
		access:        v.access.or(next.access),
		permissions:   v.permissions.or(next.permissions),
		storage:       v.storage.or(next.storage),
	}
}

// setters check and set one key of a profile, from any layer.
var setters = map[string]func(v *values, n node, origin Origin) error{
	"database": func(v *values, n node, origin Origin) error {
		return set(&v.database, n, origin, ParseDatabase)
	},
	"database_id": func(v *values, n node, origin Origin) error {
		return set(&v.databaseID, n, origin, parseDatabaseID)
	},
	"provider": func(v *values, n node, origin Origin) error {
		return set(&v.provider, n, origin, parseProviderName)
	},
	"token_provider": func(v *values, n node, origin Origin) error {
		return set(&v.tokenProvider, n, origin, parseProviderName)
	},
	"organization": func(v *values, n node, origin Origin) error {
		return set(&v.organization, n, origin, parseOrganization)
	},
	"access": func(v *values, n node, origin Origin) error {
		return set(&v.access, n, origin, parseAccess)
	},
	"fallback":    setFallback,
	"permissions": setPermissions,
	"storage": func(v *values, n node, origin Origin) error {
		return set(&v.storage, n, origin, parseStorage)
	},
}

func profileKeys() []string { return slices.Sorted(maps.Keys(setters)) }

// textNode is the node of a flag or variable.
func textNode(text string) node { return node{shape: shapeText, text: text} }

var errNotText = errors.New("the value is not a string")

func set[T any](to *Value[T], n node, origin Origin, parse func(string) (T, error)) error {
	if n.shape != shapeText {
		return errNotText
	}
	parsed, err := parse(n.text)
	if err != nil {
		return err
	}
	*to = Value[T]{Value: parsed, Origin: origin}
	return nil
}

func setPermissions(v *values, n node, origin Origin) error {
	return setList(&v.permissions, n, origin, "permissions", "all:data_read", provider.ParsePermission)
}

func setFallback(v *values, n node, origin Origin) error {
	err := setList(&v.fallback, n, origin, "fallback providers", "platformtoken", parseProviderName)
	if names := slices.Sorted(slices.Values(v.fallback.Value)); err == nil && len(slices.Compact(names)) < len(v.fallback.Value) {
		return errors.New("fallback names a provider twice")
	}
	return err
}

// setList sets a list of texts; what and example are for its errors.
func setList[T any](to *Value[[]T], n node, origin Origin, what, example string, parse func(string) (T, error)) error {
	switch n.shape {
	case shapeList:
	case shapeMixed:
		return fmt.Errorf("%s are strings like %q", what, example)
	default:
		return fmt.Errorf("%s are a list like [%q]", what, example)
	}
	parsed := make([]T, 0, len(n.list))
	for _, text := range n.list {
		one, err := parse(text)
		if err != nil {
			return err
		}
		parsed = append(parsed, one)
	}
	*to = Value[[]T]{Value: parsed, Origin: origin}
	return nil
}

func parseAccess(s string) (provider.Access, error) {
	if s == "" { // means rw to the contract, and nothing to a reader
		return "", &provider.Error{Kind: provider.ErrConfig, Message: "access is empty", Hint: "write ro or rw"}
	}
	return provider.ParseAccess(s)
}

func parseStorage(s string) (string, error) {
	switch s {
	case "keyring", "file", "none":
		return s, nil
	}
	return "", &provider.Error{
		Kind: provider.ErrConfig, Message: fmt.Sprintf("storage %s is not keyring, file or none", shown(s)),
		Hint: "leave it out, and credentials are sealed with a key in the keyring where there is one",
	}
}

// parseOrganization takes what any issuer calls one: its id or slug.
func parseOrganization(s string) (string, error) {
	if s == "" || len(s) > 128 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", &provider.Error{
			Kind: provider.ErrConfig, Message: fmt.Sprintf("%s is not the id or slug of an organization", shown(s)),
			Hint: "zen org list shows yours: org_2abc, acme",
		}
	}
	return s, nil
}

func parseDatabaseID(s string) (string, error) {
	if !isDatabaseID(s) {
		return "", &provider.Error{
			Kind: provider.ErrConfig, Message: "database_id is not a UUID",
			Hint: "turso db show NAME prints it, for example 33057661-834e-4891-9b48-802d425d02b9",
		}
	}
	return s, nil
}

func parseProviderName(s string) (string, error) {
	if !names.IsProvider(s) {
		return "", &provider.Error{
			Kind: provider.ErrConfig, Message: fmt.Sprintf("%s is not the name of a provider", shown(s)),
			Hint: "names are lower-case letters and digits, with - between them: clerk, platformtoken; a path or a command is never one",
		}
	}
	return s, nil
}

// Profile resolves a profile. "" means the selected one: --profile, ZEN_PROFILE,
// default_profile of the project file, of the user file, or "default". The profile
// "default" exists without being written anywhere.
func (c *Config) Profile(name string) (Profile, error) { return c.profile(name, c.flags) }

// ProfileAt is Profile for the database at another URL, as if a flag had named it.
func (c *Config) ProfileAt(name, database string) (Profile, error) {
	flags := c.flags
	if err := set(&flags.database, textNode(database), Origin{Kind: KindFlag, Name: "--database"}, ParseDatabase); err != nil {
		return Profile{}, err
	}
	return c.profile(name, flags)
}

func (c *Config) profile(name string, flags values) (Profile, error) {
	selected := c.selected
	if name != "" {
		selected = Value[string]{Value: name, Origin: Origin{Kind: KindArgument}}
	}
	name = selected.Value
	okProject, okUser := c.project.profiles[name] != nil, c.user.profiles[name] != nil
	if !okProject && !okUser && name != defaultProfile {
		known := c.ProfileNames()
		var hints []string
		if best := text.Nearest(name, known); best != "" {
			hints = append(hints, "did you mean "+best+"?")
		}
		if names.IsProfile(name) {
			hints = append(hints, "zen profiles add "+name+" --database URL makes it")
		}
		from := fmt.Sprintf(" (from %s)", selected.Origin)
		if selected.Origin.Kind == KindArgument {
			from = "" // the caller knows
		}
		return Profile{}, &provider.Error{Kind: provider.ErrConfig, Hint: strings.Join(hints, " otherwise "), Message: "no profile " + shown(name) + from}
	}
	inProject, inUser := c.project.values(c.project.profiles[name]), c.user.values(c.user.profiles[name])
	if err := inProject.narrows(inUser); err != nil {
		return Profile{}, err
	}
	v := flags.or(c.env).or(inProject).or(inUser)
	databases := c.databases(v.database.Value)
	if v.database.Origin.Kind == KindProjectFile && len(databases) == 0 {
		return Profile{}, &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("%s names the database %s, which your own configuration doesn't: a token only goes where you said yourself", v.database.Origin, v.database.Value),
			Hint:    "add the database to a profile in " + c.Paths.ConfigFile + ", or use --database",
		}
	}
	v.databaseID = c.databaseID(v)
	if others := c.otherDatabases(v); len(others) > 0 {
		databases = slices.Concat(databases, others)
	}
	chosenByProject := v.database.Origin.Kind == KindProjectFile || selected.Origin.Kind == KindProjectFile || okProject && !okUser
	held, err := c.cap(&v, databases, inUser, chosenByProject)
	if err != nil {
		return Profile{}, err
	}
	access, err := c.limited(v.access.or(Value[provider.Access]{provider.AccessReadWrite, Origin{Kind: KindDefault}}))
	if err != nil {
		return Profile{}, err
	}
	return Profile{
		Name:          selected,
		Database:      v.database,
		DatabaseID:    v.databaseID,
		Own:           c.owns(v, inUser),
		Provider:      v.provider,
		ProviderHeld:  held,
		Organization:  v.organization,
		TokenProvider: v.tokenProvider,
		Fallback:      v.fallback,
		Access:        access,
		Permissions:   v.permissions,
		Storage:       v.storage,
	}, nil
}

// narrows refuses a project file's values that would grant more than the user's own
// profile of that name, or have the tokens made by another provider.
func (v values) narrows(own values) error {
	var origin Origin
	var what string
	switch {
	case v.access.Value == provider.AccessReadWrite && own.access.Value == provider.AccessReadOnly:
		origin, what = v.access.Origin, "access rw, where your own profile has ro"
	case v.permissions.IsSet() && len(own.permissions.Value) > 0:
		origin, what = v.permissions.Origin, "permissions, which your own profile has already"
	case v.tokenProvider.IsSet() && v.tokenProvider.Value != own.tokenProvider.Value:
		origin, what = v.tokenProvider.Origin, "a token_provider that is not your own profile's"
	case v.fallback.IsSet():
		origin, what = v.fallback.Origin, "fallback, which only your own profile may"
	default:
		return nil
	}
	return widens(origin, what)
}

// envAccessLimit passes to the zens that this one runs the most that they may ask for.
const envAccessLimit = "ZEN_ACCESS_LIMIT"

// limited is access, but no more than the zen around this one allows.
func (c *Config) limited(access Value[provider.Access]) (Value[provider.Access], error) {
	text, ok := c.environ.lookup(envAccessLimit)
	if !ok {
		return access, nil
	}
	limit, err := parseAccess(text)
	if err != nil {
		return access, &provider.Error{Kind: provider.ErrConfig, Message: envAccessLimit + ": " + err.Error(), Hint: "unset it"}
	}
	switch {
	case limit != provider.AccessReadOnly || access.Value == provider.AccessReadOnly:
		return access, nil
	case access.Origin.Kind == KindFlag:
		return access, &provider.Error{
			Kind:    provider.ErrPermission,
			Message: fmt.Sprintf("%s asks for %s, and the zen around this one allows ro", access.Origin, access.Value),
			Hint:    "run it outside, or give the outer zen exec or zen proxy --access rw",
		}
	}
	return Value[provider.Access]{limit, Origin{Kind: KindEnvironment, Name: envAccessLimit}}, nil
}
