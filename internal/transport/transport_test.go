package transport_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/transport"
)

const databaseID = "33057661-834e-4891-9b48-802d425d02b9"

// jwt returns a token with a meaningless signature: the transport trusts its source to verify
// it.
func jwt(t *testing.T, header, claims map[string]any) provider.Token {
	t.Helper()
	part := func(m map[string]any) string {
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	return provider.Token{Value: provider.NewSecret(part(header) + "." + part(claims) + "." + base64.RawURLEncoding.EncodeToString([]byte("signature")))}
}

func clerkToken(t *testing.T, session string) provider.Token {
	return jwt(t, map[string]any{"alg": "RS256", "kid": "ins_1", "typ": "JWT"}, map[string]any{
		"iss": "https://clerk.example", "sub": "user_1", "id": databaseID, "a": "rw", "exp": 1767411233, "iat": 1767411173, "jti": session,
	})
}

// source returns its tokens in turn.
type source struct {
	tokens  []provider.Token
	renewal error
	renewed int
}

func (s *source) Token(context.Context) (provider.Token, error) { return s.tokens[0], nil }
func (s *source) Renew(_ context.Context, refused provider.Token) (provider.Token, error) {
	s.renewed++
	if s.renewal != nil {
		return provider.Token{}, s.renewal
	}
	if len(s.tokens) > 1 {
		s.tokens = s.tokens[1:]
	}
	return s.tokens[0], nil
}

// answer is a refusal of the test server, which gives each of its answers in turn, and then
// accepts.
type answer struct {
	status int
	body   string
}

func start(t *testing.T, answers ...answer) (*httptest.Server, *[]string) {
	var seen []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, r.Header.Get("Authorization")+" "+string(body))
		if n := len(seen); n <= len(answers) {
			w.WriteHeader(answers[n-1].status)
			io.WriteString(w, answers[n-1].body)
			return
		}
		io.WriteString(w, "done")
	}))
	t.Cleanup(s.Close)
	return s, &seen
}

func send(t *testing.T, s *httptest.Server, src transport.Source, access provider.Access) (string, int, error) {
	t.Helper()
	address, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	rt := transport.New(http.DefaultTransport, src, provider.Target{URL: "libsql://app", DatabaseID: databaseID}, address, access)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/v3/pipeline", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), resp.StatusCode, err
}

const unknownKey = "{\"error\":\"Unauthorized: `unauthorized access attempt on database: invalid JWT token: can't be decoded with any of the existing keys`\"}"

func TestRefusedTokenIsRenewedOnceAndTheRequestSentAgain(t *testing.T) {
	for _, refusal := range []answer{{401, unknownKey}, {400, `{"error":"JWT error: ExpiredSignature"}`}} {
		s, seen := start(t, refusal)
		src := &source{tokens: []provider.Token{clerkToken(t, "1"), clerkToken(t, "2")}}
		second := src.tokens[1].Value.Reveal()
		body, status, err := send(t, s, src, "")
		if err != nil || status != 200 || body != "done" {
			t.Fatalf("got %q with status %d, %v, want the second answer", body, status, err)
		}
		if len(*seen) != 2 || (*seen)[1] != "Bearer "+second+" body" {
			t.Errorf("the second request is not the first one with the new token: %d requests", len(*seen))
		}
	}
}

func TestRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		answer answer
		token  func(*testing.T) provider.Token
		kind   error
		want   []string
	}{
		"an unknown key": {answer{401, unknownKey}, nil, provider.ErrRejected,
			[]string{"Turso does not accept the key that signed this token", "kid ins_1", "issuer https://clerk.example", "`zen login --provider platformtoken` uses tokens minted by Turso"}},
		"a version's other spelling": {answer{401, strings.Replace(unknownKey, "existing", "existin", 1)}, nil, provider.ErrRejected, []string{"does not accept the key"}},
		"the unknown key of a token by Turso": {answer{401, unknownKey}, func(t *testing.T) provider.Token {
			return jwt(t, map[string]any{"alg": "EdDSA"}, map[string]any{"id": databaseID, "iat": 1})
		}, provider.ErrRejected, []string{"Turso does not know the key", "sign in again"}},
		"rotated tokens":      {answer{401, `{"error":"invalid JWT token: role was invalidated after token was issued"}`}, nil, provider.ErrRejected, []string{"rotated"}},
		"another database":    {answer{401, `{"error":"token does not have the permissions to access the database"}`}, nil, provider.ErrPermission, []string{"no access to libsql://app"}},
		"expired":             {answer{400, `{"error":"JWT error: ExpiredSignature"}`}, nil, provider.ErrTokenExpired, []string{"2026-01-03 03:33:53 UTC", "clock"}},
		"expired at a server": {answer{401, `{"error":"Unauthorized: The JWT has expired"}`}, nil, provider.ErrTokenExpired, []string{"clock"}},
		"something else":      {answer{401, "<html>\x1b[31mno</html>"}, nil, provider.ErrRejected, []string{"HTTP status 401, <html>[31mno</html>"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := start(t, test.answer, test.answer)
			make := test.token
			if make == nil {
				make = func(t *testing.T) provider.Token { return clerkToken(t, "1") }
			}
			_, _, err := send(t, s, &source{tokens: []provider.Token{make(t)}}, "")
			var refused *transport.Refused
			if !errors.Is(err, test.kind) || !errors.As(err, &refused) || refused.Status != test.answer.status {
				t.Fatalf("RoundTrip: wrong error %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("%q is not one plain line", err)
			}
		})
	}
}

