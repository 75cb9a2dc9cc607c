package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

const databaseID = "33057661-834e-4891-9b48-802d425d02b9"

var target = provider.Target{URL: "libsql://app-acme.turso.io", DatabaseID: databaseID}

// token makes a token as Turso does, with claims that override the usual ones; nil
// removes one.
func token(header string, change map[string]any) string {
	claims := map[string]any{"id": databaseID, "a": "rw", "rid": "r-1", "iat": time.Now().Unix(), "exp": time.Now().Add(90 * 24 * time.Hour).Unix()}
	maps.Copy(claims, change)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	payload, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode(payload) + "." + encode([]byte("planted-signature"))
}

const header = `{"alg":"EdDSA","typ":"JWT"}`

func configured(t *testing.T, value string) (*provide, []provider.Note) {
	t.Helper()
	p, settings := newProvider("1.2.3"), provider.Settings{}
	if value != "" {
		settings[keyToken] = provider.NewSecret(value)
	}
	notes, err := p.Configure(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	return p, notes
}

// person is a host with a person at the terminal, who types answer.
type person struct {
	provider.Host // unexpected calls panic
	answer        string
	stored        []provider.SignIn
}

func (h *person) AskSecret(context.Context, string) (provider.Secret, error) {
	if h.answer == "" {
		return provider.Secret{}, provider.ErrNoCredential
	}
	return provider.NewSecret(h.answer), nil
}

func (h *person) Store(_ context.Context, result provider.SignIn) error {
	h.stored = append(h.stored, result)
	return nil
}

func TestTokenIsHandedOutWhereItFits(t *testing.T) {
	value := token(header, nil)
	for name, test := range map[string]struct {
		settings, typed string
		kept            bool
	}{"from the environment": {value, "", false}, "typed": {"", " " + value + "\n", true}} {
		t.Run(name, func(t *testing.T) {
			p, _ := configured(t, test.settings)
			host := &person{answer: test.typed}
			if err := p.Login(t.Context(), provider.LoginRequest{Target: target}, host); err != nil {
				t.Fatal(err)
			}
			got := host.stored[0]
			if strings.Contains(got.Credential.Data.Reveal(), value) != test.kept || got.Token == nil || got.Token.Value.Reveal() != value {
				t.Errorf("%+v", got)
			}
			if got.Credential.Subject != "a token for "+databaseID+" (rw)" || got.Credential.Expires.IsZero() || !strings.Contains(got.Credential.Detail, "can't be renewed") {
				t.Errorf("%+v", got.Credential)
			}
			resp, err := p.Token(t.Context(), provider.TokenRequest{Credential: &got.Credential, Target: target})
			if err != nil || resp.Token.Value.Reveal() != value || resp.Token.Verification != nil || resp.Credential != nil {
				t.Errorf("Token = %+v, %v", resp, err)
			}
			if c, err := p.Refresh(t.Context(), got.Credential); err != nil || !c.Data.Equal(got.Credential.Data) {
				t.Errorf("Refresh = %+v, %v", c, err)
			}
			if err := p.Revoke(t.Context(), got.Credential); !errors.Is(err, errors.ErrUnsupported) {
				t.Error(err)
			}
		})
	}
	// If nothing is stored, the environment is enough.
	p, _ := configured(t, value)
	if resp, err := p.Token(t.Context(), provider.TokenRequest{Target: target}); err != nil || resp.Credential != nil {
		t.Errorf("Token = %+v, %v", resp, err)
	}
}

// The token is checked like any other: it has to be for this database, and grant no more
// than requested.
func TestTokenIsNeverWider(t *testing.T) {
	for name, test := range map[string]struct {
		claims map[string]any
		req    provider.TokenRequest
		want   string
	}{
		"another database":         {map[string]any{"id": "0e1f"}, provider.TokenRequest{Target: target}, "is for database 0e1f"},
		"rw where ro is requested": {nil, provider.TokenRequest{Target: target, Access: provider.AccessReadOnly}, "grants rw where ro"},
		"no permissions":           {nil, provider.TokenRequest{Target: target, Permissions: []provider.Permission{{Actions: []provider.Action{"data_read"}}}}, "more than the permissions"},
		"several databases":        {map[string]any{"p": map[string]any{"rw": map[string]any{"ns": []string{"a", "b"}}}}, provider.TokenRequest{Target: target}, "several databases"},
		"an id_token":              {map[string]any{"nonce": "n"}, provider.TokenRequest{Target: target}, "an id_token"},
	} {
		p, _ := configured(t, token(header, test.claims))
		_, err := p.Token(t.Context(), test.req)
		if !errors.Is(err, provider.ErrPermission) || !strings.Contains(err.Error(), test.want) || provider.Hint(err) == "" {
			t.Errorf("%s: Token = %v", name, err)
		}
		login := provider.LoginRequest{Target: target, Access: test.req.Access, Permissions: test.req.Permissions}
		if err := p.Login(t.Context(), login, &person{}); !errors.Is(err, provider.ErrPermission) {
			t.Errorf("%s, at the sign-in: %v", name, err)
		}
	}
	narrow, _ := configured(t, token(header, map[string]any{"a": "ro", "perm": []any{map[string]any{"t": []string{"notes"}, "a": []string{"data_read"}}}}))
	req := provider.TokenRequest{Target: target, Access: provider.AccessReadOnly, Permissions: []provider.Permission{{Actions: []provider.Action{"data_read"}}}}
	if _, err := narrow.Token(t.Context(), req); err != nil {
		t.Errorf("a narrower one: %v", err)
	}
}

func TestEnd(t *testing.T) {
	p, notes := configured(t, token(header, map[string]any{"exp": time.Now().Add(48 * time.Hour).Unix()}))
	if len(notes) != 1 || !strings.Contains(notes[0].Text, "ends on") {
		t.Errorf("two days before: %v", notes)
	}
	if _, notes := configured(t, token(header, map[string]any{"exp": nil})); len(notes) != 1 || !strings.Contains(notes[0].Text, "no end") {
		t.Errorf("without an end: %v", notes)
	}
	if _, notes := configured(t, token(header, nil)); len(notes) != 0 {
		t.Errorf("in time: %v", notes)
	}
	p.now = func() time.Time { return time.Now().Add(72 * time.Hour) }
	_, err := p.Token(t.Context(), provider.TokenRequest{Target: target})
	login := p.Login(t.Context(), provider.LoginRequest{}, &person{})
	for what, err := range map[string]error{"token": err, "login": login} {
		if !errors.Is(err, provider.ErrTokenExpired) || !strings.Contains(provider.Hint(err), "turso db tokens create") {
			t.Errorf("%s after the end: %v", what, err)
		}
	}
}

// Another token in the environment replaces the first one, and its expiry replaces the
// credential's.
func TestTokenOfTheEnvironmentIsReplaced(t *testing.T) {
	p, _ := configured(t, token(header, nil))
	host := &person{}
	if err := p.Login(t.Context(), provider.LoginRequest{}, host); err != nil {
		t.Fatal(err)
	}
	credential := host.stored[0].Credential
	next := token(header, map[string]any{"exp": time.Now().Add(180 * 24 * time.Hour).Unix()})
	p, _ = configured(t, next)
	resp, err := p.Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: target})
	if err != nil || resp.Token.Value.Reveal() != next || resp.Credential == nil || !resp.Credential.Expires.After(credential.Expires) {
		t.Errorf("Token = %+v, %v", resp, err)
	}
	p, _ = configured(t, "")
	if _, err := p.Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: target}); !errors.Is(err, provider.ErrNoCredential) || !strings.Contains(err.Error(), tokenVariable) {
		t.Errorf("unset: %v", err)
	}
}

