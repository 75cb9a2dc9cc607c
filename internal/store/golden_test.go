package store

import (
	"bytes"
	"encoding/base64"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/breaker"
)

// The credentials file's format is stable: a file written by any version of zen is read by
// every later one. A sealed file's content has the same format.
func TestGoldenFile(t *testing.T) {
	at := func(minutes int) time.Time { return time.Date(2026, 1, 3, 3, 33+minutes, 0, 0, time.UTC) }
	permissions := []provider.Permission{{Actions: []provider.Action{"data_read"}}, {Tables: []string{"notes"}, Actions: []provider.Action{"data_add", "data_read"}}}
	r := Record{
		Provider: "clerk",
		Accounts: map[string]Account{"clerk": {
			Credential: provider.Credential{Data: provider.NewSecret("a credential, ünïcode"), Subject: "alice", Issued: at(0), Expires: at(60)},
			Claims: provider.Claims{
				Algorithm: "RS256", KeyID: "ins_1", Type: "JWT", Category: "cl_B7d4PD111AAA", IDToken: true,
				Issuer: "https://clerk.example.com", Subject: "user_1", Audience: []string{"zen"}, ID: "jti_1", AuthorizedParty: "https://app.example",
				Issued: at(0), NotBefore: at(0), Expires: at(60), Session: "sess_1", Status: "active", Actor: "user_2",
				Organization: &provider.Organization{ID: "org_1", Slug: "acme", Role: "org:admin", Permissions: []string{"org:teams:read"}},
				Database: &provider.DatabaseClaims{
					DatabaseID: "33057661-834e-4891-9b48-802d425d02b9", GroupID: "group_1", Access: provider.AccessReadOnly, Permissions: permissions,
					RoleID: "role_1", Namespaces: map[string][]string{"ro": {"app", "tag:x"}},
				},
			},
			SignedIn: at(1), Refreshed: at(2), EnvNames: []string{"CLERK_KEY"},
		}, "platformtoken": {Credential: provider.Credential{Data: provider.NewSecret("another")}}},
		Tokens: map[string]provider.Token{"clerk/clerk/1": {
			Value: provider.NewSecret("a.b.c"), Issued: at(2), Expires: at(12),
			Verification: &provider.Verification{Issuer: "https://clerk.example.com", KeySetURL: "https://clerk.example.com/.well-known/jwks.json", Algorithms: []string{"RS256"}},
		}, "clerk/platformtoken/2": {Value: provider.NewSecret("d.e.f")}},
		Breakers: map[string]breaker.State{"clerk/clerk/1": {
			Via: "platformtoken", Because: breaker.Unavailable, Since: at(3), RetryAt: at(4), Failures: 2,
			Rights: breaker.Rights{Access: provider.AccessReadOnly, Permissions: permissions}, EnvNames: []string{"TURSO_API_TOKEN"},
		}},
		Refusals: map[string]breaker.Backoff{"clerk/platformtoken/2": {RetryAt: at(5), Failures: 1}},
	}
	golden, err := os.ReadFile("testdata/credentials-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	f, err := parse(golden, false)
	if err != nil {
		t.Fatal(err)
	}
	equal := cmp.Comparer(func(a, b provider.Secret) bool { return a.Equal(b) })
	if diff := cmp.Diff(r, f.record(), equal); diff != "" || f.Profile != "p" {
		t.Errorf("read as profile %q (-want +got):\n%s", f.Profile, diff)
	}
	data, err := r.encode("p")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(append(data, '\n'), golden) {
		t.Errorf("encode =\n%s\nwant\n%s", data, golden)
	}
}

// A sealed file is opened by every later version of zen, with the key in the keyring.
func TestGoldenSealedFile(t *testing.T) {
	var records [2]Record
	for i, name := range []string{"testdata/credentials-v1.json", "testdata/credentials-v2.json"} {
		golden, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parse(golden, false)
		if err != nil {
			t.Fatal(err)
		}
		if f.storage() != StorageFile {
			key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, keySize))
			if f, err = f.unseal("p", provider.NewSecret(key), false); err != nil {
				t.Fatal(err)
			}
		}
		records[i] = f.record()
	}
	equal := cmp.Comparer(func(a, b provider.Secret) bool { return a.Equal(b) })
	if diff := cmp.Diff(records[0], records[1], equal); diff != "" {
		t.Errorf("the sealed record differs (-plain +sealed):\n%s", diff)
	}
}

// A reader of tokens finds the same ones as a reader of the whole file.
func TestTokensOfGoldenFile(t *testing.T) {
	golden, err := os.ReadFile("testdata/credentials-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	whole, err := parse(golden, false)
	if err != nil {
		t.Fatal(err)
	}
	lean, err := parse(golden, true)
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range whole.Accounts {
		kept := fileAccount{Credential: a.Credential, EnvNames: a.EnvNames}
		if o := a.Claims.Organization; o != nil { // that a token belongs to
			kept.Claims.Organization = &provider.Organization{ID: o.ID, Slug: o.Slug}
		}
		whole.Accounts[name] = kept
	}
	lean.Tokens = make(map[string]fileToken)
	for key := range whole.Tokens {
		token, err := lean.findToken(key)
		if err != nil || token == nil {
			t.Fatalf("token %s: %v, %v", key, token, err)
		}
		lean.Tokens[key] = *token
	}
	if diff := cmp.Diff(whole, lean, cmpopts.IgnoreUnexported(file{})); diff != "" {
		t.Error(diff)
	}
	if token, err := lean.findToken("another"); err != nil || token != nil {
		t.Errorf("a missing token: %v, %v", token, err)
	}
}