func TestRefusalWithFailedRenewal(t *testing.T) {
	s, seen := start(t, answer{401, unknownKey})
	src := &source{tokens: []provider.Token{clerkToken(t, "1")}, renewal: provider.ErrUnavailable}
	_, _, err := send(t, s, src, "")
	if !errors.Is(err, provider.ErrRejected) || !errors.Is(err, provider.ErrUnavailable) || len(*seen) != 1 {
		t.Errorf("err = %v after %d requests", err, len(*seen))
	}
}

func TestOtherAnswersPassThroughWhole(t *testing.T) {
	long := `{"error":"no such thing"}` + strings.Repeat(" ", 1<<17)
	for _, a := range []answer{{400, long}, {403, "no"}, {404, "no"}, {500, "no"}} {
		s, _ := start(t, a)
		src := &source{tokens: []provider.Token{clerkToken(t, "1")}}
		body, status, err := send(t, s, src, "")
		if err != nil || status != a.status || body != a.body || src.renewed != 0 {
			t.Errorf("%d: got %d with %d bytes, %v", a.status, status, len(body), err)
		}
	}
}

func TestUnfitTokensAreNotSent(t *testing.T) {
	header := map[string]any{"alg": "RS256", "typ": "JWT"}
	for name, test := range map[string]struct {
		token  provider.Token
		access provider.Access
		kind   error
	}{
		"no database claims": {jwt(t, header, map[string]any{"iss": "https://clerk.example", "sub": "user_1"}), "", provider.ErrPermission},
		"another database":   {jwt(t, header, map[string]any{"id": "other"}), "", provider.ErrPermission},
		"at+jwt":             {jwt(t, map[string]any{"alg": "RS256", "typ": "at+jwt"}, map[string]any{"iss": "https://clerk.example"}), "", provider.ErrPermission},
		"id_token":           {jwt(t, header, map[string]any{"id": databaseID, "nonce": "n"}), "", provider.ErrPermission},
		"rw for ro":          {clerkToken(t, "1"), provider.AccessReadOnly, provider.ErrPermission},
		"not a JWT":          {provider.Token{Value: provider.NewSecret("opaque")}, "", provider.ErrTokenInvalid},
		"a newline in it":    {provider.Token{Value: provider.NewSecret("a.b.c\n")}, "", provider.ErrTokenInvalid},
	} {
		s, seen := start(t)
		_, _, err := send(t, s, &source{tokens: []provider.Token{test.token}}, test.access)
		if !errors.Is(err, test.kind) || len(*seen) != 0 {
			t.Errorf("%s: %v, %d requests", name, err, len(*seen))
		}
	}
}

func TestTokenNeverGoesToAnotherHost(t *testing.T) {
	s, seen := start(t)
	address := &url.URL{Scheme: "https", Host: "app-acme.turso.io"}
	rt := transport.New(http.DefaultTransport, &source{tokens: []provider.Token{clerkToken(t, "1")}}, provider.Target{}, address, "")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := rt.RoundTrip(req)
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, provider.ErrPermission) || len(*seen) != 0 {
		t.Errorf("err = %v, %d requests", err, len(*seen))
	}
}

// A refusal whose body stops in the middle isn't waited for, and doesn't cause a renewal.
func TestRefusalThatStops(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusUnauthorized} {
		synctest.Test(t, func(t *testing.T) {
			src := &source{tokens: []provider.Token{clerkToken(t, "1")}}
			base := roundTripper(func(r *http.Request) (*http.Response, error) {
				resp := response(r, status, "")
				body, stops := io.Pipe()
				go io.WriteString(stops, `{"gen`)
				resp.Body = body
				return resp, nil
			})
			target := provider.Target{URL: "libsql://app.turso.io", DatabaseID: databaseID}
			tr := transport.New(base, src, target, &url.URL{Scheme: "https", Host: "app.turso.io"}, provider.AccessReadWrite)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, "GET", "https://app.turso.io/sync/1/1/129", nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tr.RoundTrip(req); !errors.Is(err, provider.ErrUnavailable) || !strings.Contains(err.Error(), "fell silent") || src.renewed > 0 {
				t.Errorf("%d: %v, %d renewals", status, err, src.renewed)
			}
		})
	}
}

// lateText is a body that comes whole, and only as the time for it ends.
type lateText struct{ io.Reader }

func (l lateText) Read(p []byte) (int, error) {
	time.Sleep(20 * time.Second)
	return l.Reader.Read(p)
}

func (lateText) Close() error { return nil }

// A refusal that was read whole stands, also if its time ended meanwhile.
func TestRefusalThatComesAsItsTimeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &source{tokens: []provider.Token{clerkToken(t, "1"), clerkToken(t, "2")}}
		refusals := 1
		base := roundTripper(func(r *http.Request) (*http.Response, error) {
			if refusals--; refusals < 0 {
				return response(r, http.StatusOK, ""), nil
			}
			resp := response(r, http.StatusUnauthorized, "")
			resp.Body = lateText{strings.NewReader("no")}
			return resp, nil
		})
		target := provider.Target{URL: "libsql://app.turso.io", DatabaseID: databaseID}
		tr := transport.New(base, src, target, &url.URL{Scheme: "https", Host: "app.turso.io"}, provider.AccessReadWrite)
		req, err := http.NewRequestWithContext(t.Context(), "GET", "https://app.turso.io/sync/1/1/129", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	})
}
