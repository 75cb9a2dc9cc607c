package turso

import (
	"crypto"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/fault"
)

const (
	execInsert = `{"requests":[{"type":"execute","stmt":{"sql":"CREATE TABLE IF NOT EXISTS x (a)"}}]}`
	execSelect = `{"requests":[{"type":"execute","stmt":{"sql":"SELECT 1"}}]}`
)

// faultCases returns the effect of each of Turso's faults on a client: an action, and a
// part of the response with and without the fault.
func faultCases(f *fixture, issuer *issuer) map[string]struct{ request, token, body, want, otherwise string } {
	minted, err := f.CreateDatabaseToken("acme", "app", TokenOptions{})
	must(f.t, err)
	short, err := f.CreateDatabaseToken("acme", "app", TokenOptions{Lifetime: 10 * time.Minute})
	must(f.t, err)
	expired := signWith(f.t, rsaKeys()[0], "k", f.claims(map[string]any{"exp": f.clock.Now().Unix() - 600}))
	fromIssuer := signWith(f.t, rsaKeys()[0], "k", f.claims(nil))
	_, answer := f.do("POST", "/dbs/app/v2/pipeline", minted, execSelect)
	baton := strings.Split(strings.SplitAfter(answer, `"baton":"`)[1], `"`)[0]
	withBaton := `{"baton":"` + baton + `","requests":[]}`
	const (
		sql  = "POST /dbs/app/v2/pipeline"
		jwks = "/v2/organizations/acme/jwks"
	)
	return map[string]struct{ request, token, body, want, otherwise string }{
		fault.JWKSStuck:        {sql, fromIssuer, execSelect, `401 {"error":"` + textNoKey, "200"},
		fault.JWKSRemove500:    {"DELETE " + jwks + "/other", f.alice, `{"region":""}`, `500 {"error":"internal server error"}`, "200"},
		fault.JWKSCountLimit:   {"PUT " + jwks + "/clerk", f.alice, `{"jwks_url":"` + issuer.url + `"}`, `400 {"error":"jwks count limit(2) exceeded"}`, "200"},
		fault.JWKSRegion:       {sql, fromIssuer, execSelect, `401 {"error":"` + textNoKey, "200"},
		fault.TokenInvalidated: {sql, minted, execSelect, `401 {"error":"` + textInvalidated, "200"},
		fault.TokenNotAllowed:  {sql, minted, execSelect, `401 {"error":"` + textNotAllowed, "200"},
		fault.ExpiredAs401:     {sql, expired, execSelect, `401 {"error":"JWT error: ExpiredSignature"}`, `400 {"error":"JWT error: ExpiredSignature"}`},
		fault.ClockAhead:       {sql, short, execSelect, `400 {"error":"JWT error: ExpiredSignature"}`, "200"},
		fault.ClockBehind:      {sql, expired, execSelect, "200", `400 {"error":"JWT error: ExpiredSignature"}`},
		fault.WritesBlocked:    {sql, minted, execInsert, `"message":"Operation was blocked: SQL write operations are forbidden (writes are blocked, do you need to upgrade your plan?)","code":"BLOCKED"`, `"type":"ok"`},
		fault.ReadsBlocked:     {sql, minted, execSelect, `"message":"Operation was blocked: SQL read operations are forbidden (reads are blocked, do you need to upgrade your plan?)","code":"BLOCKED"`, `"type":"ok"`},
		fault.StreamExpired:    {sql, minted, withBaton, `400 {"message":"The stream has expired due to inactivity","code":"STREAM_EXPIRED"}`, "200"},
		fault.StreamLost:       {sql, minted, withBaton, `404 {"error":"stream not found: `, "200"},
		fault.ReplicasBlocked:  {"GET /dbs/app/info", minted, "", `403 {"error":"embedded replicas are not supported for this platform and tariff plan"}`, "200"},
		fault.SyncBusy:         {"GET /dbs/app/export/1", minted, "", `503 {"error":"SQLite error: max_frame_no failed: database is locked"}`, "200"},
		fault.PlainSqld:        {sql, fromIssuer, execSelect, "401 {\"error\":\"Unauthorized: `The JWT is invalid`\"}", "200"},
		fault.APIUnauthorized:  {"GET /v1/current-user", f.alice, "", `401 {"error":"invalid api token"}`, "200"},
		fault.APINotMember:     {"GET /v1/organizations/acme/databases", f.alice, "", `403 {"error":"user is not a member of the organization"}`, "200"},
		fault.APIDown:          {"GET /v1/current-user", f.alice, "", `500 {"error":"internal server error"}`, "200"},
	}
}