func TestBadSettings(t *testing.T) {
	for name, test := range map[string]struct{ value, want string }{
		"a Clerk secret key":    {"sk_live_planted", "a Clerk secret key"},
		"a publishable key":     {"pk_test_planted", "a publishable key"},
		"an API key":            {"ak_planted+x/y=", "a Clerk API key"},
		"a machine's token":     {"mt_planted", "machine"},
		"a password":            {"planted", "is not a JWT"},
		"words":                 {"planted words", "a character that no token has"},
		"two lines":             {token(header, nil) + "\n" + token(header, nil), "a character that no token has"},
		"20 KB":                 {strings.Repeat("a", 20_000), "too long"},
		"two parts of a JWT":    {strings.Join(strings.Split(token(header, nil), ".")[:2], "."), "is not a JWT"},
		"alg none":              {token(`{"alg":"none"}`, nil), "not signed"},
		"a symmetric signature": {token(`{"alg":"HS256"}`, nil), "not signed"},
		"an API token":          {token(header, map[string]any{"id": nil, "a": nil, "rid": nil, "org": "planted"}), "names no database"},
		"a token for all":       {token(header, map[string]any{"id": nil}), "names no database"},
		"a group's token":       {token(header, map[string]any{"id": nil, "gid": "g-1"}), "is for a group"},
		"odd access":            {token(header, map[string]any{"a": "planted"}), "is not a JWT"},
		"odd permissions":       {token(header, map[string]any{"perm": "planted"}), "is not a JWT"},
	} {
		_, err := newProvider("").Configure(t.Context(), provider.Settings{keyToken: provider.NewSecret(test.value)})
		if !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), test.want) || provider.Hint(err) == "" {
			t.Errorf("%s: Configure = %v, want %q", name, err, test.want)
		}
		if err != nil && strings.Contains(err.Error()+provider.Hint(err), "planted") {
			t.Errorf("%s: the secret is in %v", name, err)
		}
		p, _ := configured(t, "")
		if typed := p.Login(t.Context(), provider.LoginRequest{}, &person{answer: test.value}); !errors.Is(typed, provider.ErrConfig) {
			t.Errorf("%s, typed: %v", name, typed)
		}
	}
	p, _ := configured(t, "")
	if err := p.Login(t.Context(), provider.LoginRequest{}, &person{}); !errors.Is(err, provider.ErrNoCredential) {
		t.Errorf("without a person to ask: %v", err)
	}
	if err := p.Login(t.Context(), provider.LoginRequest{Method: "browser"}, &person{}); !errors.Is(err, provider.ErrConfig) {
		t.Errorf("another method: %v", err)
	}
}

