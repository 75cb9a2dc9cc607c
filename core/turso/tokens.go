package turso

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Authorization is the first, coarse limit of a token.
type Authorization string

// The authorizations. The API takes a missing one as FullAccess; this package asks
// for one.
const (
	FullAccess Authorization = "full-access"
	ReadOnly   Authorization = "read-only"
)

// Permission is the fine-grained limit of a token: what it may do to some tables.
type Permission struct {
	// Tables is null for all of them.
	Tables []string `json:"t"`
	// Actions are data_read, data_add, data_update, data_delete, schema_add,
	// schema_update and schema_delete.
	Actions []string `json:"a"`
}

// TokenOptions say what a token may do and how long.
type TokenOptions struct {
	// Expiration is the life of the token in whole seconds, at least one; Never
	// asks for one without end. One of the two has to be set: the API's own
	// default is never.
	Expiration    time.Duration
	Never         bool
	Authorization Authorization
	// Permissions narrow the token; none leave it as Authorization says.
	Permissions []Permission
	// ReadAttach names databases that may be attached for reading.
	ReadAttach []string
}

// CreateDatabaseToken mints a token for one database and returns the JWT, which is
// a secret.
func (c *Client) CreateDatabaseToken(ctx context.Context, org, database string, o TokenOptions) (string, error) {
	const op = "create a database token"
	path, err := databasePath(op, org, database)
	if err != nil {
		return "", err
	}
	return c.createToken(ctx, op, path, o)
}

// createToken mints a token for the database or group at path.
func (c *Client) createToken(ctx context.Context, op, path string, o TokenOptions) (string, error) {
	expiration, err := o.expiration()
	if err != nil {
		return "", &Error{Op: op, Err: ErrBadArgument, Message: err.Error()}
	}
	if o.Authorization != FullAccess && o.Authorization != ReadOnly {
		return "", &Error{Op: op, Err: ErrBadArgument, Message: fmt.Sprintf("authorization %q is not %s or %s", o.Authorization, FullAccess, ReadOnly)}
	}
	query := url.Values{"expiration": {expiration}, "authorization": {string(o.Authorization)}}
	var answer struct{ JWT string }
	err = c.do(ctx, call{op: op, method: http.MethodPost, path: path + "/auth/tokens?" + query.Encode(), body: o.body()}, &answer)
	if err == nil && answer.JWT == "" {
		err = incomplete(op, "jwt")
	}
	return answer.JWT, err
}

type tokenBody struct {
	Permissions            *tokenClaim  `json:"permissions,omitempty"`
	FineGrainedPermissions []Permission `json:"fine_grained_permissions,omitempty"`
}

type tokenClaim struct {
	ReadAttach struct {
		Databases []string `json:"databases"`
	} `json:"read_attach"`
}

func (o TokenOptions) body() tokenBody {
	body := tokenBody{FineGrainedPermissions: o.Permissions}
	if len(o.ReadAttach) > 0 {
		body.Permissions = &tokenClaim{}
		body.Permissions.ReadAttach.Databases = o.ReadAttach
	}
	return body
}

// expiration writes the API's form: never, or 7d3h2m1s.
func (o TokenOptions) expiration() (string, error) {
	switch {
	case o.Never && o.Expiration != 0:
		return "", fmt.Errorf("an expiration and never exclude each other")
	case o.Never:
		return "never", nil
	case o.Expiration < time.Second:
		return "", fmt.Errorf("an expiration of %v is below a second", o.Expiration)
	}
	var b strings.Builder
	rest := o.Expiration
	for _, unit := range []struct {
		size   time.Duration
		letter byte
	}{{24 * time.Hour, 'd'}, {time.Hour, 'h'}, {time.Minute, 'm'}, {time.Second, 's'}} {
		if n := rest / unit.size; n > 0 {
			fmt.Fprintf(&b, "%d%c", n, unit.letter)
			rest -= n * unit.size
		}
	}
	return b.String(), nil
}

// RotateDatabase invalidates every token of a database: those that Turso minted and,
// as it seems, those of a JWKS template with the old rid.
func (c *Client) RotateDatabase(ctx context.Context, org, database string) error {
	const op = "rotate the database's keys"
	path, err := databasePath(op, org, database)
	if err != nil {
		return err
	}
	return c.do(ctx, call{op: op, method: http.MethodPost, path: path + "/auth/rotate"}, nil)
}
