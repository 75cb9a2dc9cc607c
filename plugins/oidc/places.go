package main

import (
	"cmp"
	"context"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/provider"
)

// place describes where a workload runs, and how it gets its statement there.
type place interface {
	// issuer is the iss of the place's statements, or "" if a setting has to say it.
	issuer() string
	// token requests a statement for an audience. A place with a fixed audience returns
	// its only statement.
	token(ctx context.Context, client *http.Client, audience string) (provider.Secret, error)
	// declare says how to get a token for another audience, if the place issues tokens in
	// advance; otherwise it is "".
	declare(audience string) string
}

// placeNames returns the values of the setting workload, in the order in which they are
// looked for.
func placeNames() []string {
	return []string{"github", "gitlab", "buildkite", "circleci", "spiffe", "file", "google"}
}

// findPlace detects where this runs. The setting takes precedence over detection.
func findPlace(values provider.Settings) (name string, p place, err error) {
	name = values.Get(keyWorkload)
	if name != "" && !slices.Contains(placeNames(), name) {
		return "", nil, bad(keyWorkload, "", "%.40q is not one of %s", name, strings.Join(placeNames(), ", "))
	}
	if path := values.Get(keyTokenFile); path != "" && !filepath.IsAbs(path) {
		return "", nil, bad(keyTokenFile, "", "%.100q is not an absolute path", path)
	}
	name = cmp.Or(name, around(values))
	if name == "" {
		return "", nil, nil
	}
	p, err = map[string]func(provider.Settings) (place, error){
		"github": newGitHub, "gitlab": newGitLab, "buildkite": newBuildkite, "circleci": newCircleCI,
		"google": newGoogle, "spiffe": newSPIFFE, "file": newFile,
	}[name](values)
	return name, p, err
}

// around checks for the marks of each place. A configured file and a SPIFFE socket were
// set up by the user, so they take precedence over what CI sets.
func around(values provider.Settings) string {
	for _, mark := range []struct{ key, name string }{
		{keyTokenFile, "file"}, {keySPIFFESocket, "spiffe"}, {keyGitHubURL, "github"}, {keyGitLab, "gitlab"}, {keyIDToken, "gitlab"},
		{keyBuildkiteJob, "buildkite"}, {keyCircleToken, "circleci"}, {keyMetadataHost, "google"},
	} {
		if values.Get(mark.key) != "" {
			return mark.name
		}
	}
	return ""
}

// noPlace returns the error of a workload's sign-in if no place was detected.
func noPlace() error {
	return &provider.Error{
		Kind:    provider.ErrNoCredential,
		Message: "oidc: nothing around says which workload this is",
		Hint: "in GitHub Actions a job needs permissions: id-token: write; in GitLab declare " + gitLabTokenInAJob +
			" among its id_tokens; elsewhere set workload, or token_file and workload_issuer",
	}
}