func TestClientSeesFaults(t *testing.T) {
	for _, known := range fault.Known() {
		if strings.HasPrefix(known.Name, "net-") || known.Name == fault.SocketExpires || known.Name == fault.PollExpires || known.Name == fault.JWKSFetchDown || known.Name == fault.JWKSStale {
			continue // have separate tests
		}
		t.Run(known.Name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, Options{})
			iss := newIssuer(t, map[string]crypto.Signer{"k": rsaKeys()[0]})
			must(t, f.RegisterJWKS("acme", "clerk", iss.url))
			must(t, f.RegisterJWKS("acme", "other", "https://other.test/jwks"))
			c, ok := faultCases(f, iss)[known.Name]
			if !ok {
				t.Fatal("no case covers this fault")
			}
			method, path, _ := strings.Cut(c.request, " ")
			for _, on := range []bool{true, false} {
				must(t, f.faults.Switch(known.Name, on))
				want := c.otherwise
				if on {
					want = c.want
				}
				status, body := f.do(method, path, c.token, c.body)
				if got := strings.TrimSpace(strings.Join([]string{itoa(status), body}, " ")); !strings.Contains(got, want) {
					t.Errorf("switched on %v: %s, want %s", on, got, want)
				}
			}
		})
	}
}

// With the fault on, a waiting poll is refused once the token has expired.
func TestPollExpires(t *testing.T) {
	f := newFixture(t, Options{})
	token, err := f.CreateDatabaseToken("acme", "app", TokenOptions{Lifetime: time.Minute})
	must(t, err)
	status, body := f.do("POST", "/dbs/app/pull-updates", token, "")
	if status != 200 {
		t.Fatalf("answer %d %s", status, body)
	}
	revision := body[3 : 3+int(body[2])] // after the header's length, the field and its length
	poll := "\x1a" + string(rune(len(revision))) + revision + "\x20\x01"
	f.clock.Advance(90 * time.Second) // within the leeway
	for _, c := range []struct {
		on, as401 bool
		status    int
	}{{false, false, 200}, {true, false, 400}, {true, true, 401}} {
		must(t, f.faults.Switch(fault.PollExpires, c.on))
		must(t, f.faults.Switch(fault.ExpiredAs401, c.as401))
		status, body := f.do("POST", "/dbs/app/pull-updates", token, poll)
		if status != c.status || status != 200 && body != `{"error":"JWT error: ExpiredSignature"}` {
			t.Errorf("%+v: answer %d %q", c, status, body)
		}
	}
}

// A registration applies only in its region, or everywhere if it names none.
func TestRegistrationOfAnotherRegion(t *testing.T) {
	f := newFixture(t, Options{})
	iss := newIssuer(t, map[string]crypto.Signer{"k": rsaKeys()[0]})
	token := signWith(t, rsaKeys()[0], "k", f.claims(nil))
	for _, test := range []struct {
		region string
		fault  bool
		counts bool
	}{
		{"", false, true}, {region, false, true}, {"aws-ap-northeast-1", false, false},
		{"", true, false}, {region, true, true},
	} {
		must(t, f.faults.Switch(fault.JWKSRegion, test.fault))
		f.call("save", "PUT", "/v2/organizations/acme/jwks/clerk", f.alice, `{"jwks_url":"`+iss.url+`","region":"`+test.region+`"}`, 200, "")
		if test.counts {
			f.accepted("region "+test.region, "app", token)
		} else {
			f.refused("region "+test.region, "app", token, 401, textNoKey)
		}
	}
	f.call("remove", "DELETE", "/v2/organizations/acme/jwks/clerk", f.alice, `{"region":"`+region+`"}`, 200, "")
}

func TestKeySetFaults(t *testing.T) {
	f := newFixture(t, Options{})
	rsa1, rsa2 := rsaKeys()[0], rsaKeys()[1]
	iss := newIssuer(t, map[string]crypto.Signer{"a": rsa1})
	must(t, f.RegisterJWKS("acme", "clerk", iss.url))
	first, second := signWith(t, rsa1, "a", f.claims(nil)), signWith(t, rsa2, "b", f.claims(nil))

	must(t, f.faults.Switch(fault.JWKSFetchDown, true))
	f.refused("key set down from the start", "app", first, 401, textNoKey)
	must(t, f.faults.Switch(fault.JWKSFetchDown, false))
	f.ageKeys(iss.url)
	f.accepted("key set up", "app", first)

	iss.set(map[string]crypto.Signer{"b": rsa2})
	for _, name := range []string{fault.JWKSFetchDown, fault.JWKSStale} {
		must(t, f.faults.Switch(name, true))
		f.ageKeys(iss.url)
		f.accepted(name+": old key", "app", first)
		f.refused(name+": new key", "app", second, 401, textNoKey)
		must(t, f.faults.Switch(name, false))
	}
	f.ageKeys(iss.url)
	f.accepted("new key", "app", second)
	f.refused("old key", "app", first, 401, textNoKey)
}
