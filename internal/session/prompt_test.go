package session_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/session"
	"github.com/zen-auth/zen/internal/store"
)

// talkative signs in and uses every way for a provider to show or ask something.
type talkative struct{ *fake }

func (p talkative) Identity(context.Context, string) (provider.Identity, error) { return p, nil }
func (talkative) Notes() []provider.Note                                        { return []provider.Note{{Text: "note"}} }
func (p talkative) Login(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	_ = host.OpenURL(ctx, "https://issuer.example/page", "CODE")
	_ = host.ShowCode(ctx, "CODE", "https://issuer.example/device", time.Time{})
	_ = host.Progress(ctx, "progress")
	_, _ = host.Ask(ctx, "question")
	_, _ = host.AskSecret(ctx, "secret")
	return p.fake.Login(ctx, req, host)
}

// screen records what a person sees.
type screen struct{ lines []string }

func (s *screen) OpenURL(_ context.Context, from, url, _ string) error {
	s.lines = append(s.lines, from+": "+url)
	return nil
}
func (s *screen) ShowCode(_ context.Context, from, _, url string, _ time.Time) error {
	s.lines = append(s.lines, from+": "+url)
	return nil
}
func (s *screen) Progress(_ context.Context, text string) error {
	s.lines = append(s.lines, text)
	return nil
}
func (s *screen) Ask(_ context.Context, question string) (string, error) {
	s.lines = append(s.lines, question)
	return "", nil
}
func (s *screen) AskSecret(_ context.Context, question string) (provider.Secret, error) {
	s.lines = append(s.lines, question)
	return provider.Secret{}, nil
}

// Nothing that a provider shows can be mistaken for zen's own text.
func TestWhatAProviderShowsCarriesItsName(t *testing.T) {
	seen := &screen{}
	s, _ := newSession(t, func(c *session.Config) {
		c.Providers = talkative{c.Providers.(*fake)}
		c.Notify = func(line string) { seen.lines = append(seen.lines, line) }
	})
	if _, err := s.Login(t.Context(), "acme", provider.LoginRequest{}, seen, store.Plan{}); err != nil {
		t.Fatal(err)
	}
	if len(seen.lines) != 6 {
		t.Errorf("a person sees %q", seen.lines)
	}
	for _, line := range seen.lines {
		if !strings.HasPrefix(line, "acme: ") {
			t.Errorf("%q doesn't begin with the provider's name", line)
		}
	}
}
