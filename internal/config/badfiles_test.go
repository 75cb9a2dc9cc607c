package config_test

import (
	"strings"
	"testing"
)

func TestBadFiles(t *testing.T) {
	tests := map[string]struct {
		file string
		text string // after the file's name
		hint string
	}{
		"not TOML":                   {"profiles\n", ":1 is not valid TOML", "key = \"value\""},
		"unquoted string":            {"[profiles.a]\nprovider = clerk\n", ":2 is not valid TOML", "quoted"},
		"unclosed string":            {"\n\ndefault_profile = \"x\n", ":3 is not valid TOML", ""},
		"not UTF-8":                  {"default_profile = \"\xff\"\n", ":1 is not valid TOML", ""},
		"duplicate key":              {"[profiles.a]\naccess = \"ro\"\naccess = \"rw\"\n", ":3 is not valid TOML: \"access\" is there already, in line 2", "keep one"},
		"duplicate table":            {"[profiles.a]\n[profiles.a]\n", ":2 is not valid TOML: \"a\" is there already, in line 1", "keep one"},
		"one of them quoted":         {"[profiles.a]\n\n[profiles.\"a\"]\n", ":3 is not valid TOML: \"a\" is there already, in line 1", "keep one"},
		"a key with a control":       {"\"\\u001b[m\\n\" = 1\n\"\\u001b[m\\n\" = 1\n", `:2 is not valid TOML: "\x1b[m\n" is there already`, ""},
		"another key of an inline":   {"profiles.a = {access = \"ro\"}\n[profiles.a]\n", ":2 is not valid TOML: \"a\" is there already, in line 1", "in one place"},
		"a table of no group":        {"[work]\naccess = \"ro\"\n", `:1 has an unknown key "work"`, "[profiles.NAME]"},
		"a table of no group, both":  {"[work.a]\naccess = \"ro\"\n", `:1 has an unknown key "work"`, "[profiles.NAME]"},
		"audit is a table":           {"[audit.x]\n", ":1 has an audit that is neither", "true, false"},
		"a name with a dot":          {"[profiles.app.prod]\n", `:1 has an unknown key "prod"`, "no dots"},
		"default_profile too late":   {"[profiles.a]\ndefault_profile = \"a\"\n", `:2 has an unknown key "default_profile"`, "above the first table"},
		"UTF-16":                     {"\xff\xfea\x00", " is UTF-16", "UTF-8"},
		"too large":                  {strings.Repeat("# comment\n", 110000), " is larger than 1024 KiB", "--config"},
		"unknown table":              {"[profile.a]\n", `:1 has an unknown key "profile"`, "did you mean profiles?"},
		"unknown top-level key":      {"\nverbose = true\n", `:2 has an unknown key "verbose"`, "known: audit, default_profile"},
		"unknown key of a profile":   {"[profiles.a]\n\ndatbase = \"x\"\n", `:3 has an unknown key "datbase"`, "did you mean database?"},
		"a key like no other":        {"[profiles.a]\nqqqqqqqq = [\"x\"]\n", `:2 has an unknown key "qqqqqqqq"`, "known: access, database, database_id, fallback, organization, permissions, provider, storage, token_provider"},
		"fallback is a string":       {"[profiles.a]\nfallback = \"platformtoken\"\n", ":2 profile a: fallback providers are a list", ""},
		"fallback is a path":         {"[profiles.a]\nfallback = [\"./x\"]\n", `:2 profile a: "./x" is not the name of a provider`, "never"},
		"fallback is named twice":    {"[profiles.a]\nfallback = [\"a\", \"b\", \"a\"]\n", ":2 profile a: fallback names a provider twice", ""},
		"audit is a number":          {"audit = 1\n", ":1 has an audit that is neither a boolean nor a path", "true, false"},
		"audit is a relative path":   {"audit = \"audit.log\"\n", ":1 has an audit that is not an absolute path", "absolute"},
		"first of several":           {"[profiles.a]\nzzz = 1\naaa = 1\n", `:2 has an unknown key "zzz"`, ""},
		"profiles is a value":        {"profiles = 1\n", ":1 has profiles, which is not a table", "[profiles.NAME]"},
		"profiles is an array":       {"[[profiles]]\n", ":1 has profiles, which is not a table", ""},
		"a profile is a value":       {"[profiles]\na = \"x\"\n", `:2 has profiles."a", which is not a table`, ""},
		"profile name":               {"[profiles.\"../x\"]\n", `:1 has a profile with the invalid name "../x"`, "lower-case"},
		"default_profile type":       {"default_profile = 1\n", ":1 has a default_profile that is not a profile name", ""},
		"default_profile name":       {"default_profile = \"A B\"\n", ":1 has a default_profile that is not a profile name", ""},
		"provider is a path":         {"[profiles.a]\nprovider = \"./clerk\"\n", `:2 profile a: "./clerk" is not the name of a provider`, "never"},
		"token_provider is no name":  {"[profiles.a]\ntoken_provider = \"x_y\"\n", `:2 profile a: "x_y" is not the name of a provider`, ""},
		"provider is a number":       {"[profiles.a]\nprovider = 3\n", ":2 profile a: provider is not a string", "provider = \"value\""},
		"unknown access":             {"[profiles.a]\naccess = \"write\"\n", `:2 profile a: access "write" is not ro or rw`, ""},
		"unknown storage":            {"[profiles.a]\nstorage = \"vault\"\n", `:2 profile a: storage "vault" is not keyring, file or none`, "leave it out"},
		"access is empty":            {"[profiles.a]\naccess = \"\"\n", ":2 profile a: access is empty", "ro or rw"},
		"permissions is a string":    {"[profiles.a]\npermissions = \"all:data_read\"\n", ":2 profile a: permissions are a list", ""},
		"permission is a number":     {"[profiles.a]\npermissions = [1]\n", ":2 profile a: permissions are strings", ""},
		"permission of no action":    {"[profiles.a]\npermissions = [\"t:data_insert\"]\n", `:2 profile a: permission "t:data_insert": unknown action "data_insert"`, "data_add"},
		"database with a token":      {"[profiles.a]\ndatabase = \"libsql://x.turso.io?authToken=planted\"\n", ":2 profile a: database URL carries a token", "never put a token into the URL"},
		"database name":              {"[profiles.a]\ndatabase = \"app\"\n", ":2 profile a: database URL has no scheme", "turso db show NAME --url"},
		"database_id is no UUID":     {"[profiles.a]\ndatabase_id = \"app-acme\"\n", ":2 profile a: database_id is not a UUID", "turso db show"},
		"provider table name":        {"[providers.Clerk]\n", `:1 has a provider with the invalid name "Clerk"`, ""},
		"provider is a value":        {"providers.clerk = true\n", `:1 has providers."clerk", which is not a table`, ""},
		"provider key":               {"[providers.clerk]\nBridgeURL = \"x\"\n", `:2 has an invalid key "BridgeURL" of provider clerk`, ""},
		"setting is a float":         {"[providers.clerk]\n\nskew = 1.5\n", ":3 has skew of provider clerk, which is not a string", "\"90s\""},
		"setting is a list":          {"[providers.clerk]\nskew = []\n", ":2 has skew of provider clerk", ""},
		"setting is a table":         {"[providers.clerk.skew]\n", ":1 has skew of provider clerk", ""},
		"setting is a date":          {"[providers.clerk]\nskew = 1979-05-27\n", ":2 has skew of provider clerk", ""},
		"secret as a number (text)":  {"[providers.p]\nkey = 12planted\n", ":2 is not valid TOML", ""},
		"secret as a number (float)": {"[providers.p]\nkey = 1.2.planted\n", ":2 is not valid TOML", ""},
		"secret as a bare word":      {"[providers.p]\nkey = planted\n", ":2 is not valid TOML", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHome(t, test.file)
			_, err := h.load()
			wantConfigError(t, err, "configuration "+h.user+test.text, test.hint)
			if strings.Contains(err.Error(), "planted") || strings.Contains(err.Error(), "\n") {
				t.Errorf("error repeats the file: %s", err)
			}
		})
	}
}

