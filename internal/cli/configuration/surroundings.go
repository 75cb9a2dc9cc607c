package configuration

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/doctor"
	"github.com/zen-auth/zen/internal/private"
)

// wantedNames are the variables that are looked for, the best first.
var wantedNames = map[string][]string{
	"database": {
		"TURSO_DATABASE_URL", "TURSO_CONNECTION_URL", "TURSO_URL", "LIBSQL_URL", "VITE_TURSO_DATABASE_URL", "NEXT_PUBLIC_TURSO_DATABASE_URL",
		"EXPO_PUBLIC_TURSO_DATABASE_URL", "DATABASE_URL",
	},
	"publishable_key": {"CLERK_PUBLISHABLE_KEY", "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "VITE_CLERK_PUBLISHABLE_KEY", "EXPO_PUBLIC_CLERK_PUBLISHABLE_KEY"},
	"proxy_url":       {"CLERK_PROXY_URL", "NEXT_PUBLIC_CLERK_PROXY_URL", "VITE_CLERK_PROXY_URL"},
	"auth0_domain":    {"AUTH0_DOMAIN", "VITE_AUTH0_DOMAIN", "NEXT_PUBLIC_AUTH0_DOMAIN"},
	"auth0_client_id": {"AUTH0_CLIENT_ID", "VITE_AUTH0_CLIENT_ID", "NEXT_PUBLIC_AUTH0_CLIENT_ID"},
	"organization":    {"TURSO_ORG", "TURSO_ORGANIZATION"},
	"static_token":    {"TURSO_AUTH_TOKEN"},
	"openbao":         {"BAO_ADDR", "VAULT_ADDR"},
	// A job that can say who it is: GitHub's, GitLab's, Buildkite's, CircleCI's.
	"workload": {"ACTIONS_ID_TOKEN_REQUEST_URL", "ZEN_ID_TOKEN", "BUILDKITE_AGENT_ACCESS_TOKEN", "CIRCLE_OIDC_TOKEN_V2"},
	"ci":       {"CI"},
}

// setting is a value that lies around, the variable that has it, and where that is.
type setting struct{ value, name, where string }

// surroundings describe the directory that zen init is run in.
type surroundings struct {
	settings map[string]setting
	goModule bool
	// packages are the dependencies in package.json; nil if there is none.
	packages []string
}

// lookAround reads the environment, the .env files, go.mod and package.json of a
// directory.
func lookAround(dir string) *surroundings {
	s := &surroundings{settings: map[string]setting{}}
	rank := map[string]int{}
	doctor.Variables(dir, os.Environ(), func(name, value, where string) {
		for what, names := range wantedNames {
			at := slices.Index(names, name)
			if at < 0 {
				continue
			}
			if old, ok := rank[what]; ok && old <= at {
				continue
			}
			if what == "database" {
				if _, err := config.ParseDatabase(value); err != nil {
					continue // another database's, or a file
				}
			}
			if what == "proxy_url" && !strings.HasPrefix(value, "https://") {
				continue // of a page alone, whose own address comes before it
			}
			s.settings[what], rank[what] = setting{value, name, where}, at
		}
	})
	if key := keylessKey(dir); key != "" && s.value("publishable_key") == "" {
		s.settings["publishable_key"] = setting{key, "publishableKey", keylessFile}
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	s.goModule = err == nil
	s.packages = packagesOf(filepath.Join(dir, "package.json"))
	return s
}

// keylessFile is the file in which Clerk's development servers keep the keys of an app that has none
// yet.
var keylessFile = filepath.Join(".clerk", ".tmp", "keyless.json")

// keylessKey returns the publishable key in that file, or "". The secret key beside it is left
// alone.
func keylessKey(dir string) string {
	var kept struct {
		PublishableKey string `json:"publishableKey"`
	}
	content, err := private.ReadRegular(filepath.Join(dir, keylessFile), 64<<10)
	if err != nil || json.Unmarshal(content, &kept) != nil {
		return ""
	}
	return kept.PublishableKey
}

// packagesOf returns the packages that an application depends on.
func packagesOf(path string) []string {
	text, err := private.ReadRegular(path, 1<<20)
	if err != nil {
		return nil
	}
	var file struct{ Dependencies, DevDependencies map[string]any }
	if json.Unmarshal(text, &file) != nil {
		return nil
	}
	names := slices.AppendSeq([]string{}, maps.Keys(file.Dependencies))
	names = slices.AppendSeq(names, maps.Keys(file.DevDependencies))
	slices.Sort(names)
	return slices.Compact(names)
}

func (s *surroundings) value(what string) string { return s.settings[what].value }

// depends reports whether the application has a package whose name begins like that.
func (s *surroundings) depends(prefix string) bool {
	return slices.ContainsFunc(s.packages, func(name string) bool { return strings.HasPrefix(name, prefix) })
}

// tell says what was found, and no value.
func (s *surroundings) tell(c *cli.Context) {
	var lines []string
	for what, words := range map[string]string{
		"database": "a database", "publishable_key": "a Clerk publishable key", "auth0_domain": "an Auth0 domain",
		"workload": "a CI job that can say who it is", "openbao": "an OpenBao", "static_token": "a database token",
	} {
		if found, ok := s.settings[what]; ok {
			lines = append(lines, fmt.Sprintf("%s: %s in %s", words, found.name, found.where))
		}
	}
	slices.Sort(lines)
	if s.goModule {
		lines = append(lines, "a Go module: go.mod")
	}
	if s.packages != nil {
		line := "an application: package.json"
		for _, name := range []string{"next", "@clerk/", "@auth0/", "@libsql/client"} {
			if s.depends(name) {
				line += ", " + strings.TrimSuffix(name, "/")
			}
		}
		lines = append(lines, line)
	}
	for _, line := range lines {
		fmt.Fprintf(app.Notes(c), "Found %s.\n", app.OneLine(line))
	}
}

// provider returns the one that what lies around speaks for, or "".
func (s *surroundings) provider(a *account) string {
	has := func(what string) bool { return s.value(what) != "" }
	switch {
	case has("ci") && has("workload"):
		return "oidc"
	case has("publishable_key"):
		return "clerk"
	case has("auth0_domain"):
		return "auth0"
	case s.depends("@clerk/"):
		return "clerk"
	case s.depends("@auth0/"):
		return "auth0"
	case a.api != nil:
		return "platformtoken"
	case has("static_token"):
		return "statictoken"
	}
	return ""
}

// issuing returns the provider to issue tokens if databases don't accept those of the sign-in.
func (s *surroundings) issuing() string {
	if s.value("openbao") != "" {
		return "openbao"
	}
	return "platformtoken"
}

// method returns the provider's sign-in method here; "" means that it chooses.
func (s *surroundings) method(provider string) string {
	if provider == "oidc" && s.value("ci") != "" && s.value("workload") != "" {
		return "workload"
	}
	return ""
}
