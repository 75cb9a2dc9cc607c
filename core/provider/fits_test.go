package provider_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

func TestFits(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	good := func() provider.Claims {
		return provider.Claims{
			Issued: now, Expires: now.Add(time.Minute),
			Database: &provider.DatabaseClaims{DatabaseID: "id-app", Access: provider.AccessReadOnly},
		}
	}
	req := provider.TokenRequest{
		Target: provider.Target{URL: "libsql://app", DatabaseID: "id-app"}, Access: provider.AccessReadOnly, Lifetime: time.Minute,
	}
	for name, test := range map[string]struct {
		change func(*provider.Claims)
		want   string // empty if the claims fit
	}{
		"as requested":                        {func(*provider.Claims) {}, ""},
		"a second more":                       {func(c *provider.Claims) { c.Expires = c.Expires.Add(time.Second) }, ""},
		"no time of issue":                    {func(c *provider.Claims) { c.Issued = time.Time{} }, ""},
		"no database claims":                  {func(c *provider.Claims) { c.Database = nil }, "is not for the database"},
		"another database":                    {func(c *provider.Claims) { c.Database.DatabaseID = "id-other" }, "is not for the database"},
		"a group":                             {func(c *provider.Claims) { c.Database.GroupID = "g" }, "more than the database"},
		"namespaces":                          {func(c *provider.Claims) { c.Database.Namespaces = map[string][]string{} }, "more than the database"},
		"no expiry":                           {func(c *provider.Claims) { c.Expires = time.Time{} }, "does not expire"},
		"a longer lifetime":                   {func(c *provider.Claims) { c.Expires = c.Expires.Add(2 * time.Second) }, "lives longer"},
		"a longer lifetime, no time of issue": {func(c *provider.Claims) { c.Issued, c.Expires = time.Time{}, now.Add(time.Hour) }, "lives longer"},
		"more access":                         {func(c *provider.Claims) { c.Database.Access = provider.AccessReadWrite }, "grants rw"},
		"an ID token":                         {func(c *provider.Claims) { c.IDToken = true }, "id_token"},
	} {
		t.Run(name, func(t *testing.T) {
			claims := good()
			test.change(&claims)
			err := claims.Fits(req, now)
			if test.want == "" && err != nil || test.want != "" && (!errors.Is(err, provider.ErrPermission) || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	var unknown provider.TokenRequest
	if err := (provider.Claims{Database: &provider.DatabaseClaims{}}).Fits(unknown, now); !errors.Is(err, provider.ErrPermission) {
		t.Errorf("without a database ID: %v, want ErrPermission", err)
	}
}
