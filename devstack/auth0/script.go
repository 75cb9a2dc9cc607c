package auth0

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// script is an Action's program in the form that zen writes: constants, and a function
// that sets each entry of one of them as a claim. The stand-in runs no JavaScript: a
// program of any other form fails to build.
type script struct {
	audience            string
	readWrite, readOnly map[string]any
	writeScope          string
}

var (
	constant = regexp.MustCompile(`^const (AUDIENCE|READ_WRITE|READ_ONLY|WRITE_SCOPE) = (.*);$`)
	// body is the script without comments and constants; the scopes are where the
	// trigger has them.
	body = strings.TrimSpace(`
exports.%s = async (event, api) => {
if (!event.resource_server || event.resource_server.identifier !== AUDIENCE) return;
const claims = %s;
for (const [name, value] of Object.entries(claims)) {
api.accessToken.setCustomClaim(name, value);
}
};`)
	functions = map[string]struct{ name, scopes string }{
		triggerLogin:    {"onExecutePostLogin", "(event.transaction && event.transaction.requested_scopes) || []"},
		triggerMachines: {"onExecuteCredentialsExchange", "(event.accessToken && event.accessToken.scope) || []"},
	}
)

func parseScript(trigger, code string) (*script, error) {
	s := &script{}
	constants := map[string]any{"AUDIENCE": &s.audience, "READ_WRITE": &s.readWrite, "READ_ONLY": &s.readOnly, "WRITE_SCOPE": &s.writeScope}
	var rest []string
	for line := range strings.Lines(code) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "//") {
			continue
		}
		if found := constant.FindStringSubmatch(line); found != nil {
			if err := json.Unmarshal([]byte(found[2]), constants[found[1]]); err != nil {
				return nil, fmt.Errorf("the constant %s: %w", found[1], err)
			}
			continue
		}
		rest = append(rest, line)
	}
	function := functions[trigger]
	claims := "READ_WRITE"
	if s.writeScope != "" {
		claims = "(" + function.scopes + ").includes(WRITE_SCOPE) ? READ_WRITE : READ_ONLY"
	}
	if strings.Join(rest, "\n") != fmt.Sprintf(body, function.name, claims) {
		return nil, fmt.Errorf("it is not of the form that zen provider setup auth0 writes")
	}
	return s, nil
}

// run sets the claims of a token for an API.
func (s *script) run(audience string, scopes []string, set func(name string, value any)) {
	if audience != s.audience {
		return
	}
	claims := s.readWrite
	if s.writeScope != "" && !slices.Contains(scopes, s.writeScope) {
		claims = s.readOnly
	}
	for name, value := range claims {
		set(name, value)
	}
}
