package main

import (
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/provider"
)

func FuzzDecodeCredential(f *testing.F) {
	p := newProvider("")
	key := encodeKey("pk_test_", "clerk.example.com$")
	if _, err := p.Configure(f.Context(), provider.Settings{keyPublishableKey: provider.NewSecret(key)}); err != nil {
		f.Fatal(err)
	}
	good := p.sessionCredential(stored{session: &clerk.Session{ID: testSession, Client: provider.NewSecret("a.b.c")}}, "", p.now())
	f.Add(good.Data.Reveal())
	f.Add(`{"v":1,"session":"sess_/../x"}`)
	f.Add(stored{grant: &grant{refresh: provider.NewSecret("r")}}.encode(p.settings).Reveal())
	f.Fuzz(func(t *testing.T, data string) {
		held, err := p.decodeCredential(provider.Credential{Data: provider.NewSecret(data)})
		if err != nil {
			return
		}
		if held.session == nil && held.token.IsZero() && held.grant == nil || held.session != nil && strings.ContainsAny(held.session.ID, "/?#.% ") {
			t.Fatalf("decodeCredential = %+v", held)
		}
	})
}
