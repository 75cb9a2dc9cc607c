package cache

import (
	"encoding/json"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

// Keys are stored in credentials files, so they must stay exactly encoding/json's.
func TestEncodeKey(t *testing.T) {
	odd := "a\"b\\c\n<&>\x7f\xff é \u2028"
	for _, permissions := range [][]provider.Permission{nil, {}, {{Tables: []string{odd}, Actions: []provider.Action{"data_read"}}, {}}} {
		for _, texts := range [][]string{{"rw", "1f", "2e"}, {"", "", "", "organization", "org_1"}, {odd, odd, odd, "confirmed"}} {
			for _, target := range []provider.Target{{}, {URL: "libsql://app-acme.turso.io", DatabaseID: "33057661"}, {URL: odd, DatabaseID: odd}} {
				parts := []any{target, texts[0], permissions}
				for _, text := range texts[1:] {
					parts = append(parts, text)
				}
				want, err := json.Marshal(parts)
				if err != nil {
					t.Fatal(err)
				}
				if got := encodeKey(target, permissions, texts); string(got) != string(want) {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			}
		}
	}
}
