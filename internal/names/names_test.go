package names

import (
	"strings"
	"testing"
)

func TestOwnVariables(t *testing.T) {
	for variable, want := range map[string]bool{
		"MY_VAULT_TOKEN": true, "MY_VAULT_": true, "MY_VAULT": false, "MY_VAULTS_TOKEN": false,
		"MYVAULT_TOKEN": false, "AWS_SECRET_ACCESS_KEY": false, "my_vault_token": false, "": false,
	} {
		if got := IsOwnVariable("my-vault", variable); got != want {
			t.Errorf("IsOwnVariable(%s) = %v", variable, got)
		}
	}
}

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