func TestBadProjectFile(t *testing.T) {
	h := newHome(t, "")
	h.write(h.project, "[profiles.default]\nprovider = \"clerk\"\n\n[providers.clerk]\nbridge_url = \"https://evil.example\"\n")
	_, err := h.load()
	wantConfigError(t, err, h.project+":4 has [providers], which a project file may not", "user file")
}

func TestProjectFileHasNoAudit(t *testing.T) {
	h := newHome(t, "")
	h.write(h.project, "audit = false\n")
	_, err := h.load()
	wantConfigError(t, err, h.project+":1 has audit, which a project file may not", "user file")
}

func TestBadEnvironment(t *testing.T) {
	for variable, text := range map[string]string{
		"ZEN_PROFILE=a/b":                      `environment ZEN_PROFILE: "a/b" is not the name of a profile`,
		"ZEN_TOKEN_PROVIDER=Bao":               `environment ZEN_TOKEN_PROVIDER: "Bao" is not the name of a provider`,
		"ZEN_PROVIDER=/bin/sh":                 `environment ZEN_PROVIDER: "/bin/sh" is not the name of a provider`,
		"ZEN_STORAGE=vault":                    `environment ZEN_STORAGE: storage "vault" is not keyring, file or none`,
		"ZEN_AUDIT=audit.log":                  "ZEN_AUDIT is neither 1, 0 nor an absolute path",
		"ZEN_ACCESS=all":                       `environment ZEN_ACCESS: access "all" is not ro or rw`,
		"ZEN_DATABASE=libsql://u:planted@x.io": "environment ZEN_DATABASE: database URL has a user name or a password",
		"ZEN_CONFIG=/nowhere/zen.toml":         "read configuration ",
	} {
		h := newHome(t, "")
		h.environ = append(h.environ, variable)
		_, err := h.load()
		wantConfigError(t, err, text, "")
		if strings.Contains(err.Error(), "planted") {
			t.Errorf("error repeats the value: %s", err)
		}
	}
}
