package live

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	devclerk "github.com/zen-auth/zen/devstack/clerk"
)

// deviation is a service that gives a question an unexpected answer.
type deviation struct {
	name string
	// fault is a fault of the stack; if empty, answers makes up the responses.
	fault   string
	answers func() override
	// id is the question that notices it, and kind the part of the answer that differs.
	id, kind string
}

// override makes up a response to a request; status 0 sends the request on.
type override func(req *http.Request, token bearer) (status int, body string)

// bearer is the decoded token of a request.
type bearer struct{ header, claims map[string]any }

const (
	noKey = `{"error":"Unauthorized: ` + "`" + `unauthorized access attempt on database: invalid JWT token: can't be decoded with any of the existing keys` + "`" + `"}`
	taken = `{"results":[{"type":"ok","response":{"type":"execute","result":{"cols":[],"rows":[[{"type":"integer","value":"1"}]]}}}]}`
)

// ifToken changes a database's response to matching tokens.
func ifToken(is func(bearer) bool, status int, body string) func() override {
	return func() override {
		return func(req *http.Request, s bearer) (int, string) {
			if strings.Contains(req.URL.Path, "/dbs/") && s.claims != nil && is(s) {
				return status, body
			}
			return 0, ""
		}
	}
}

// ifRequest changes the response to requests of a method whose URLs contain part.
func ifRequest(method, part string, status int, body string) func() override {
	return func() override {
		return func(req *http.Request, _ bearer) (int, string) {
			if req.Method == method && strings.Contains(req.URL.String(), part) {
				return status, body
			}
			return 0, ""
		}
	}
}

// onNth changes the response to the nth matching request.
func onNth(n int, method, part string, status int, body string) func() override {
	return func() override {
		seen := 0
		return func(req *http.Request, _ bearer) (int, string) {
			if req.Method == method && strings.Contains(req.URL.String(), part) {
				if seen++; seen == n {
					return status, body
				}
			}
			return 0, ""
		}
	}
}

// stillTaken accepts tokens whose registration was removed.
func stillTaken() override {
	removed := false
	return func(req *http.Request, s bearer) (int, string) {
		if req.Method == http.MethodDelete && strings.Contains(req.URL.Path, "/jwks/") {
			removed = true
		}
		if removed && strings.Contains(req.URL.Path, "/dbs/") && s.claims != nil {
			return 200, taken
		}
		return 0, ""
	}
}

func has(name string) func(bearer) bool {
	return func(s bearer) bool { _, ok := s.claims[name]; return ok }
}

var deviations = []deviation{
	{name: "Turso can't remove a registration", fault: "jwks-remove-500", id: "Z2", kind: "status"},
	{name: "Turso saves no registration", fault: "jwks-count-limit", id: "R2", kind: "failed"},
	{name: "Turso's registrations are stuck", fault: "jwks-stuck", id: "R5", kind: "failed"},
	{name: "an expired token is 401", fault: "expired-as-401", id: "T20", kind: "status"},
	{name: "a sync with an expired token is 401", fault: "expired-as-401", id: "D4", kind: "status"},
	{name: "no token is allowed", fault: "token-not-allowed", id: "R4", kind: "status"},
	{name: "every role was invalidated", fault: "token-invalidated", id: "D1", kind: "failed"},
	{name: "the database is a plain libsql-server", fault: "sqld", id: "R6", kind: "refused"},
	{name: "the plan blocks writes", fault: "writes-blocked", id: "D2", kind: "failed"},
	{name: "the plan blocks replicas", fault: "replicas-blocked", id: "D3", kind: "failed"},
	{name: "Clerk's keys were swapped", fault: devclerk.FaultKeySwapped, id: "A2", kind: "failed"},
	{name: "Clerk's tokens lack the template's claims", fault: devclerk.FaultTemplateEmpty, id: "A2", kind: "organization"},
	{name: "Clerk's tokens have an audience", fault: devclerk.FaultTemplateAudience, id: "K1", kind: "claims"},
	{name: "API keys are off", fault: devclerk.FaultAPIKeysDisabled, id: "E1", kind: "failed"},
	{name: "API keys have no scopes", fault: devclerk.FaultAPIKeyBare, id: "E1", kind: "scopes"},
	{name: "no device grant", fault: devclerk.FaultDeviceGrantOff, id: "K9", kind: "device grant"},
	{name: "a protect check", fault: devclerk.FaultProtectCheck, id: "K11", kind: "status"},
	{name: "no loopback redirect", fault: devclerk.FaultRedirectMismatch, id: "K8", kind: "127.0.0.1 of any port"},
	{name: "the doctor finds writes blocked", fault: "writes-blocked", id: "P1", kind: "plan.blocked"},
	{name: "Auth0 runs no Action", fault: "auth0-machine-action-missing", id: "U1", kind: "claims"},
	{name: "Auth0 uses the other dialect", fault: "auth0-other-dialect", id: "U1", kind: "typ"},
	{name: "Auth0's token is opaque", fault: "auth0-opaque-token", id: "U3", kind: "token"},

	{name: "aud is refused", answers: ifToken(has("aud"), 401, noKey), id: "T1", kind: "status"},
	{name: "Auth0's aud is refused", answers: ifToken(has("aud"), 401, noKey), id: "U2", kind: "status"},
	{name: "gid is refused", answers: ifToken(has("gid"), 401, noKey), id: "T7", kind: "status"},
	{name: "a token without rid is refused", answers: ifToken(func(s bearer) bool { return !has("rid")(s) }, 401, noKey), id: "T9", kind: "status"},
	{name: "p is ignored", answers: ifToken(has("p"), 200, taken), id: "T4", kind: "error"},
	{name: "a session token is refused", answers: ifToken(has("sid"), 401, noKey), id: "T15", kind: "status"},
	{name: "at+jwt is refused", answers: ifToken(func(s bearer) bool { return s.header["typ"] == "at+jwt" }, 401, noKey), id: "T18", kind: "status"},
	{name: "a machine's token is refused", answers: ifToken(func(s bearer) bool { return s.header["cat"] == "cl_B7d4PD333AAA" }, 401, noKey), id: "T16", kind: "rows"},
	{name: "perm is ignored", answers: ifToken(func(s bearer) bool { return s.claims["perm"] != nil }, 200, taken), id: "T12", kind: "code"},
	{name: "perm doesn't limit a replica", answers: ifRequest(http.MethodGet, "/export/", 200, "pages"), id: "T14", kind: "export"},
	{name: "the limit is 409", answers: onNth(2, http.MethodPut, "/jwks/", 409, `{"error":"too many"}`), id: "R9", kind: "error"},
	{name: "another region removes it, too", answers: onNth(1, http.MethodDelete, "/jwks/", 200, ""), id: "R7", kind: "removal"},
	{name: "a foreign key set is refused", answers: onNth(1, http.MethodPut, "/jwks/", 400, `{"error":"only Clerk and Auth0"}`), id: "R8", kind: "status"},
	{name: "a removed registration still works", answers: stillTaken, id: "Z3", kind: "refused"},
	{name: "a revoked key has a flag", answers: ifRequest(http.MethodPost, "/api_keys/verify", 200, `{"revoked":true,"expired":false}`), id: "K6", kind: "revoked"},
	{name: "localhost is an allowed redirect", answers: ifRequest(http.MethodGet, "redirect_uri=http%3A%2F%2Flocalhost", 303, ""), id: "K8", kind: "localhost"},
}

