package openbao_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/bao"
)

const audience = "https://bao.example"

// issuer is an OpenID issuer that issues any statement.
type issuer struct {
	server *httptest.Server
	key    *rsa.PrivateKey
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	i.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		encode := base64.RawURLEncoding.EncodeToString
		_ = json.NewEncoder(w).Encode(object{"keys": []object{{
			"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "k1",
			"n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
		}}})
	}))
	t.Cleanup(i.server.Close)
	return i
}

// token issues a token with the claims, valid for five minutes from a moment ago; given
// claims override the default ones.
func (i *issuer) token(t testing.TB, claims object) string {
	t.Helper()
	now := time.Now()
	all := jwt.MapClaims{"iss": i.server.URL, "aud": audience, "iat": now.Unix() - 5, "nbf": now.Unix() - 5, "exp": now.Unix() + 300}
	for name, value := range claims {
		all[name] = value
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, all)
	token.Header["kid"] = "k1"
	signed, err := token.SignedString(i.key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// job returns GitHub's claims for a job of acme/app; see docs/teams.md.
func job(more object) object {
	claims := object{
		"sub": "repo:acme/app:ref:refs/heads/main", "repository": "acme/app", "repository_id": "1001", "repository_owner_id": "77",
		"ref": "refs/heads/main", "event_name": "push", "job_workflow_ref": "acme/app/.github/workflows/deploy.yml@refs/heads/main",
	}
	for name, value := range more {
		claims[name] = value
	}
	return claims
}

// person returns the claims of Clerk's template for OpenBao.
func person(user, org, slug, role string) object {
	return object{"sub": user, "org_id": org, "org_slug": slug, "org_role": role}
}

// TestLeastPrivilege checks with the real server who gets access to what, and who gets
// none.
func TestLeastPrivilege(t *testing.T) {
	tm := newTeam(t)
	github, clerk, foreign := newIssuer(t), newIssuer(t), newIssuer(t)
	for _, name := range []string{"other", "app-acme", "app-globex"} {
		if _, err := tm.stack.Turso.CreateDatabase("acme", name); err != nil {
			t.Fatal(err)
		}
	}
	for mount, i := range map[string]*issuer{"people": clerk, "github": github} {
		tm.write("sys/auth/"+mount, object{"type": "jwt"})
		tm.write("auth/"+mount+"/config", object{"jwks_url": i.server.URL, "bound_issuer": i.server.URL})
	}
	roles := []string{"app-ro", "app-rw", "other-ro", "tenant-ro", "tenant-rw"}
	for _, access := range []string{"ro", "rw"} {
		tm.write("turso/roles/app-"+access, object{"database": "app", "access": access})
		tm.write("turso/roles/tenant-"+access, object{"database": "app-{{identity.entity.aliases." + tm.accessor("people") + ".metadata.org_slug}}", "access": access})
	}
	tm.write("turso/roles/other-ro", object{"database": "other"})
	for _, role := range roles {
		tm.policy(role, "turso/creds/"+role)
	}
	// Reads everything below turso/, like a careless policy.
	tm.policy("careless", "turso/*", "auth/clerk/*")
	strict := object{"role_type": "jwt", "bound_audiences": audience, "expiration_leeway": -1, "not_before_leeway": -1, "clock_skew_leeway": -1, "token_ttl": "5m", "token_no_default_policy": true}
	role := func(path, policies, user string, bound object, more object) {
		t.Helper()
		body := object{"user_claim": user, "bound_claims": bound, "token_policies": policies}
		for _, m := range []object{strict, more} {
			for k, v := range m {
				body[k] = v
			}
		}
		tm.write(path, body)
	}
	mappings := object{"claim_mappings": object{"org_slug": "org_slug"}}
	role("auth/people/role/admin", "tenant-rw,tenant-ro", "sub", object{"org_id": []string{"org_acme", "org_globex"}, "org_role": "org:admin"}, mappings)
	role("auth/people/role/member", "tenant-ro", "sub", object{"org_id": []string{"org_acme", "org_globex"}}, mappings)
	role("auth/github/role/ci", "app-ro", "repository_id", object{"repository_id": "1001", "ref": "refs/heads/main", "event_name": "push"}, nil)
	acme := clerkGet(t, tm.stack, "/organizations/acme")["id"]
	tm.write("auth/clerk/role/jobs", object{"bound_organizations": acme, "bound_scopes": "db", "token_policies": "other-ro", "token_no_default_policy": true})

	key := func(org string, scopes ...string) string {
		t.Helper()
		made := clerkPost(t, tm.stack, "/api_keys", object{"name": "job", "subject": clerkGet(t, tm.stack, "/organizations/"+org)["id"], "scopes": scopes})
		return made["secret"].(string)
	}
	gone := clerkPost(t, tm.stack, "/api_keys", object{"name": "gone", "subject": acme, "scopes": []string{"db"}})
	clerkPost(t, tm.stack, "/api_keys/"+gone["id"].(string)+"/revoke", object{})
	ended := time.Now().Unix() - 10
	jwtOf := func(i *issuer, claims object) object { return object{"jwt": i.token(t, claims)} }
	alice, bob := person("user_alice", "org_acme", "acme", "org:admin"), person("user_bob", "org_globex", "globex", "org:member")
	with := func(claims object, name string, value any) object {
		out := object{name: value}
		for k, v := range claims {
			if k != name {
				out[k] = v
			}
		}
		return out
	}
	child := func(policies ...string) object {
		t.Helper()
		var made struct {
			Auth struct {
				ClientToken string `json:"client_token"`
			}
		}
		if err := tm.Call(t.Context(), http.MethodPost, "auth/token/create", object{"policies": policies, "no_default_policy": true, "ttl": "5m"}, &made); err != nil {
			t.Fatal(err)
		}
		return object{"token": made.Auth.ClientToken}
	}

	for name, test := range map[string]struct {
		mount, role string
		login       object
		// refused is the error of a refused login; otherwise the roles may be read.
		refused string
		may     []string
	}{
		"alice, an admin of acme":              {"people", "admin", jwtOf(clerk, alice), "", []string{"tenant-ro", "tenant-rw"}},
		"alice, as a member":                   {"people", "member", jwtOf(clerk, alice), "", []string{"tenant-ro"}},
		"bob, a member of globex":              {"people", "member", jwtOf(clerk, bob), "", []string{"tenant-ro"}},
		"bob, as an admin":                     {"people", "admin", jwtOf(clerk, bob), "org_role", nil},
		"eve, of no organization":              {"people", "member", jwtOf(clerk, object{"sub": "user_eve"}), "org_id", nil},
		"mallory, of another organization":     {"people", "member", jwtOf(clerk, person("user_m", "org_evil", "acme", "org:admin")), "org_id", nil},
		"alice, for another audience":          {"people", "admin", jwtOf(clerk, with(alice, "aud", "https://other.example")), "aud", nil},
		"alice, for no audience":               {"people", "admin", jwtOf(clerk, with(alice, "aud", []string{})), "aud", nil},
		"alice, ended":                         {"people", "admin", jwtOf(clerk, with(alice, "exp", ended)), "expired", nil},
		"alice, not yet":                       {"people", "admin", jwtOf(clerk, with(alice, "nbf", time.Now().Unix()+600)), "not yet valid", nil},
		"alice, signed by another":             {"people", "admin", jwtOf(foreign, with(alice, "iss", clerk.server.URL)), "signature", nil},
		"alice, of another issuer":             {"people", "admin", jwtOf(clerk, with(alice, "iss", foreign.server.URL)), "issuer", nil},
		"alice, at the jobs' door":             {"github", "ci", jwtOf(clerk, alice), "signature", nil},
		"a job of acme/app":                    {"github", "ci", jwtOf(github, job(nil)), "", []string{"app-ro"}},
		"a job of a recycled acme/app":         {"github", "ci", jwtOf(github, job(object{"repository_id": "2002"})), "repository_id", nil},
		"a job of a pull request":              {"github", "ci", jwtOf(github, job(object{"event_name": "pull_request", "ref": "refs/pull/7/merge"})), "", nil},
		"a job of another branch":              {"github", "ci", jwtOf(github, job(object{"ref": "refs/heads/x"})), "ref", nil},
		"a job, for GitHub's own audience":     {"github", "ci", jwtOf(github, job(object{"aud": "https://github.com/acme"})), "aud", nil},
		"a job, replayed when it had ended":    {"github", "ci", jwtOf(github, job(object{"exp": ended})), "expired", nil},
		"a job, at the people's door":          {"people", "member", jwtOf(github, job(nil)), "signature", nil},
		"a key of acme's":                      {"clerk", "jobs", object{"api_key": key("acme", "db")}, "", []string{"other-ro"}},
		"a key without scopes":                 {"clerk", "jobs", object{"api_key": key("acme")}, "the role doesn't take this API key", nil},
		"a key of globex":                      {"clerk", "jobs", object{"api_key": key("globex", "db")}, "the role doesn't take this API key", nil},
		"a revoked key":                        {"clerk", "jobs", object{"api_key": gone["secret"]}, "unknown there, revoked or has expired", nil},
		"a token of a policy that isn't there": {"", "", child("nothing"), "", nil},
		"a token with a careless policy":       {"", "", child("careless"), "", []string{"app-ro", "app-rw", "other-ro"}},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := tm.enter(test.mount, test.role, test.login)
			if test.refused != "" || test.may == nil && test.mount != "" {
				if err == nil || !strings.Contains(err.Error(), test.refused) {
					t.Errorf("login: %v, want a refusal with %q", err, test.refused)
				}
				for _, value := range test.login { // it reveals nothing
					if err != nil && strings.Contains(err.Error(), value.(string)) {
						t.Errorf("the refusal repeats what was sent: %v", err)
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, role := range roles {
				l, err := tm.creds(c, role)
				switch allowed := slices.Contains(test.may, role); {
				case allowed && err != nil:
					t.Errorf("%s: creds = %v", role, err)
				case allowed:
					tm.checkReach(t, l, name)
				case !refused(err, http.StatusForbidden, ""):
					t.Errorf("%s: creds = %v, want a refusal", role, err)
				}
			}
			for _, path := range []string{"turso/config", "turso/config/check", "auth/clerk/config"} {
				if _, err := c.Read(t.Context(), path); !refused(err, http.StatusForbidden, "permission denied") {
					t.Errorf("%s can be read: %v", path, err)
				}
			}
			for _, path := range []string{"turso/config", "turso/config/rotate-root", "turso/roles/app-ro", "auth/clerk/role/jobs"} {
				if err := c.Write(t.Context(), path, object{"database": "app", "access": "rw"}); !refused(err, http.StatusForbidden, "permission denied") {
					t.Errorf("%s can be written: %v", path, err)
				}
			}
		})
	}
	// The operator may read the configuration, which doesn't contain the token.
	for path, secret := range map[string]string{"turso/config": tm.stack.APIToken(), "auth/clerk/config": tm.stack.Clerk.SecretKey()} {
		if text, err := json.Marshal(tm.read(path)); err != nil || strings.Contains(string(text), secret) {
			t.Errorf("%s: %s, %v", path, text, err)
		}
	}
}

// enter signs in, or uses a given token.
func (tm *team) enter(mount, role string, login object) (bao.Client, error) {
	if mount == "" {
		return bao.Client{URL: tm.URL, Token: login["token"].(string)}, nil
	}
	body := object{"role": role}
	for k, v := range login {
		body[k] = v
	}
	return tm.Login(tm.t.Context(), mount, body)
}

// checkReach tries a token at all databases: it opens its own, with its access, and
// no other.
func (tm *team) checkReach(t *testing.T, l lease, who string) {
	t.Helper()
	if org := "app-globex"; strings.HasPrefix(who, "alice") && l.Data["database"] == org || strings.HasPrefix(who, "bob") && l.Data["database"] == "app-acme" {
		t.Errorf("%s gets %v", who, l.Data["database"])
	}
	for _, db := range tm.stack.Turso.Databases("acme") {
		url := tm.stack.URL() + db.Path
		own := db.Name == l.Data["database"]
		if err := opens(t.Context(), url, l.token(), "SELECT 1"); (err == nil) != own {
			t.Errorf("the token for %v at %s: %v", l.Data["database"], db.Name, err)
		}
		writes := own && l.Data["access"] == "rw"
		if err := opens(t.Context(), url, l.token(), "CREATE TABLE IF NOT EXISTS t (id INTEGER)"); (err == nil) != writes {
			t.Errorf("the token with %v for %v writes at %s: %v", l.Data["access"], l.Data["database"], db.Name, err)
		}
	}
}
