package clerk

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// exampleScope returns the user of Clerk's documentation of JWT templates.
func exampleScope() map[string]any {
	return map[string]any{"user": map[string]any{
		"id": "user_abcdef123456789", "first_name": "Maria", "last_name": "Doe", "full_name": nil,
		"created_at":            json.Number("1227618844"),
		"email_verified":        false,
		"primary_email_address": "maria@example.com",
		"public_metadata": map[string]any{
			"profile": map[string]any{"interests": []any{"reading", "climbing"}}, "zero": json.Number("0"), "empty": "",
		},
		"unsafe_metadata": map[string]any{"foo": map[string]any{"bar": json.Number("42")}},
	}}
}

func TestRenderString(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want any
	}{
		{"plain", "plain"},
		{"", ""},
		{"{{user.id}}", "user_abcdef123456789"},
		{"{{ user.id }}", "user_abcdef123456789"},
		{"{{user.created_at}}", json.Number("1227618844")},
		{"{{user.email_verified}}", false},
		{"{{user.public_metadata.profile.interests}}", []any{"reading", "climbing"}},
		{"{{user.unsafe_metadata}}", map[string]any{"foo": map[string]any{"bar": json.Number("42")}}},
		{"{{user.i_dont_exist}}", nil},
		{"{{user.id.deeper}}", nil},
		{"{{org.id}}", nil},
		{"{{}}", nil},
		{"{{user.last_name}} {{user.first_name}} ", "Doe Maria "},
		{"{{user.full_name}} Doe", "null Doe"},
		{" {{user.created_at}}", " 1227618844"},
		{"{{user.first_name}}{{user.last_name}}", "MariaDoe"},
		{"x{{user.public_metadata.profile}}", `x{"interests":["reading","climbing"]}`},
		{"{{user.full_name || 'Awesome User'}}", "Awesome User"},
		{"{{user.full_name||user.first_name||'x'}}", "Maria"},
		{"{{user.email_verified || user.i_dont_exist}}", nil},
		{"{{user.i_dont_exist || user.email_verified}}", false},
		{"{{user.public_metadata.age || user.unsafe_metadata.age || 30 }}", json.Number("30")},
		{"{{user.public_metadata.zero || 1}}", json.Number("0")},
		{"{{user.public_metadata.empty || 'x'}}", ""},
		{"{{user.nope || -1.5}}", json.Number("-1.5")},
		{"{{user.nope || true}}", true},
		{"{{user.nope || 'a || b'}}", "a || b"},
		{"{{user.nope || ''}}", ""},
		{"Hi {{user.nope || 'you'}}!", "Hi you!"},
		{"{{user.id", "{{user.id"},
		{"{user.id}", "{user.id}"},
	} {
		if diff := cmp.Diff(tt.want, renderString(tt.in, exampleScope())); diff != "" {
			t.Errorf("%q: %s", tt.in, diff)
		}
	}
}

// FuzzTemplate checks that every template is refused or renders to claims that can be
// encoded as JSON, and that rendering does not change the template.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":"{{user.id}}"}`, `{"a":["{{user.x || 'y'}}",{"b":"z {{user.first_name}}"}]}`, `{"a":"{{' || }}"}`,
		`{"n":1e400,"m":-0,"big":9007199254740993}`, `{"a":"{{user..id}}{{||}}"}`, `{"sub":"x"}`, `[1]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, claims []byte) {
		parsed, err := parseTemplate(Template{Name: "t", Claims: claims}, time.Time{})
		if err != nil {
			return
		}
		before, err := json.Marshal(parsed.claims)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(parsed.render(exampleScope())); err != nil {
			t.Errorf("rendered claims: %v", err)
		}
		if after, _ := json.Marshal(parsed.claims); string(after) != string(before) {
			t.Errorf("the template changed from %s to %s", before, after)
		}
	})
}
