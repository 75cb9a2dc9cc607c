package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack/auth0"
)

// purpose has Turso's templates for the database's tokens.
var purpose = provider.Purpose{
	Target: target, Access: provider.AccessReadWrite,
	Template:         `{"id": "` + testDatabase + `", "a": "rw", "perm": [], "rid": "rid-1"}`,
	ReadOnlyTemplate: `{"id": "` + testDatabase + `", "a": "ro", "perm": [], "rid": "rid-1"}`,
}

// mend makes one repair with a Management API token.
func (b *bench) mend(p *auth0Provider, id, token string, purpose provider.Purpose) error {
	b.t.Helper()
	done := false
	_, err := p.Fix(b.t.Context(), provider.FixRequest{
		ID: id, Answers: map[string]provider.Secret{keyManagementToken: provider.NewSecret(token)}, Purpose: purpose,
	}, func(p provider.Progress) error { done = p.Done; return nil })
	if err == nil && !done {
		b.t.Errorf("%s: Fix reported no result", id)
	}
	return err
}

func (b *bench) managementToken(scopes ...string) string {
	b.t.Helper()
	token, err := b.ManagementToken(scopes...)
	if err != nil {
		b.t.Fatal(err)
	}
	return token
}

// What a check finds wrong with the tenant is repaired through its Management API, and
// the next check finds it right. A second repair has nothing to do.
func TestFix(t *testing.T) {
	b := newBench(t)
	people := b.provider()
	signedIn, _ := b.login(people, request(""))
	credential := &signedIn.Credential
	machine := b.provider(keyClientID, "", keyClientSecret, testSecret)
	token := b.managementToken()
	for _, test := range []struct {
		fault, finding, fix string
		p                   *auth0Provider
		machine, twice      bool
	}{
		{auth0.FaultCallbackMismatch, "callbacks", fixCallbacks, people, false, true},
		{auth0.FaultDeviceOff, "device", fixGrants, people, false, true},
		{auth0.FaultActionMissing, "token", triggerPeople, people, false, true},
		{auth0.FaultGrantMissing, "token", fixClientGrant, machine, true, false},
		{auth0.FaultMachineActionMissing, "token", triggerMachines, machine, true, true},
	} {
		t.Run(test.fault, func(t *testing.T) {
			b.with(test.fault)
			defer b.with()
			find := func() provider.Finding {
				req := provider.CheckRequest{Purpose: purpose}
				if !test.machine {
					req.Credential = credential
				}
				all, renewed := findings(t, test.p, req)
				if renewed != nil {
					credential = renewed
				}
				return all[test.finding]
			}
			if f := find(); f.Fix == nil || f.Fix.ID != test.fix {
				t.Fatalf("find = %+v", f)
			}
			if err := b.mend(test.p, test.fix, token, purpose); err != nil {
				t.Fatal(err)
			}
			if f := find(); f.Severity != provider.SeverityOK {
				t.Errorf("afterwards: %+v", f)
			}
			if test.twice {
				if err := b.mend(test.p, test.fix, token, purpose); err != nil {
					t.Error("again: ", err)
				}
			}
		})
	}
	// Existing settings stay: the tenant's own Action runs before the new one.
	if signedIn, _ = b.login(people, request("")); signedIn.Token == nil {
		t.Error("no token")
	}
	other := freePorts(t, 1)
	if err := b.mend(b.provider(keyPorts, fmt.Sprint(other[0])), fixCallbacks, token, purpose); err != nil {
		t.Fatal(err)
	}
	if got, _ := findings(t, people, provider.CheckRequest{}); got["callbacks"].Severity != provider.SeverityOK {
		t.Errorf("the callbacks that were there before: %+v", got["callbacks"])
	}
}

func TestFixRefused(t *testing.T) {
	b := newBench(t)
	p := b.provider()
	fails(t, "unknown", b.mend(p, "magic", "", purpose), provider.ErrConfig, `no fix "magic"`)
	fails(t, "no token", b.mend(p, fixCallbacks, "", purpose), provider.ErrConfig, keyManagementToken)
	changed := b.provider(keyPorts, fmt.Sprint(freePorts(t, 1)[0]))
	fails(t, "a token that only reads", b.mend(changed, fixCallbacks, b.managementToken("read:clients"), purpose),
		provider.ErrPermission, "403, Insufficient scope, expected any of: update:clients")

	fails(t, "another tenant's", b.mend(p, fixCallbacks, b.forged(t), purpose), provider.ErrRejected, "401, Invalid token", "expired")
	// A token for another API is not sent anywhere.
	foreign, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"aud": "http://evil.example/api/v2/"}).SignedString(testKeys()[0])
	if err != nil {
		t.Fatal(err)
	}
	fails(t, "not Auth0's", b.mend(p, fixCallbacks, foreign, purpose), provider.ErrConfig, "not a token of Auth0's Management API")
	token := b.managementToken()
	fails(t, "no template", b.mend(p, triggerPeople, token, provider.Purpose{}), provider.ErrConfig, "Turso was not asked")
	half := purpose
	half.Template = `{"id": undefined}`
	fails(t, "a program that doesn't build", b.mend(p, triggerPeople, token, half), provider.ErrRejected, "could not build the Action")
	b.with(auth0.FaultRateLimited)
	err = b.mend(p, fixCallbacks, token, purpose)
	fails(t, "limited", err, provider.ErrUnavailable, "429, Global limit")
	if wait := provider.RetryAfter(err); wait != 10*time.Second {
		t.Errorf("wait %v", wait)
	}
}

// forged returns a token for the tenant's Management API that the tenant didn't sign.
func (b *bench) forged(t *testing.T) string {
	t.Helper()
	signed, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"aud": b.url + "/api/v2/"}).SignedString(testKeys()[2])
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// The Management API gives the end of its rate limit by its own clock.
func TestRetryAfter(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Date", "Mon, 30 Nov 2026 12:00:00 GMT")
	w.Header().Set("X-RateLimit-Reset", "1796040010")
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = w.WriteString(`{"statusCode":429,"error":"Too Many Requests","message":"Global limit has been reached","errorCode":"too_many_requests"}`)
	err := managementError("GET clients/x", w.Result(), []byte(strings.TrimSpace(w.Body.String())))
	if wait := provider.RetryAfter(err); wait != 10*time.Second {
		t.Errorf("wait %v", wait)
	}
}