func TestCheck(t *testing.T) {
	for name, test := range map[string]struct {
		value string
		want  provider.Severity
	}{
		"valid for long": {token(header, nil), provider.SeverityOK}, "no token": {"", provider.SeveritySkipped},
		"no expiry":        {token(header, map[string]any{"exp": nil}), provider.SeverityWarn},
		"expires soon":     {token(header, map[string]any{"exp": time.Now().Add(time.Hour).Unix()}), provider.SeverityWarn},
		"expired":          {token(header, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}), provider.SeverityError},
		"another database": {token(header, map[string]any{"id": "0e1f"}), provider.SeverityError},
	} {
		p, _ := configured(t, test.value)
		_, err := p.Check(t.Context(), provider.CheckRequest{Purpose: provider.Purpose{Target: target}}, func(f provider.Finding) error {
			if f.Severity != test.want || f.ID != "token" || f.Text == "" {
				t.Errorf("%s: %+v", name, f)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(token(header, nil))
	f.Add(token(`{"alg":"none"}`, nil))
	f.Add("sk_live_x")
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := read(text, "it", time.Unix(1, 0))
		if err != nil {
			if provider.Kind(err) == nil || strings.ContainsAny(err.Error(), "\n\r\x1b") {
				t.Fatalf("read = %q", err)
			}
			return
		}
		if got.claims.Database == nil || got.value.IsZero() {
			t.Fatalf("read = %+v", got)
		}
	})
}