// deviatingTransport is a transport that puts a deviating service in place of the real one
// while answers is set.
type deviatingTransport struct {
	answers override
	next    http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (o *deviatingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if o.answers == nil {
		return o.next.RoundTrip(req)
	}
	_, token, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	var s bearer
	s.header, s.claims = decoded(token)
	status, body := o.answers(req, s)
	if status == 0 {
		return o.next.RoundTrip(req)
	}
	return &http.Response{
		Status: strconv.Itoa(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// askWithFault asks one question of a stack with a fault, and checks that the transcript
// reports it.
func (s *stack) askWithFault(t *testing.T, o deviation, journal string, reference map[string]answer) {
	t.Helper()
	if err := s.Faults.Switch(o.fault, true); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Faults.Switch(o.fault, false) }()
	done, err := ask(t.Context(), s.testbed(journal), options{recorder: newRecorder(), reference: reference, each: func(name string, ask func() result) {
		if strings.HasPrefix(name, o.id+"_") {
			ask()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	o.wantReported(t, done, done.transcript(reference))
}

// askWithOverrides asks a stack the questions of the deviations, each with its deviating
// service in place.
func (s *stack) askWithOverrides(t *testing.T, journal string, reference map[string]answer) {
	t.Helper()
	now := deviatingTransport{next: http.DefaultTransport}
	b := s.testbed(journal)
	b.base = &now
	asked := map[string]deviation{}
	for _, o := range deviations {
		if o.fault == "" {
			asked[o.id] = o
		}
	}
	done, err := ask(t.Context(), b, options{recorder: newRecorder(), reference: reference, each: func(name string, ask func() result) {
		id, _, _ := strings.Cut(name, "_")
		if o, ok := asked[id]; ok {
			now.answers = o.answers()
			ask()
			now.answers = nil
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	transcript := done.transcript(reference)
	for _, o := range asked {
		t.Run(o.name, func(t *testing.T) { o.wantReported(t, done, transcript) })
	}
}

// wantReported checks that a transcript names the difference.
func (o deviation) wantReported(t *testing.T, done report, transcript string) {
	t.Helper()
	i := slices.IndexFunc(done.results, func(r result) bool { return r.id == o.id })
	r := done.results[i]
	if r.skipped != "" {
		t.Skipf("SKIPPED: %s", r.skipped)
	}
	for _, want := range []string{"\n- DIFFERENT " + o.kind + ": ", "\n- " + o.id + " " + r.name + " differs in " + o.kind + ": "} {
		if !strings.Contains(transcript, want) {
			t.Errorf("the transcript lacks %q; the answer is %s", want, r.got)
		}
	}
}
