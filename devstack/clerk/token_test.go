package clerk

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

// mint mints a token as a native client.
func (b *bench) mint(clientJWT, sessionID, template string) string {
	b.t.Helper()
	path := "/v1/client/sessions/" + sessionID + "/tokens"
	if template != "" {
		path += "/" + template
	}
	r := b.native("POST", path, clientJWT, nil)
	b.want(r, 200, "")
	token, _ := r.body["jwt"].(string)
	return token
}

// parse verifies a token's signature with the public key, and its times.
func (b *bench) parse(token string) *jwt.Token {
	b.t.Helper()
	parsed, err := jwt.ParseWithClaims(token, jwt.MapClaims{}, func(*jwt.Token) (any, error) { return b.PublicKey(), nil },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(b.now), jwt.WithIssuer(b.Issuer()), jwt.WithExpirationRequired())
	if err != nil {
		b.t.Fatal(err)
	}
	return parsed
}

// claimsOf returns a token's claims; an organization is there even if empty.
func (b *bench) claimsOf(token string) jwt.MapClaims {
	b.t.Helper()
	claims := b.parse(token).Claims.(jwt.MapClaims)
	if claims["o"] == nil {
		claims["o"] = map[string]any{}
	}
	return claims
}

func TestSessionTokenV2(t *testing.T) {
	b := newBench(t, func(o *Options) {
		o.Organizations = []Organization{{ID: "org_1", Slug: "acme"}}
		o.Users = []User{{ID: "user_1", Email: "alice@example.test", Memberships: []Membership{{
			Organization: "acme", Role: "org:admin",
			Permissions: []string{"org:dashboard:read", "org:dashboard:manage", "org:teams:read", "org:sys_memberships:read"},
		}}}}
	})
	clientJWT, id := b.signIn(b.alice)
	token := b.parse(b.mint(clientJWT, id, ""))
	claims := token.Claims.(jwt.MapClaims)
	if jti, _ := claims["jti"].(string); len(jti) != 20 {
		t.Errorf("jti %q", jti)
	}
	delete(claims, "jti")
	now := float64(b.clock.Unix())
	// The organization is the example of Clerk's documentation.
	want := jwt.MapClaims{
		"iss": testBase, "sub": "user_1", "sid": id, "v": 2.0, "sts": "active", "fva": []any{0.0, -1.0},
		"iat": now, "nbf": now - 10, "exp": now + 60, "fea": "o:dashboard,o:teams",
		"o": map[string]any{"id": "org_1", "slg": "acme", "rol": "admin", "per": "manage,read", "fpm": "3,2"},
	}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Error(diff)
	}
	wantHeader := map[string]any{"alg": "RS256", "typ": "JWT", "kid": b.ID(), "cat": "cl_B7d4PD111AAA"}
	if diff := cmp.Diff(wantHeader, token.Header); diff != "" {
		t.Error(diff)
	}
}

func TestSessionTokenV1(t *testing.T) {
	b := newBench(t, func(o *Options) { o.SessionTokenVersion = 1 })
	clientJWT, id := b.signIn(b.alice)
	claims := b.parse(b.mint(clientJWT, id, "")).Claims.(jwt.MapClaims)
	if claims["org_slug"] != "acme" || claims["org_role"] != "org:admin" || claims["sid"] != id {
		t.Errorf("claims %v", claims)
	}
	for _, name := range []string{"v", "o", "sts"} {
		if _, ok := claims[name]; ok {
			t.Errorf("version 1 has %s", name)
		}
	}
}

func TestNoOrganization(t *testing.T) {
	b := newBench(t, func(o *Options) { o.NoActiveOrganization = true })
	clientJWT, id := b.signIn(b.alice)
	if claims := b.parse(b.mint(clientJWT, id, "")).Claims.(jwt.MapClaims); claims["o"] != nil {
		t.Errorf("claims %v", claims)
	}
}

func TestTemplateToken(t *testing.T) {
	b := newBench(t)
	if _, err := b.AddUser(User{Email: "carol@example.test", PublicMetadata: map[string]any{
		"perm": []map[string]any{{"t": []string{"words"}, "a": []string{"data_read"}}},
	}}); err != nil {
		t.Fatal(err)
	}
	now := float64(b.clock.Unix())
	for name, tt := range map[string]struct {
		user string
		want jwt.MapClaims
	}{
		"organization, no metadata": {b.alice, jwt.MapClaims{"id": "db", "a": "rw", "perm": false, "who": "Alice of acme"}},
		"metadata keeps its type": {b.UserID("carol@example.test"), jwt.MapClaims{"id": "db", "a": "rw", "who": "null of null",
			"perm": []any{map[string]any{"t": []any{"words"}, "a": []any{"data_read"}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			clientJWT, id := b.signIn(tt.user)
			token := b.parse(b.mint(clientJWT, id, "turso"))
			claims := token.Claims.(jwt.MapClaims)
			delete(claims, "jti")
			tt.want["iss"], tt.want["sub"] = testBase, tt.user
			tt.want["iat"], tt.want["nbf"], tt.want["exp"] = now, now-5, now+600
			if diff := cmp.Diff(tt.want, claims); diff != "" {
				t.Error(diff)
			}
			if token.Header["cat"] != "cl_B7d4PD222AAA" {
				t.Errorf("cat %v", token.Header["cat"])
			}
		})
	}
	clientJWT, id := b.signIn(b.alice)
	r := b.native("POST", "/v1/client/sessions/"+id+"/tokens/nope", clientJWT, nil)
	b.want(r, 404, "resource_not_found")
	if r.at("errors.0.long_message") != "No JWT template exists with name: nope" {
		t.Errorf("message %v", r.at("errors.0.long_message"))
	}
}

func TestOrigin(t *testing.T) {
	b := newBench(t)
	id, err := b.CreateSession(b.alice, "acme")
	if err != nil {
		t.Fatal(err)
	}
	b.mu.Lock()
	token, err := b.sessionToken(b.sessions[id], "http://app.test", time.Minute)
	b.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if azp := b.claimsOf(token)["azp"]; azp != "http://app.test" {
		t.Errorf("azp %v", azp)
	}
}

// TestSign makes the tokens that a verifier must refuse.
func TestSign(t *testing.T) {
	b := newBench(t)
	token, err := b.Sign(map[string]any{"typ": "at+jwt", "kid": nil, "x": 1}, map[string]any{"sub": "user_1", "n": json.Number("9007199254740993")})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jwt.ParseWithClaims(token, jwt.MapClaims{}, func(*jwt.Token) (any, error) { return b.PublicKey(), nil }, jwt.WithJSONNumber())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"alg": "RS256", "typ": "at+jwt", "x": 1.0}, parsed.Header); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(jwt.MapClaims{"sub": "user_1", "n": json.Number("9007199254740993")}, parsed.Claims); diff != "" {
		t.Error(diff)
	}
}
