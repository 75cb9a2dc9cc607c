// Package stored reads what a plugin keeps in OpenBao's storage: one configuration, and a
// role for each name.
package stored

import (
	"context"

	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
)

// Read reads the value of a key; nil means none.
func Read[T any](ctx context.Context, s logical.Storage, key string) (*T, error) {
	entry, err := s.Get(ctx, key)
	if err != nil || entry == nil {
		return nil, err
	}
	value := new(T)
	return value, entry.DecodeJSON(value)
}

// Exists returns the existence check of the path whose field name is the rest of a key.
func Exists(prefix string) framework.ExistenceFunc {
	return func(ctx context.Context, req *logical.Request, d *framework.FieldData) (bool, error) {
		entry, err := req.Storage.Get(ctx, prefix+d.Get("name").(string))
		return entry != nil, err
	}
}

// List returns the operation that lists the names below a prefix.
func List(prefix string) framework.OperationFunc {
	return func(ctx context.Context, req *logical.Request, _ *framework.FieldData) (*logical.Response, error) {
		names, err := req.Storage.List(ctx, prefix)
		if err != nil {
			return nil, err
		}
		return logical.ListResponse(names), nil
	}
}
