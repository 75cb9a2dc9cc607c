package secretsturso

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// tokenType is the type of the secrets in leases. It is stored with them.
const tokenType = "turso_token"

// rotatedPrefix is the prefix of entries with the time at which a database's keys were
// rotated.
const rotatedPrefix = "rotated/"

// clockSkew is how long before its token a lease may end: a server ends leases in whole
// seconds, by its own clock.
const clockSkew = 5 * time.Second

// secretToken has no Renew: a lease ends with its token.
func (b *backend) secretToken() *framework.Secret {
	return &framework.Secret{
		Type: tokenType,
		Fields: map[string]*framework.FieldSchema{
			"token": {Type: framework.TypeString, Description: "The token."},
		},
		DefaultDuration: maxLifetime,
		Revoke:          b.revoke,
	}
}

// lease is what a lease stores about its token, but not the token.
type lease struct {
	role, revoke                       string
	organization, database, databaseID string
	issued, expires                    time.Time
}

func leaseOf(secret *logical.Secret) lease {
	text := func(key string) string {
		value, _ := secret.InternalData[key].(string)
		return value
	}
	at := func(key string) time.Time {
		switch value := secret.InternalData[key].(type) {
		case float64: // as it comes back from storage
			return time.Unix(int64(value), 0)
		case int64:
			return time.Unix(value, 0)
		}
		return time.Time{}
	}
	return lease{
		role: text("role"), revoke: text("revoke"), organization: text("organization"),
		database: text("database"), databaseID: text("database_id"), issued: at("issued"), expires: at("expires"),
	}
}

// revoke ends a lease, either at its expiry, when nothing is left to do, or earlier.
func (b *backend) revoke(ctx context.Context, req *logical.Request, _ *framework.FieldData) (*logical.Response, error) {
	l := leaseOf(req.Secret)
	if !b.now().Before(l.expires.Add(-clockSkew)) {
		return nil, nil
	}
	if l.revoke != revokeRotate {
		text := fmt.Sprintf("Turso can't revoke a single token: this one stays good until %s", l.expires.UTC().Format(time.RFC3339))
		b.Logger().Warn(text, "role", l.role, "database", l.database)
		resp := &logical.Response{}
		resp.AddWarning(text)
		return resp, nil
	}
	return nil, coded(b.rotateDatabase(ctx, req.Storage, l))
}

// rotateDatabase revokes all tokens of the lease's database, unless that was done since
// this one was issued: if many leases are revoked at once, once is enough.
func (b *backend) rotateDatabase(ctx context.Context, s logical.Storage, l lease) error {
	b.writing.Lock()
	defer b.writing.Unlock()
	entry, err := s.Get(ctx, rotatedPrefix+l.databaseID)
	if err != nil {
		return err
	}
	var rotated struct{ At int64 }
	if entry != nil {
		if err := entry.DecodeJSON(&rotated); err != nil {
			return err
		}
	}
	if l.issued.Unix() < rotated.At { // a token of the same second may be later
		return nil
	}
	conf, err := b.config(ctx, s)
	if err != nil {
		return err
	}
	if conf == nil {
		return errNotConfigured
	}
	c, err := b.client(conf)
	if err != nil {
		return err
	}
	rotated.At = b.now().Unix()
	if err := c.RotateDatabase(ctx, l.organization, l.database); notFound(err) {
		return nil // the database is gone, and its tokens with it
	} else if err != nil {
		return err
	}
	b.Logger().Info("all tokens of the database ended, as its role has it", "role", l.role, "database", l.database)
	if entry, err = logical.StorageEntryJSON(rotatedPrefix+l.databaseID, rotated); err != nil {
		return err
	}
	return s.Put(ctx, entry)
}
