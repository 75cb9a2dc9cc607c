package main

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	core "github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack/clerk"
)

func (b *bench) purpose() provider.Purpose {
	claims := func(access string) string {
		return `{"id":"` + b.DatabaseID() + `","a":"` + access + `","perm":[],"rid":"r-1"}`
	}
	return provider.Purpose{Target: b.target(), Template: claims("rw"), ReadOnlyTemplate: claims("ro")}
}

func (b *bench) setTemplate(name, claims string, lifetime time.Duration) {
	b.t.Helper()
	if err := b.Clerk.SetTemplate(name, json.RawMessage(claims), lifetime); err != nil {
		b.t.Fatal(err)
	}
}

// template returns the finding on the template.
func (b *bench) template(p *clerkProvider, credential *provider.Credential) provider.Finding {
	b.t.Helper()
	return b.look(p, credential)["template"]
}

// look returns the findings of a check, by id, and stores a replaced credential.
func (b *bench) look(p *clerkProvider, credential *provider.Credential) map[string]provider.Finding {
	b.t.Helper()
	all := map[string]provider.Finding{}
	renewed, err := p.Check(b.t.Context(), provider.CheckRequest{Credential: credential, Purpose: b.purpose()}, func(f provider.Finding) error {
		all[f.ID] = f
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	if renewed != nil {
		*credential = *renewed
	}
	return all
}

func (b *bench) fix(p *clerkProvider, key string) (done string, err error) {
	_, err = p.Fix(b.t.Context(), provider.FixRequest{
		ID: fixTemplate, Purpose: b.purpose(), Answers: map[string]provider.Secret{keySecretKey: provider.NewSecret(key)},
	}, func(p provider.Progress) error { done += p.Text + "\n"; return nil })
	return done, err
}

// Each fault of a template is found, and repaired with a secret key from a prompt.
func TestTemplatesAreMended(t *testing.T) {
	b := newBench(t)
	p := b.provider(keyBackendURL, b.Clerk.BackendURL(), keyTemplate, "zen-rw", keyReadOnlyTemplate, "zen-ro")
	credential := b.ticket(p, alice)
	mend := func(name string, severity provider.Severity, words string) {
		t.Helper()
		got := b.template(p, &credential)
		if got.Severity != severity || !strings.Contains(got.Text, words) || got.Fix == nil || got.Fix.Questions[0].Env[0] != "CLERK_SECRET_KEY" {
			t.Fatalf("%s: template = %+v", name, got)
		}
		done, err := b.fix(p, b.Clerk.SecretKey())
		if err != nil || strings.Contains(done, "sk_") {
			t.Fatalf("%s: %v\n%s", name, err, done)
		}
		if got := b.template(p, &credential); got.Severity != provider.SeverityOK {
			t.Fatalf("%s, after the repair: %+v", name, got)
		}
	}
	mend("missing", provider.SeverityError, "no JWT template")
	b.setTemplate("zen-rw", `{"note":"ours"}`, time.Minute)
	mend("without claims", provider.SeverityError, "")
	whole := `{"id":"` + b.DatabaseID() + `","a":"rw","perm":[],"rid":"r-1"`
	b.setTemplate("zen-rw", whole+`,"aud":"x"}`, time.Minute)
	mend("with an aud", provider.SeverityWarn, "have an aud")
	b.setTemplate("zen-rw", whole+`}`, 48*time.Hour)
	mend("long-lived", provider.SeverityWarn, "live 48h")
	b.setTemplate("zen-rw", `{"id":"`+b.DatabaseID()+`","a":"rw","perm":[]}`, time.Minute)
	mend("without rid", provider.SeverityWarn, "lack the claim rid")
	b.setTemplate("zen-rw", whole+`,"p":{"rw":{"ns":["`+b.DatabaseID()+`"]}}}`, time.Minute)
	mend("with a claim too many", provider.SeverityWarn, "have a claim p")
	b.setTemplate("zen-rw", strings.Replace(whole, "[]", `"{{user.unsafe_metadata.perm}}"`, 1)+`}`, time.Minute)
	mend("with permissions that limit nothing", provider.SeverityWarn, "perm that is no list")
	b.changeTemplate("zen-rw", `{"allowed_clock_skew":0}`)
	mend("without skew", provider.SeverityWarn, "a clock that is behind")
	b.changeTemplate("zen-rw", `{"custom_signing_key":true,"signing_algorithm":"HS256","signing_key":"planted-signing-key-of-32-characters"}`)
	if got := b.template(p, &credential); !strings.Contains(got.Cause, "custom signing key") || strings.Contains(got.Text+got.Hint, "planted") {
		t.Errorf("template = %+v", got)
	}
	mend("signed by a key of its own", provider.SeverityError, "")
	b.setTemplate("zen-rw", `{"id":"another"}`, time.Minute)
	mend("of another database", provider.SeverityError, "")

	for _, access := range []provider.Access{provider.AccessReadOnly, provider.AccessReadWrite} {
		response, err := p.Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: b.target(), Access: access})
		if err != nil {
			t.Fatalf("%s: Token = %v", access, err)
		}
		if response.Credential != nil {
			credential = *response.Credential
		}
	}
	for name, key := range map[string]string{
		"none": "", "publishable": b.Clerk.PublishableKey(), "of production": "sk_live_planted", "wrong": "sk_test_planted", "API key": "ak_planted", "rubbish": "planted",
	} {
		_, err := b.fix(p, key)
		fails(t, name, err, provider.ErrConfig)
	}
	other := newBench(t)
	foreign := b.provider(keyBackendURL, other.Clerk.BackendURL())
	_, err := b.fix(foreign, other.Clerk.SecretKey())
	fails(t, "of another instance", err, provider.ErrConfig, "another instance")
	_, err = p.Fix(t.Context(), provider.FixRequest{ID: "magic"}, nil)
	fails(t, "no such fix", err, provider.ErrConfig, `"magic"`)
	_, err = p.Fix(t.Context(), provider.FixRequest{ID: fixTemplate}, nil)
	fails(t, "Turso not asked", err, provider.ErrConfig, "Turso was not asked")
}

