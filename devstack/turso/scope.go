package turso

import (
	"net/http"
	"slices"
)

// What a token of the Platform API may be limited to. The names are those of
// turso-cli/internal/turso/apitoken_scope.go; a preset stands for others.
const (
	scopeAny  = "" // every token: it is about the user
	scopeRead = "read"
	scopeFull = "full-access" // no single scope is enough
)

var scopes = []string{
	scopeRead, "db:create", "db:delete", "db:configure", "db:mint-token", "db:rotate-creds",
	"group:configure", "group:mint-token", "group:rotate-creds",
}

func checkScopes(names []string) error {
	for _, name := range names {
		if name != scopeFull && name != "read-only" && !slices.Contains(scopes, name) {
			return badRequest("invalid scope: %s", name)
		}
	}
	return nil
}

// may refuses a token that lacks the scope. The status is not 403, which makes the
// turso CLI forget its organization.
func (t *apiToken) may(scope string) error {
	switch {
	case len(t.Scopes) == 0, scope == scopeAny, slices.Contains(t.Scopes, scope), slices.Contains(t.Scopes, scopeFull):
		return nil
	case scope == scopeRead && slices.Contains(t.Scopes, "read-only"):
		return nil
	case scope == scopeFull:
		return &statusError{http.StatusUnauthorized, "api token does not have full access"}
	}
	return &statusError{http.StatusUnauthorized, "api token does not have the scope " + scope}
}

// sees reports whether a token may know of a group and what is in it.
func (t *apiToken) sees(group string) bool { return t.Group == "" || t.Group == group }
