package session_test

import (
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/internal/session"
)

// A given token can't be renewed: the user is told of its end days before, once per process.
func TestEndOfAGivenTokenIsAnnounced(t *testing.T) {
	var told []string
	notify := func(c *session.Config) { c.Notify = func(text string) { told = append(told, text) } }
	for name, test := range map[string]struct {
		life, after time.Duration
		signIn      time.Duration // after the start; 0 if it doesn't end
		want        string
	}{
		"months":                                 {life: 90 * 24 * time.Hour, after: time.Hour, signIn: 90 * 24 * time.Hour},
		"days":                                   {life: 90 * 24 * time.Hour, after: 86 * 24 * time.Hour, signIn: 90 * 24 * time.Hour, want: "ends in 4 days"},
		"the last day":                           {life: 90 * 24 * time.Hour, after: 90*24*time.Hour - time.Hour, signIn: 90 * 24 * time.Hour, want: "less than a day"},
		"the sign-in outlives":                   {life: 30 * 24 * time.Hour, after: 29 * 24 * time.Hour, signIn: 60 * 24 * time.Hour},
		"no end of the sign-in":                  {life: 30 * 24 * time.Hour, after: 29 * 24 * time.Hour},
		"short life, sign-in of the same length": {life: time.Hour, after: 10 * time.Minute, signIn: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			told = nil
			s, f := newSession(t, notify)
			f.life = test.life
			if test.signIn > 0 {
				f.signInEnds = f.now.Add(test.signIn)
			}
			login(t, s, f, "statictoken")
			f.now = f.now.Add(test.after)
			for range 2 {
				fresh := session.New(s.Config())
				for range 2 {
					if _, err := fresh.TokenFor(t.Context(), 0); err != nil {
						t.Fatal(err)
					}
				}
			}
			if test.want == "" && len(told) != 0 || test.want != "" && (len(told) != 2 || !strings.Contains(told[0], test.want)) {
				t.Errorf("notices %q, want %q once per process", told, test.want)
			}
		})
	}
}