// changeTemplate changes a template as the dashboard does.
func (b *bench) changeTemplate(name, body string) {
	b.t.Helper()
	p := b.provider()
	templates, err := core.NewBackend(b.Clerk.BackendURL(), provider.NewSecret(b.Clerk.SecretKey()), p.client, "test").Templates(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	at := slices.IndexFunc(templates, func(t core.Template) bool { return t.Name == name })
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPatch, b.Clerk.BackendURL()+"/jwt_templates/"+templates[at].ID, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+b.Clerk.SecretKey())
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		b.t.Fatalf("change the template: %s", res.Status)
	}
}

// Session tokens, which each browser of the app holds, must not open every database.
func TestSessionTokensAreLookedAt(t *testing.T) {
	b := newBench(t)
	p := b.provider()
	credential := b.ticket(p, alice)
	look := func() (found provider.Finding) {
		t.Helper()
		renewed, err := p.Check(t.Context(), provider.CheckRequest{Credential: &credential}, func(f provider.Finding) error {
			if f.ID == "session-token" {
				found = f
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if renewed != nil {
			credential = *renewed
		}
		return found
	}
	if got := look(); got.Severity != provider.SeverityOK {
		t.Errorf("restricted: %+v", got)
	}
	for _, claims := range []string{`{}`, `{"a":"ro"}`} {
		if err := b.Clerk.SetSessionClaims(json.RawMessage(claims)); err != nil {
			t.Fatal(err)
		}
		if got := look(); got.Severity != provider.SeverityWarn || !strings.Contains(got.Text, "every database of every group") || !strings.Contains(got.Hint, closedClaims) {
			t.Errorf("%s: look = %+v", claims, got)
		}
	}
	if err := b.Clerk.SetSessionClaims(json.RawMessage(closedClaims)); err != nil {
		t.Fatal(err)
	}
	if got := look(); got.Severity != provider.SeverityOK {
		t.Errorf("with the hint's claims: %+v", got)
	}
}

// The repair keeps each person's permissions from public metadata, and an organization's
// name if the template has it.
func TestPermissionsOfAPerson(t *testing.T) {
	b := newBench(t)
	reads := []any{map[string]any{"t": []any{"notes"}, "a": []any{"data_read"}}}
	writes := []any{map[string]any{"t": []any{"notes"}, "a": []any{"data_read", "data_add"}}}
	if _, err := b.Clerk.AddUser(clerk.User{
		Email: "carol@example.test", PublicMetadata: map[string]any{"turso_perm": reads}, UnsafeMetadata: map[string]any{"turso_perm": writes},
		Memberships: []clerk.Membership{{Organization: "acme", Role: "org:member"}},
	}); err != nil {
		t.Fatal(err)
	}
	p := b.provider(keyBackendURL, b.Clerk.BackendURL(), keyTemplate, "zen-rw")
	may := func(permissions, want string) {
		t.Helper()
		b.setTemplate("zen-rw", `{"id":"`+b.DatabaseID()+`","a":"rw","rid":"r-1","perm":"`+permissions+`","org":"{{org.slug}}"}`, time.Minute)
		if _, err := b.fix(p, b.Clerk.SecretKey()); err != nil {
			t.Fatal(err)
		}
		credential := b.ticket(p, "carol@example.test")
		response, err := p.Token(t.Context(), provider.TokenRequest{Credential: &credential, Target: b.target()})
		if err != nil {
			t.Fatal(err)
		}
		said := payload(response.Token.Value)
		if string(said["perm"]) != want || string(said["org"]) != `"acme"` {
			t.Errorf("%s: perm %s, org %s", permissions, said["perm"], said["org"])
		}
	}
	may("{{user.public_metadata.turso_perm}}", `[{"a":["data_read"],"t":["notes"]}]`)
	may("{{user.unsafe_metadata.turso_perm}}", `[]`)
	may("{{user.unsafe_metadata.turso_perm || user.public_metadata.turso_perm}}", `[]`)
}

func TestMergedKeepsWhatIsNotTursos(t *testing.T) {
	turso := map[string]any{"id": "db", "a": "rw", "perm": []any{}}
	got := merged(map[string]any{"note": "ours", "aud": "x", "gid": "g", "p": 1, "perm": "{{user.public_metadata.perm}}"}, turso)
	if len(got) != 4 || got["note"] != "ours" || got["id"] != "db" || got["perm"] != "{{user.public_metadata.perm}}" {
		t.Errorf("merged = %v", got)
	}
	got = merged(map[string]any{"perm": "{{user.unsafe_metadata.perm || user.public_metadata.perm}}"}, turso)
	if _, list := got["perm"].([]any); !list {
		t.Errorf("permissions from unsafe metadata were kept: %v", got)
	}
}

func TestCheckTemplateSkips(t *testing.T) {
	b := newBench(t)
	if got := b.template(b.provider(), nil); got.Severity != provider.SeveritySkipped {
		t.Errorf("without a sign-in: %+v", got)
	}
	p := b.oauth()
	got, _ := b.login(p, provider.LoginRequest{})
	if got := b.look(p, &got.Credential); got["template"].ID != "" || got["sign-in"].Severity != provider.SeverityOK {
		t.Errorf("by oauth: %+v", got)
	}
	b.with(clerk.FaultTemplateMissing)
	credential := b.ticket(b.provider(), alice)
	_, err := b.provider().Check(t.Context(), provider.CheckRequest{Credential: &credential, Purpose: provider.Purpose{Target: b.target()}}, func(f provider.Finding) error {
		if f.ID == "template" && (f.Severity != provider.SeverityError || f.Fix != nil || f.Hint == "") {
			t.Errorf("without Turso's claims: %+v", f)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestSetup(t *testing.T) {
	b := newBench(t)
	p := b.provider(keyReadOnlyTemplate, "turso-ro")
	got, err := p.Setup(t.Context(), provider.SetupRequest{Purpose: b.purpose()})
	if err != nil || got.Issuer.KeySetURL != b.Clerk.Issuer()+"/.well-known/jwks.json" || len(got.Files) != 2 {
		t.Fatalf("Setup = %+v, %v", got, err)
	}
	var text strings.Builder
	for _, s := range got.Steps {
		text.WriteString(s.Title + "\n" + s.Text + "\n")
	}
	for _, word := range []string{b.DatabaseID(), "clerk api /jwt_templates", "clerk api /oauth_applications", "http://127.0.0.1/callback", "user:org:read", "turso org jwks save clerk"} {
		if !strings.Contains(text.String(), word) {
			t.Errorf("%q is not in\n%s", word, text.String())
		}
	}
	for _, file := range got.Files {
		var template struct {
			Name   string
			Claims map[string]any
		}
		if err := json.Unmarshal([]byte(file.Text), &template); err != nil || template.Claims["id"] != b.DatabaseID() {
			t.Errorf("%s: %v\n%s", file.Path, err, file.Text)
		}
	}
	// The commands can be pasted into a shell.
	for line := range strings.Lines(text.String()) {
		if strings.HasPrefix(line, "    clerk api") {
			if out, err := exec.Command("sh", "-n", "-c", line).CombinedOutput(); err != nil {
				t.Errorf("%s: output %s", line, out)
			}
		}
	}
	bare, err := p.Setup(t.Context(), provider.SetupRequest{})
	if err != nil || len(bare.Files) != 0 || !strings.Contains(bare.Steps[1].Text, "turso org jwks template --database NAME --scope full-access") {
		t.Errorf("%v\n%+v", err, bare)
	}
	_, err = p.Setup(t.Context(), provider.SetupRequest{Topic: "x"})
	fails(t, "an unknown topic", err, provider.ErrConfig, "bridge-next, bridge-go")
	for _, topic := range bare.Topics {
		page, err := p.Setup(t.Context(), provider.SetupRequest{Topic: topic.Name})
		if err != nil || len(page.Files) == 0 || !strings.Contains(page.Steps[len(page.Steps)-1].Text, "zen config set providers.clerk.bridge_url") {
			t.Errorf("%s: %v\n%+v", topic.Name, err, page)
		}
	}
}
