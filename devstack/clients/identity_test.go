package clients_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/devstack/browse"
	"github.com/zen-auth/zen/devstack/clerk"
	"github.com/zen-auth/zen/devstack/clients/npmtest"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/devstack/jose/josetest"
	"github.com/zen-auth/zen/devstack/oidc"
)

// node runs a script of ./identity with variables. Addresses that it prints for a person
// are opened by Alice; the last line is returned.
func node(t *testing.T, script string, variables ...string) string {
	t.Helper()
	dir := npmtest.Install(t, "identity")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), variables...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	last := ""
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		last = lines.Text()
		var line struct{ Open string }
		if json.Unmarshal([]byte(last), &line) == nil && line.Open != "" {
			if err := browse.Visit(ctx, browse.Person{User: "alice"}, line.Open, t.Output()); err != nil {
				t.Errorf("at the browser: %v", err)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("node %s: %v\n%s", script, err, stderr.String())
	}
	return last
}

// sees compares the JSON that a script printed.
func sees(t *testing.T, got string, want string) {
	t.Helper()
	var gotValue, wantValue any
	must(t, json.Unmarshal([]byte(got), &gotValue))
	must(t, json.Unmarshal([]byte(want), &wantValue))
	if diff := cmp.Diff(wantValue, gotValue); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestOpenIDClient(t *testing.T) {
	s := devstacktest.Start(t, devstack.Options{})
	for name, tt := range map[string]struct {
		issuer, client, audience, ports string
		want                            string
	}{
		"auth0":  {s.Auth0.Issuer(), auth0.DefaultClientID, auth0.DefaultAudience, "53684 53683 53682", `"rotated": true`},
		"clerk":  {s.Clerk.Issuer(), clerk.DefaultOAuthClientID, "", "0", `"rotated": true`},
		"openid": {s.OIDC.Address(), oidc.DefaultClientID, "", "0", `"rotated": false`},
	} {
		t.Run(name, func(t *testing.T) {
			got := node(t, "openid.mjs", "ISSUER="+tt.issuer, "CLIENT_ID="+tt.client, "AUDIENCE="+tt.audience, "PORTS="+tt.ports)
			sees(t, got, `{"code": {"email": "alice@example.test", "refresh": true}, "userinfo": "alice@example.test",
				"revoked": "invalid_grant", "device": "alice@example.test", `+tt.want+`}`)
		})
	}
}

// GitHub's own library for actions gets the job's ID token from the stack.
func TestActionsToolkit(t *testing.T) {
	s := devstacktest.Start(t, devstack.Options{})
	variables, err := s.CI.Environment("github", "")
	must(t, err)
	environment := []string{"AUDIENCE=https://bao.example.test"}
	for _, v := range variables {
		environment = append(environment, v.Name+"="+v.Value)
	}
	_, token, _ := strings.Cut(node(t, "actions.mjs", environment...), " ")
	claims, err := josetest.Verify(token, s.CI.Issuer("github"), "https://bao.example.test")
	if err != nil || claims["sub"] != "repo:acme/app:ref:refs/heads/main" {
		t.Errorf("Verify = %v, %v", claims, err)
	}
}

// Clerk's backend library works with the stack's Clerk as with the real one.
func TestClerkBackend(t *testing.T) {
	s := devstacktest.Start(t, devstack.Options{})
	session, err := s.Clerk.CreateSession(s.Clerk.UserID("alice@example.test"), "acme")
	must(t, err)
	token, err := s.Clerk.SessionToken(session)
	must(t, err)
	der, err := x509.MarshalPKIXPublicKey(s.Clerk.PublicKey())
	must(t, err)
	got := node(t, "clerk.mjs", "CLERK_SECRET_KEY="+s.Clerk.SecretKey(), "CLERK_PUBLISHABLE_KEY="+s.Clerk.PublishableKey(),
		"CLERK_API_URL="+strings.TrimSuffix(s.Clerk.BackendURL(), "/v1"), "API_KEY="+s.APIKey(), "SESSION_TOKEN="+token,
		"JWT_KEY="+string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	sees(t, got, `{
		"key": {"mine": true, "scopes": ["db:read", "db:write"], "revoked": false, "expired": false, "claims": {"purpose": "zen dev"}},
		"organizationKey": {"organization": true}, "revokedKey": "resource_not_found",
		"session": {"alice": true, "organization": "acme"}, "invitation": "pending", "duplicate": "organization_invitation_not_unique",
		"members": [["alice@example.test", "org:admin"]],
		"template": {"name": "made-here", "lifetime": 120, "claims": {"a": "rw", "who": "{{user.id}}"}}, "reserved": "jwt_template_reserved_claim"
	}`)
}
