package provider

import "time"

// Fits reports whether a token with these claims is what req asked its issuer for:
// for the one database with the id in req.Target, ending no later than req.Lifetime
// after it was issued, and allowing no more than req's access and permissions. It
// is for the caller that had the token made: an API that doesn't know fine-grained
// permissions, say, would ignore them.
//
// now stands for the time of issue where the token has none. A second is allowed
// for, as times in a JWT are whole seconds. The errors are ErrPermission.
func (c Claims) Fits(req TokenRequest, now time.Time) error {
	d := c.Database
	switch {
	case d == nil || d.DatabaseID == "" || d.DatabaseID != req.Target.DatabaseID:
		return tooWide("is not for the database that was asked for")
	case d.GroupID != "" || d.Namespaces != nil:
		return tooWide("is for more than the database that was asked for")
	case c.Expires.IsZero():
		return tooWide("does not expire")
	case c.Life(now) > req.Lifetime+time.Second:
		return tooWide("lives longer than was asked for")
	}
	return c.Authorizes(req.Target, req.Access, req.Permissions)
}

// Life returns the token's life. It counts from the token's own iat if there is one,
// as this machine's clock may be wrong, else from now.
func (c Claims) Life(now time.Time) time.Duration {
	if !c.Issued.IsZero() {
		now = c.Issued
	}
	return c.Expires.Sub(now)
}

func tooWide(reason string) error {
	return &Error{Kind: ErrPermission, Message: "the token " + reason}
}
