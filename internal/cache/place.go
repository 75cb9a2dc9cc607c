package cache

import (
	"cmp"
	"fmt"

	"github.com/zen-auth/zen/core/provider"
)

// CheckPlace refuses a token whose database isn't known to be at the target. It is
// known by the target's id, which the configuration or an answer of the Platform API
// gave beside the URL; by confirmed, the id that the provider found at the URL in such
// an answer; or because the profile's own URL is where its tokens are for.
func (p *Profile) CheckPlace(claims provider.Claims, confirmed string) error {
	if claims.Database == nil {
		return nil // refused before, wherever it would go
	}
	ids := claims.Database.Databases()
	id := cmp.Or(p.Target.DatabaseID, confirmed)
	switch {
	case !p.OwnTarget && id == "":
		return &provider.Error{
			Kind: provider.ErrConfig,
			Message: fmt.Sprintf("%s is not the database of profile %q, and nothing says that it is the one that the token is for (%s): the token stays here",
				p.Target.URL, p.Name, idText(ids)),
			Hint: fmt.Sprintf("give the database a profile of its own, with database and database_id, in %s, and use --profile; or set ZEN_DATABASE and ZEN_DATABASE_ID", p.ConfigFile),
		}
	case !p.OwnTarget && !(len(ids) == 1 && ids[0] == id):
		return &provider.Error{
			Kind:    provider.ErrPermission,
			Message: fmt.Sprintf("the token is for database %s, and %s is database %s", idText(ids), p.Target.URL, id),
			Hint:    "use a provider that makes tokens for this database, or the profile whose database it is",
		}
	case !p.OwnTarget || p.Target.DatabaseID != "" || p.OtherURL == nil:
		return nil
	}
	for _, id := range ids {
		if url := p.OtherURL(id, p.Target.URL); url != "" {
			return &provider.Error{
				Kind:    provider.ErrPermission,
				Message: fmt.Sprintf("the token is for database %.130s, which your configuration has at %s, not at %s", id, url, p.Target.URL),
				Hint:    fmt.Sprintf("if both are its addresses, give profile %q this database_id, too", p.Name),
			}
		}
	}
	return nil
}

// CheckStoredPlace is CheckPlace for a token of the store. Where the target's id isn't
// known, the token was confirmed before it was stored under this key.
func (p *Profile) CheckStoredPlace(claims provider.Claims) error {
	confirmed := ""
	if claims.Database != nil {
		confirmed = claims.Database.DatabaseID
	}
	return p.CheckPlace(claims, confirmed)
}

func idText(ids []string) string {
	if len(ids) == 0 {
		return "no database by its id"
	}
	return fmt.Sprintf("%.130q", ids[0])
}
