package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// TokenSource makes tokens for databases.
type TokenSource interface {
	// Token returns a token for req.Target with at most what req asks for. Where
	// the call replaced the credential, the response carries the new one, also
	// beside an error.
	Token(ctx context.Context, req TokenRequest) (TokenResponse, error)
}

// TokenRequest asks for a token.
type TokenRequest struct {
	// Credential is the stored credential of this provider; nil if it has none.
	Credential *Credential
	// Claims are the verified claims of the identity, where another provider
	// signed in.
	Claims *Claims
	// Assertion is the identity provider's statement for this one, where this one's
	// description needs it.
	Assertion   *Assertion
	Target      Target
	Access      Access
	Permissions []Permission
	// Lifetime is the wanted life of the token. Zero leaves it to the provider.
	Lifetime time.Duration
}

// TokenResponse is the answer to a TokenRequest.
type TokenResponse struct {
	Token Token
	// Credential replaces the one of the request, if not nil.
	Credential *Credential
	// DatabaseID is the id of the database at the request's URL, where the provider has
	// it from an authenticated answer of the platform that runs the database; "" if
	// it doesn't know. It is never guessed from the host's name. For a URL that the
	// profile doesn't name, zen uses a token only if it is for this id.
	DatabaseID string
}

// Token is a token for a database.
type Token struct {
	Value  Secret
	Issued time.Time
	// Expires is zero for a token without an end.
	Expires time.Time
	// Verification says how the signature can be checked; nil if the issuer
	// publishes no keys (Turso, for the tokens it mints).
	Verification *Verification
}

// Verification says how a token's signature can be checked without its provider. The
// names in JSON are those of the credentials file, and don't change.
type Verification struct {
	// Issuer is the exact iss claim.
	Issuer string `json:"Issuer"`
	// KeySetURL is the URL of the issuer's JWK Set (RFC 7517).
	KeySetURL string `json:"KeySetURL"`
	// Algorithms are the accepted JWS algorithms (RFC 7518), never "none" and
	// never a symmetric one.
	Algorithms []string `json:"Algorithms"`
}

// Target is one database.
type Target struct {
	// URL is libsql://, https:// or, on loopback, http://, without userinfo,
	// query or trailing slash.
	URL string
	// DatabaseID is Turso's id of the database, where it is known.
	DatabaseID string
}

// Access limits what a token may do.
type Access string

// The two kinds of access. The zero value means AccessReadWrite.
const (
	AccessReadWrite Access = "rw"
	AccessReadOnly  Access = "ro"
)

// ParseAccess accepts ro, rw and Turso's read-only and full-access.
func ParseAccess(s string) (Access, error) {
	switch s {
	case "", "rw", "full-access":
		return AccessReadWrite, nil
	case "ro", "read-only":
		return AccessReadOnly, nil
	}
	return "", &Error{Kind: ErrConfig, Message: fmt.Sprintf("access %q is not ro or rw", s)}
}

// Action is something that a permission allows, in Turso's words.
type Action string

// Actions lists the actions that Turso knows.
func Actions() []Action {
	return []Action{
		"data_read", "data_add", "data_update", "data_delete",
		"schema_add", "schema_update", "schema_delete",
	}
}

// Permission allows actions on tables. The names in JSON are those of the credentials
// file, and don't change.
type Permission struct {
	// Tables are the tables it is about; nil means all of them.
	Tables  []string `json:"Tables"`
	Actions []Action `json:"Actions"`
}

// ParsePermission reads the form TABLE:ACTION[,ACTION…], where the table "all"
// means every table. It is the form of turso db tokens create --permissions.
func ParsePermission(s string) (Permission, error) {
	table, list, ok := strings.Cut(s, ":")
	if !ok || table == "" || list == "" {
		return Permission{}, &Error{
			Kind:    ErrConfig,
			Message: fmt.Sprintf("permission %q is not TABLE:ACTION[,ACTION...]", s),
			Hint:    "for example all:data_read or comments:data_read,data_add",
		}
	}
	var p Permission
	if table != "all" {
		p.Tables = []string{table}
	}
	known := Actions()
	for name := range strings.SplitSeq(list, ",") {
		action := Action(strings.TrimSpace(name))
		if !slices.Contains(known, action) {
			return Permission{}, &Error{
				Kind:    ErrConfig,
				Message: fmt.Sprintf("permission %q: unknown action %q", s, action),
				Hint:    "actions are " + joinActions(known),
			}
		}
		p.Actions = append(p.Actions, action)
	}
	return p, nil
}

func joinActions(actions []Action) string {
	names := make([]string, len(actions))
	for i, a := range actions {
		names[i] = string(a)
	}
	return strings.Join(names, ", ")
}

// ValidateValue refuses a token that could not be put on a request: empty, over
// 16 KiB, or with a byte outside RFC 6750's b64token. A control character in a
// token aborts go-libsql's whole process.
func (t Token) ValidateValue() error {
	value := t.Value.Reveal()
	switch {
	case value == "":
		return fmt.Errorf("%w: it is empty", ErrTokenInvalid)
	case len(value) > 16<<10:
		return fmt.Errorf("%w: it has %d bytes, more than 16 KiB", ErrTokenInvalid, len(value))
	}
	for i := range len(value) {
		c := value[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~+/=", c) >= 0 {
			continue
		}
		return fmt.Errorf("%w: byte %d is not of a bearer token", ErrTokenInvalid, i)
	}
	return nil
}
