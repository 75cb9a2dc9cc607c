package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/config"
)

const twoDatabases = `
[profiles.default]
database = "libsql://app-acme.turso.io"
database_id = "33057661-834e-4891-9b48-802d425d02b9"

[profiles.other]
database = "libsql://other-acme.turso.io"
database_id = "0eb771dd-834e-4891-9b48-802d425d02b9"
`

// A cloned repository must not choose where a token goes.
func TestProjectFileChoosesAmongTheUsersDatabases(t *testing.T) {
	h := newHome(t, twoDatabases)
	h.write(h.project, "[profiles.default]\ndatabase = \"libsql://evil.example\"\ndatabase_id = \"33057661-834e-4891-9b48-802d425d02b9\"\n")
	_, err := h.mustLoad().Profile("")
	if !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), "libsql://evil.example") || !strings.Contains(err.Error(), ".zen.toml:2") {
		t.Errorf("err = %v", err)
	}
	h.write(h.project, "[profiles.default]\ndatabase = \"libsql://other-acme.turso.io\"\ndatabase_id = \"33057661-834e-4891-9b48-802d425d02b9\"\n")
	p, err := h.mustLoad().Profile("")
	if err != nil || p.Target() != (provider.Target{URL: "libsql://other-acme.turso.io", DatabaseID: "0eb771dd-834e-4891-9b48-802d425d02b9"}) {
		t.Errorf("target = %+v, %v", p.Target(), err)
	}
}

// The id of one database must not be demanded of another's tokens.
func TestDatabaseIDBelongsToTheDatabase(t *testing.T) {
	for database, id := range map[string]string{
		"libsql://other-acme.turso.io": "0eb771dd-834e-4891-9b48-802d425d02b9",
		"libsql://third-acme.turso.io": "",
	} {
		h := newHome(t, twoDatabases)
		h.flags = config.Flags{Database: database}
		p, err := h.mustLoad().Profile("")
		if err != nil || p.Target() != (provider.Target{URL: database, DatabaseID: id}) {
			t.Errorf("target = %+v, %v", p.Target(), err)
		}
	}
}

// Nor what it can do there.
func TestProjectFileNeverWidens(t *testing.T) {
	const own = "[profiles.default]\ndatabase = \"libsql://app-acme.turso.io\"\naccess = \"ro\"\npermissions = [\"notes:data_read\"]\n"
	for line, refused := range map[string]bool{
		`access = "rw"`:                    true,
		`access = "ro"`:                    false,
		`permissions = []`:                 true,
		`permissions = ["all:data_read"]`:  true,
		`token_provider = "platformtoken"`: true,
		`provider = "clerk"`:               false,
		`fallback = ["platformtoken"]`:     true,
		`fallback = []`:                    true,
	} {
		h := newHome(t, own)
		h.write(h.project, "[profiles.default]\n"+line+"\n")
		if _, err := h.mustLoad().Profile(""); refused != errors.Is(err, provider.ErrConfig) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// The profile's own database is the one place for a token whose database isn't known.
func TestWhichDatabaseIsTheProfilesOwn(t *testing.T) {
	const none = "[profiles.default]\nprovider = \"clerk\"\n"
	for name, test := range map[string]struct {
		user     string
		environ  []string
		database string // by a flag
		own      bool
		id       string
	}{
		"the profile's database":                  {user: twoDatabases, own: true, id: "33057661-834e-4891-9b48-802d425d02b9"},
		"the profile's database, named by a flag": {user: twoDatabases, database: "https://app-acme.turso.io:443/", own: true, id: "33057661-834e-4891-9b48-802d425d02b9"},
		"another profile's database":              {user: twoDatabases, database: "libsql://other-acme.turso.io", id: "0eb771dd-834e-4891-9b48-802d425d02b9"},
		"a foreign database, named by a flag":     {user: twoDatabases, database: "http://127.0.0.1:18099"},
		"a foreign database, named by a variable": {user: twoDatabases, environ: []string{"ZEN_DATABASE=http://127.0.0.1:18099"}},
		"no profile, a variable":                  {user: none, environ: []string{"ZEN_DATABASE=libsql://app-acme.turso.io"}, own: true},
		"no profile, a variable and a flag":       {user: none, environ: []string{"ZEN_DATABASE=libsql://app-acme.turso.io"}, database: "libsql://evil.example"},
		"no profile, a flag":                      {user: none, database: "libsql://app-acme.turso.io"},
		"a variable and the id of its database":   {user: twoDatabases, environ: []string{"ZEN_DATABASE=libsql://third-acme.turso.io", "ZEN_DATABASE_ID=8d3b2f10-834e-4891-9b48-802d425d02b9"}, id: "8d3b2f10-834e-4891-9b48-802d425d02b9"},
		"the id of another database":              {user: twoDatabases, environ: []string{"ZEN_DATABASE_ID=8d3b2f10-834e-4891-9b48-802d425d02b9"}, own: true, id: "33057661-834e-4891-9b48-802d425d02b9"},
		"the id of the flag's database?":          {user: twoDatabases, environ: []string{"ZEN_DATABASE_ID=8d3b2f10-834e-4891-9b48-802d425d02b9"}, database: "libsql://third-acme.turso.io"},
	} {
		h := newHome(t, test.user)
		h.environ, h.flags = append(h.environ, test.environ...), config.Flags{Database: test.database}
		p, err := h.mustLoad().Profile("")
		if err != nil || p.Own != test.own || p.DatabaseID.Value != test.id {
			t.Errorf("%s: own %v, id %q, %v", name, p.Own, p.DatabaseID.Value, err)
		}
		if test.database == "" {
			continue
		}
		h.flags = config.Flags{}
		if p, err := h.mustLoad().ProfileAt("", test.database); err != nil || p.Own != test.own || p.DatabaseID.Value != test.id {
			t.Errorf("%s, of a program: own %v, id %q, %v", name, p.Own, p.DatabaseID.Value, err)
		}
	}
}
