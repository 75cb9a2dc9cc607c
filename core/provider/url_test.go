package provider

import "testing"

func TestShownURL(t *testing.T) {
	for url, want := range map[string]string{
		"https://user:s3cret@issuer.example/a?key=s3cret#s3cret": "https://issuer.example/a",
		"https://us:er@s3c@ret@issuer.example":                   "https://issuer.example",
		"https://issuer.example/realms/staff":                    "https://issuer.example/realms/staff",
		"issuer.example":                                         "issuer.example",
		"":                                                       "",
	} {
		if got := ShownURL(url); got != want {
			t.Errorf("ShownURL(%q) = %q, want %q", url, got, want)
		}
	}
}
