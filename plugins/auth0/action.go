package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/zen-auth/zen/core/provider"
)

// action is an Action of the tenant: a function of one trigger.
type action struct {
	name, trigger, function, path string
	// scopes is the expression for the requested scopes.
	scopes string
}

var (
	peopleAction = action{
		name: "zen-turso-post-login", trigger: triggerPeople, function: "onExecutePostLogin", path: "turso-post-login.js",
		scopes: "(event.transaction && event.transaction.requested_scopes) || []",
	}
	machineAction = action{
		name: "zen-turso-credentials-exchange", trigger: triggerMachines, function: "onExecuteCredentialsExchange", path: "turso-credentials-exchange.js",
		scopes: "(event.accessToken && event.accessToken.scope) || []",
	}
)

// code returns the Action's program for a database. The templates are Turso's, unchanged:
// only Turso knows what rid means.
func (a action) code(s settings, purpose provider.Purpose) string {
	audience, _ := json.Marshal(s.audience)
	var b strings.Builder
	fmt.Fprintf(&b, `// Puts the claims by which Turso opens one database into the access tokens of one API.
// Trigger: %s. Without it these tokens have no such claims, and Turso would read
// them as access to every database.
const AUDIENCE = %s;

// What turso org jwks template prints for %s.
const READ_WRITE = %s;
`, a.trigger, audience, orText(purpose.Target.URL, "the database"), template(purpose.Template, "full-access"))
	claims := "READ_WRITE"
	if s.writeScope != "" {
		scope, _ := json.Marshal(s.writeScope)
		fmt.Fprintf(&b, `const READ_ONLY = %s;

// Without a request for this permission of the API, the token is for reading.
const WRITE_SCOPE = %s;
`, template(purpose.ReadOnlyTemplate, "read-only"), scope)
		claims = fmt.Sprintf("(%s).includes(WRITE_SCOPE) ? READ_WRITE : READ_ONLY", a.scopes)
	}
	fmt.Fprintf(&b, `
exports.%s = async (event, api) => {
  if (!event.resource_server || event.resource_server.identifier !== AUDIENCE) return;
  const claims = %s;
  for (const [name, value] of Object.entries(claims)) {
    api.accessToken.setCustomClaim(name, value);
  }
};
`, a.function, claims)
	return b.String()
}

// template is one of Turso's, or where it comes from: the program says so when it runs.
func template(text, scope string) string {
	var compact bytes.Buffer
	if text != "" && json.Compact(&compact, []byte(text)) == nil {
		return compact.String()
	}
	return fmt.Sprintf("undefined /* paste here what turso org jwks template --scope %s prints for the database */", scope)
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, text)
}
