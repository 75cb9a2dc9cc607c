package host

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/text"
	pb "github.com/zen-auth/zen/internal/wire/zen/provider/v1"
)

func TestRedactPatterns(t *testing.T) {
	r := &redactor{}
	for in, want := range map[string]string{
		"nothing to hide: 200 OK":                                          "nothing to hide: 200 OK",
		"token expired: it ended an hour ago":                              "token expired: it ended an hour ago",
		"got " + plantedJWT + ", expired":                                  "got [redacted], expired",
		"cut " + plantedJWT[:30]:                                           "cut [redacted]",
		"Authorization: Bearer abc.def":                                    "Authorization: [redacted]",
		`{"authorization":"Basic dTpw"}`:                                   `{"authorization":"[redacted]"}`,
		"Set-Cookie: __client=abc; Path=/":                                 "Set-Cookie: [redacted]",
		"curl -H 'bearer hunter2x'":                                        "curl -H 'bearer [redacted]'",
		"key sk_live_0123456789abcdef was used":                            "key [redacted] was used",
		"pk_live_Y2xlcmsuZXhhbXBsZS5jb20k":                                 "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k",
		"api_key=abc&x=1":                                                  "api_key=[redacted]&x=1",
		`{"refresh_token":"abc","n":1}`:                                    `{"refresh_token":"[redacted]","n":1}`,
		`{\"client_secret\":\"abc\"}`:                                      `{\"client_secret\":\"[redacted]\"}`,
		"get https://u:p@h.example/a?b=c&d#e=f":                            "get https://[redacted]@h.example/a?b=[redacted]&d#e=[redacted]",
		"get https://h.example/a/b: 404":                                   "get https://h.example/a/b: 404",
		"https://dashboard.clerk.com/last-active?path=native-applications": "https://dashboard.clerk.com/last-active?path=native-applications",
		"https://h.example/?path=Zm9vYmFy&path=a/b&xpath=b":                "https://h.example/?path=[redacted]&path=a/b&xpath=[redacted]",
		"libsql://tok@db.turso.io":                                         "libsql://[redacted]@db.turso.io",
	} {
		if got := r.String(in); got != want {
			t.Errorf("%q\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestRedactKnownSecrets(t *testing.T) {
	r := &redactor{}
	long := strings.Repeat("0123456789", 20)
	for _, secret := range []string{
		`p"ss/w&rd ü`, "line one\nline two of it", long, "short", `{"a":{"b":["inner-secret-value"]},"c":"word"}`,
	} {
		r.add(secret)
	}
	for in, want := range map[string]string{
		`raw p"ss/w&rd ü`:                          "raw [redacted]",
		`json p\"ss/w\u0026rd ü`:                   "json [redacted]",
		"query p%22ss%2Fw%26rd+%C3%BC":             "query [redacted]",
		"a line two of it":                         "a [redacted]",
		"whole " + long + "!":                      "whole [redacted]!",
		"cut " + long[:50] + "...":                 "cut [redacted]...",
		"twice " + long[:40] + " " + long[:40]:     "twice [redacted] [redacted]",
		"short stays, it is a word":                "short stays, it is a word",
		"inner inner-secret-value, and the word c": "inner [redacted], and the word c",
	} {
		if got := r.String(in); got != want {
			t.Errorf("%q\n got %q\nwant %q", in, got, want)
		}
	}
}

// After a person has pasted half of a callback, the next question must still show the
// expected address; a complete callback is a secret.
func TestRedactPastedAddresses(t *testing.T) {
	const where = "http://127.0.0.1:40123/callback"
	const asked = "Paste the whole address, which starts with " + where + "?"
	for _, pasted := range []string{where, where + "?", where[:10], "127.0.0.1:40123", "localhost:40123/", where + "?state=0123456789abcdef0123456789abcdef", "127.0.0.1:40123/callback?state=0123456789abcdef"} {
		r := &redactor{}
		r.add(pasted)
		if got := r.String(asked); got != asked {
			t.Errorf("after %s: the question is %s", pasted, got)
		}
		if got := r.String("got " + pasted + "!"); strings.Contains(got, "0123456789abcdef") {
			t.Errorf("after %s: %s", pasted, got)
		}
	}
}

func TestRedactLearnsMarkedFields(t *testing.T) {
	r := &redactor{}
	r.addMarked(&pb.LoginResponse{Request: &pb.LoginResponse_Store{Store: &pb.SignIn{
		Credential: &pb.Credential{Data: []byte("the-credential"), Subject: "alice@example.com"},
		Token:      &pb.Token{Value: []byte("the-token")},
	}}})
	r.addMarked(&pb.InvitationsResponse{Invitations: []*pb.Invitation{{Url: []byte("https://example.com/ticket/abc")}}})
	r.addMarked(&pb.ConfigureRequest{Settings: map[string]string{"color": "blueish"}})
	got := r.String("the-credential the-token https://example.com/ticket/abc alice@example.com blueish")
	if want := "[redacted] [redacted] [redacted] alice@example.com blueish"; got != want {
		t.Errorf("redacted text = %q", got)
	}
}

// A provider's secrets must not slow the host down: the number of forms that are remembered
// and searched for in each line is limited.
func TestHostileSecretsAreBounded(t *testing.T) {
	const size = 64 << 10
	r := &redactor{}
	bounded := func(what string) {
		t.Helper()
		if len(r.secrets) > maxSecrets || len(r.known) > maxSecrets {
			t.Errorf("%s: %d forms and %d secrets are kept", what, len(r.secrets), len(r.known))
		}
		for _, form := range r.secrets {
			if len(form) > maxLine {
				t.Errorf("%s: a form has %d bytes", what, len(form))
			}
		}
	}
	for what, secret := range map[string]string{
		"one long word": strings.Repeat("x", 16*size),
		"JSON":          `["` + strings.Repeat(`aaaaaaaaaaaaaaaa","`, size) + `"]`,
		"lines":         strings.Repeat("line of a secret\n", size),
	} {
		before := len(r.secrets)
		r.add(secret)
		if added := len(r.secrets) - before; added < 1 || added > 4*maxForms {
			t.Errorf("%s: %d forms of one secret", what, added)
		}
		bounded(what)
	}
	for n := range 2 * maxSecrets {
		r.add(fmt.Sprint("password", n))
	}
	bounded("many")
	if got := r.String(fmt.Sprint("password", 2*maxSecrets-1)); got != redacted {
		t.Errorf("the newest secret is printed as %q", got)
	}
	for n := range 2 * maxSecrets {
		r.add(fmt.Sprint(n)) // too short to be replaced
	}
	bounded("short ones")
}

func FuzzRedact(f *testing.F) {
	f.Add("get https://u:p@h/?a=b#c=d eyJhbGciOiJub25lIn0.e30. Authorization: x")
	f.Add("://@?#&=\x00\xff")
	f.Fuzz(func(t *testing.T, s string) {
		r := &redactor{}
		r.add(planted)
		for _, text := range []string{s + planted, s + " " + plantedJWT + " " + s, s + "\nhttps://u:" + planted + "@h/"} {
			if got := r.String(text); strings.Contains(got, planted) || strings.Contains(got, plantedJWT) {
				t.Errorf("%q left %q", text, got)
			}
		}
	})
}

func FuzzGreeting(f *testing.F) {
	certificate := base64.RawStdEncoding.EncodeToString(make([]byte, 600))
	f.Add("1|1|unix|/tmp/s|grpc|" + certificate)
	f.Add("1|2|unix|/tmp/s|grpc|")
	f.Add("DEBUG token=" + plantedJWT)
	f.Add("|||||")
	f.Fuzz(func(t *testing.T, line string) {
		err := checkGreeting("p", line, (&redactor{}).String)
		if err == nil {
			if !strings.Contains(line, "|grpc|") {
				t.Errorf("%q was accepted", line)
			}
			return
		}
		if text := err.Error(); len(text) > 500 || strings.ContainsAny(text, "\n\x1b\x00") || provider.Kind(err) == nil {
			t.Errorf("greeting %q: bad error %q", line, text)
		}
	})
}

// A provider's log can't control the terminal or forge a line of zen's, neither by its text,
// nor by keys and values of its JSON, nor by its output.
func TestLogCannotControlTheTerminal(t *testing.T) {
	const draws = "\x1b]0;title\a\x1b[2J\u009b2J\u202e\x9b"
	entry, err := json.Marshal(map[string]any{
		"@level": "error", "@message": "m\nforged " + draws, "k\nforged " + draws: "v " + draws,
		"list": []any{"x\nforged " + draws}, "object": map[string]any{"y\nforged " + draws: draws},
	})
	if err != nil {
		t.Fatal(err)
	}
	out := &safeBuffer{}
	log := (&sink{redact: &redactor{}, level: hclog.Debug, out: out}).logger("p")
	written := &errorOutput{log: log}
	for _, line := range []string{string(entry), "raw " + draws, "panic: " + draws} {
		eachLine(strings.NewReader(line+"\n"), (&redactor{}).String, written.line)
	}
	if _, err := (&printed{log: log}).Write([]byte(draws + "\n")); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for _, line := range lines {
		if !text.IsPlain(line) || strings.HasPrefix(line, "forged") {
			t.Errorf("the line %q is not plain, or forged", line)
		}
	}
	if len(lines) != 4 || !strings.Contains(lines[0], `\u202e`) {
		t.Errorf("logged %q, want four lines", lines)
	}
}

func FuzzLogLine(f *testing.F) {
	f.Add(`{"@level":"info","@message":"m","k":1}`)
	f.Add(`{"@level":5,"@message":[],"@timestamp":{}}`)
	f.Add("panic: x")
	f.Add("null")
	f.Fuzz(func(t *testing.T, line string) {
		out := &safeBuffer{}
		log := (&sink{redact: &redactor{}, out: out}).logger("p")
		eachLine(strings.NewReader(line), (&redactor{}).String, (&errorOutput{log: log}).line)
		_, _ = (&printed{log: log}).Write([]byte(line + "\n"))
		if out.String() == "" {
			t.Errorf("%q is not logged", line)
		}
	})
}
