package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/config"
)

const production = `
[profiles.prod]
database = "libsql://prod-acme.turso.io"
database_id = "33057661-834e-4891-9b48-802d425d02b9"
provider = "clerk"
access = "ro"
permissions = ["notes:data_read,data_add", "tags:data_read"]

[profiles.admin]
database = "https://prod-acme.turso.io"
provider = "platformtoken"

[profiles.renamed]
database = "libsql://renamed-acme.turso.io"
database_id = "33057661-834e-4891-9b48-802d425d02b9"
provider = "clerk"
permissions = ["notes:data_read"]

[profiles.default]
database = "libsql://app-acme.turso.io"
provider = "platformtoken"

[profiles.unnamed]
database = "libsql://unnamed-acme.turso.io"
`

// A cloned repository can do no more with a database than the strictest of the user's
// own profiles of it, whatever it calls the profile.
func TestProjectFileIsCappedByTheUsersProfilesOfTheDatabase(t *testing.T) {
	const prod = "database = \"libsql://prod-acme.turso.io\"\n"
	read := []provider.Permission{{Tables: []string{"notes"}, Actions: []provider.Action{"data_read"}}}
	for name, test := range map[string]struct {
		project string
		environ []string
		flags   config.Flags
		refused string
		want    config.Profile // Access, Permissions, Provider and TokenProvider alone
	}{
		"default becomes it":   {project: "[profiles.default]\n" + prod, want: profile("platformtoken", "ro", read)},
		"in https":             {project: "[profiles.default]\ndatabase = \"https://prod-acme.turso.io\"\n", want: profile("platformtoken", "ro", read)},
		"at its other address": {project: "[profiles.default]\ndatabase = \"libsql://renamed-acme.turso.io\"\n", want: profile("clerk", "ro", read)},
		"a new profile":        {project: "default_profile = \"new\"\n[profiles.new]\n" + prod, want: profile("platformtoken", "ro", read)},
		"default_profile":      {project: "default_profile = \"admin\"\n", want: profile("platformtoken", "ro", read)},
		"rw":                   {project: "[profiles.default]\n" + prod + "access = \"rw\"\n", refused: "access rw"},
		"permissions":          {project: "[profiles.new]\n" + prod + "permissions = [\"all:data_read\"]\n", flags: config.Flags{Profile: "new"}, refused: "permissions"},
		"no permissions":       {project: "[profiles.new]\n" + prod + "permissions = []\n", flags: config.Flags{Profile: "new"}, refused: "permissions"},
		"another provider":     {project: "[profiles.new]\n" + prod + "provider = \"apikey\"\n", flags: config.Flags{Profile: "new"}, refused: "provider apikey"},
		"one of them":          {project: "[profiles.new]\n" + prod + "provider = \"clerk\"\n", flags: config.Flags{Profile: "new"}, want: profile("clerk", "ro", read)},
		"another token provider": {
			project: "[profiles.new]\n" + prod + "provider = \"clerk\"\ntoken_provider = \"platformtoken\"\n", flags: config.Flags{Profile: "new"}, refused: "token_provider",
		},
		"provider of the user's own profile": {project: "[profiles.prod]\nprovider = \"apikey\"\n", flags: config.Flags{Profile: "prod"}, refused: "provider apikey"},
		"storage none": {
			project: "[profiles.unnamed]\nprovider = \"platformtoken\"\n", flags: config.Flags{Profile: "unnamed"}, environ: []string{"ZEN_STORAGE=none"}, refused: "storage none",
		},
		"storage none, a new profile": {
			project: "[profiles.new]\ndatabase = \"libsql://unnamed-acme.turso.io\"\nprovider = \"platformtoken\"\n", flags: config.Flags{Profile: "new", Storage: "none"}, refused: "storage none",
		},
		"storage none, the database by the environment": {
			project: "[profiles.new]\nprovider = \"apikey\"\n", flags: config.Flags{Profile: "new", Storage: "none"},
			environ: []string{"ZEN_DATABASE=libsql://prod-acme.turso.io"}, refused: "provider apikey",
		},
		"a job that has all from its environment": {
			project: "[profiles.new]\nprovider = \"apikey\"\n", flags: config.Flags{Profile: "new", Storage: "none"},
			environ: []string{"ZEN_DATABASE=libsql://ci-acme.turso.io"}, want: profile("apikey", "rw", nil),
		},
		"the user's own token provider": {
			project: "[profiles.new]\n" + prod + "provider = \"clerk\"\n", flags: config.Flags{Profile: "new"},
			environ: []string{"ZEN_TOKEN_PROVIDER=openbao"}, want: withTokenProvider(profile("clerk", "ro", read), "openbao"),
		},
		"the user's own word": {project: "[profiles.default]\n" + prod, flags: config.Flags{Access: "rw"}, want: profile("platformtoken", "rw", read)},
		"the user's own profile, which the project leaves alone": {
			project: "[profiles.admin]\nprovider = \"platformtoken\"\n", flags: config.Flags{Profile: "admin"}, want: profile("platformtoken", "rw", nil),
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHome(t, production)
			h.write(h.project, test.project)
			h.environ, h.flags = append(h.environ, test.environ...), test.flags
			p, err := h.mustLoad().Profile("")
			if test.refused != "" {
				if !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), test.refused) || !strings.Contains(err.Error(), ".zen.toml:") {
					t.Errorf("%+v, %v", p, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := profile(p.Provider.Value, p.Access.Value, p.Permissions.Value)
			got.TokenProvider.Value = p.TokenProvider.Value
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func profile(name string, access provider.Access, permissions []provider.Permission) config.Profile {
	return config.Profile{
		Provider: config.Value[string]{Value: name}, Access: config.Value[provider.Access]{Value: access},
		Permissions: config.Value[[]provider.Permission]{Value: permissions},
	}
}

// Two lists of permissions that have nothing in common allow nothing, and not all.
func TestCapOfPermissionsThatHaveNothingInCommon(t *testing.T) {
	h := newHome(t, "[profiles.a]\ndatabase = \"libsql://db\"\npermissions = [\"notes:data_read\"]\n[profiles.b]\ndatabase = \"libsql://db\"\npermissions = [\"tags:data_read\"]\n")
	h.write(h.project, "default_profile = \"b\"\n")
	_, err := h.mustLoad().Profile("")
	wantConfigError(t, err, "nothing in common", "--profile")
	if _, err := h.mustLoad().Profile("b"); err != nil {
		t.Error("chosen by the user himself:", err)
	}
}

func withTokenProvider(p config.Profile, name string) config.Profile {
	p.TokenProvider.Value = name
	return p
}
