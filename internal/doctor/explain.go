package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/text"
)

// Explanation says what a token is, and what each of its recipients would do with it.
type Explanation struct {
	// Says states what the token allows, in one sentence.
	Says string
	// Signed says whose key signed it.
	Signed string
	// Valid says until when the token is good. Ended is true if it has expired.
	Valid string
	Ended bool
	// Zen, Turso and Sqld are what each would do with it.
	Zen, Turso, Sqld string
}

// Explain describes a token by its claims, without verifying it: the result is shown to
// the token's holder, and no decision depends on it.
func Explain(c provider.Claims, target provider.Target, now time.Time) Explanation {
	e := Explanation{Says: says(c), Signed: "signed by a key of " + c.Issuer, Zen: "sends it to the database that it names", Turso: "accepts it, if the issuer's key set is registered", Sqld: "accepts it, if it has the key"}
	if c.Issuer == "" {
		e.Signed, e.Turso = "signed by Turso", "accepts it"
	}
	if c.KeyID != "" {
		e.Signed += " (kid " + c.KeyID + ")"
	}
	e.Signed += ", by " + c.Algorithm
	switch {
	case c.Expires.IsZero():
		e.Valid = "never expires"
	case !now.Before(c.Expires):
		e.Valid = fmt.Sprintf("expired at %s, %s ago", c.Expires.UTC().Format(time.RFC3339), now.Sub(c.Expires).Round(time.Second))
		e.Ended = true
	default:
		e.Valid = fmt.Sprintf("valid until %s, for %s", c.Expires.UTC().Format(time.RFC3339), c.Expires.Sub(now).Round(time.Second))
	}
	if err := c.Authorizes(target, "", nil); err != nil {
		e.Zen = "never sends it: " + err.Error()
	}
	d := c.Database
	switch {
	case e.Ended:
		e.Zen, e.Turso, e.Sqld = "gets another one", "answers 400, JWT error: ExpiredSignature", "answers 401, The JWT has expired"
	case d == nil || d.DatabaseID == "" && d.GroupID == "" && len(d.Namespaces) == 0:
		e.Turso = "treats it as access to every database of every group, if the issuer's key set is registered"
		e.Sqld = "treats it as access to everything, if it has the key"
	case target.DatabaseID != "" && !namesDatabase(d, target.DatabaseID):
		e.Turso = "answers 401 for the profile's database: the token does not have the permissions to access it"
	}
	if len(c.Audience) > 0 && !e.Ended {
		e.Sqld = "refuses it, because it has an audience"
	}
	if c.Algorithm != "EdDSA" && !e.Ended {
		e.Sqld = "refuses it unless it was started with the key: by default it only accepts EdDSA"
	}
	return e
}

func namesDatabase(d *provider.DatabaseClaims, id string) bool {
	if d.DatabaseID == id || d.GroupID != "" {
		return true
	}
	for _, list := range d.Namespaces {
		if slices.Contains(list, id) {
			return true
		}
	}
	return false
}

// says states what the database claims allow.
func says(c provider.Claims) string {
	d := c.Database
	switch {
	case c.IDToken:
		return "says who signed in, but gives no access to a database: it is an ID token"
	case strings.HasPrefix(c.Subject, "mch_"):
		return "is a machine's token, and gives no access to a database"
	case d == nil || d.DatabaseID == "" && d.GroupID == "" && len(d.Namespaces) == 0:
		return "names no database"
	}
	does := "reads and writes"
	if d.Access == provider.AccessReadOnly {
		does = "reads"
	}
	what := "the database " + d.DatabaseID
	switch {
	case len(d.Namespaces) > 0:
		var all []string
		for _, list := range d.Namespaces {
			all = append(all, list...)
		}
		slices.Sort(all)
		what = "the databases " + strings.Join(slices.Compact(all), ", ")
	case d.GroupID != "":
		what = "every database of the group " + d.GroupID
	}
	means := does + " " + what
	if len(d.Permissions) > 0 {
		var limits []string
		for _, p := range d.Permissions {
			tables := "all tables"
			if p.Tables != nil {
				tables = strings.Join(p.Tables, ", ")
			}
			limits = append(limits, tables+": "+strings.Join(text.Strings(p.Actions), ", "))
		}
		means += ", limited to " + strings.Join(limits, "; ")
	}
	if c.Subject != "" {
		means += ", for " + c.Subject
	}
	return means
}
