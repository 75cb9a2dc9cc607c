package session

import (
	"fmt"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// checkPlace refuses a token whose database isn't known to be at the target. It is
// known by the target's id, which the configuration or an answer of the Platform API
// gave beside the URL; by confirmed, the id that the provider found at the URL in such
// an answer; or because the profile's own URL is where its tokens are for.
func (s *Session) checkPlace(claims provider.Claims, confirmed string) error {
	if claims.Database == nil {
		return nil // refused before, wherever it would go
	}
	ids := claims.Database.Databases()
	id := s.Target.DatabaseID
	if id == "" {
		id = confirmed
	}
	switch {
	case !s.OwnTarget && id == "":
		return &provider.Error{
			Kind: provider.ErrConfig,
			Message: fmt.Sprintf("%s is not the database of profile %q, and nothing says that it is the one that the token is for (%s): the token stays here",
				s.Target.URL, s.Profile, idList(ids)),
			Hint: fmt.Sprintf("give the database a profile of its own, with database and database_id, in %s, and use --profile; or set ZEN_DATABASE and ZEN_DATABASE_ID", s.ConfigFile),
		}
	case !s.OwnTarget && !(len(ids) == 1 && ids[0] == id):
		return &provider.Error{
			Kind:    provider.ErrPermission,
			Message: fmt.Sprintf("the token is for database %s, and %s is database %s", idList(ids), s.Target.URL, id),
			Hint:    "use a provider that makes tokens for this database, or the profile whose database it is",
		}
	case !s.OwnTarget || s.Target.DatabaseID != "" || s.OtherURL == nil:
		return nil
	}
	for _, id := range ids {
		if url := s.OtherURL(id, s.Target.URL); url != "" {
			return &provider.Error{
				Kind:    provider.ErrPermission,
				Message: fmt.Sprintf("the token is for database %.130s, which your configuration has at %s, not at %s", id, url, s.Target.URL),
				Hint:    fmt.Sprintf("if both are its addresses, give profile %q this database_id, too", s.Profile),
			}
		}
	}
	return nil
}

func idList(ids []string) string {
	if len(ids) == 0 {
		return "no database by its id"
	}
	return fmt.Sprintf("%.130q", ids[0])
}

// ending is the token with the earlier of two ends: what its provider said, and its own
// exp.
func ending(token provider.Token, exp time.Time) provider.Token {
	if !exp.IsZero() && (token.Expires.IsZero() || exp.Before(token.Expires)) {
		token.Expires = exp
	}
	return token
}
