package names

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	for name, want := range map[string]struct{ profile, provider, setting bool }{
		"a":                     {true, true, true},
		"clerk":                 {true, true, true},
		"my-provider2":          {true, true, false},
		"2fa":                   {true, true, false},
		"a_b":                   {true, false, true},
		"a--b":                  {true, false, false},
		"a-":                    {true, false, false},
		"a_":                    {true, false, true},
		"-a":                    {},
		"_a":                    {},
		"A":                     {},
		"a.b":                   {},
		"a/b":                   {},
		"..":                    {},
		"a\x00":                 {},
		"ü":                     {},
		"":                      {},
		strings.Repeat("a", 33): {true, false, true},
		strings.Repeat("a", 64): {},
	} {
		if got := (struct{ profile, provider, setting bool }{IsProfile(name), IsProvider(name), IsSetting(name)}); got != want {
			t.Errorf("%q: %+v, want %+v", name, got, want)
		}
	}
}
