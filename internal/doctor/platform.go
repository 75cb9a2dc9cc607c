package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
	"github.com/zen-auth/zen/internal/text"
)

// FindDatabase finds a target's database among those of an organization, by its id or
// its URL. If there is none, the error is of class ErrConfig.
func FindDatabase(ctx context.Context, api *turso.Client, organization string, target provider.Target) (turso.Database, error) {
	for d, err := range api.Databases(ctx, organization, turso.DatabaseFilter{}) {
		if err != nil {
			return turso.Database{}, APIError(err)
		}
		if d.ID != "" && d.ID == target.DatabaseID || turso.Serves(d.Hostname, target.URL) {
			return d, nil
		}
	}
	return turso.Database{}, &provider.Error{
		Kind: provider.ErrConfig, Message: "the organization has no database with the profile's URL or id", Hint: "zen db list shows its databases; check whether the database belongs to another organization",
	}
}

// Template returns the claims that Turso requires in tokens for a database, with exactly
// the given access and permissions.
func Template(ctx context.Context, api *turso.Client, organization, database string, access provider.Access, permissions []provider.Permission) (json.RawMessage, error) {
	o := turso.TemplateOptions{Database: database, Authorization: turso.FullAccess}
	if access == provider.AccessReadOnly {
		o.Authorization = turso.ReadOnly
	}
	for _, p := range permissions {
		o.Permissions = append(o.Permissions, turso.Permission{Tables: p.Tables, Actions: text.Strings(p.Actions)})
	}
	claims, err := api.Template(ctx, organization, o)
	return claims, APIError(err)
}

// APIError returns an error of the Platform API with its class.
func APIError(err error) error {
	if err == nil || provider.Kind(err) != nil {
		return err
	}
	return &provider.Error{Kind: apiKind(err), Message: err.Error(), Hint: provider.Hint(err), Err: err}
}

// apiKind returns the class of an error of the Platform API.
func apiKind(err error) error {
	var failed *turso.Error
	if !errors.As(err, &failed) {
		return cmp.Or(provider.Kind(err), provider.ErrUnavailable)
	}
	switch s := failed.Status; {
	case s == 0:
		return cmp.Or(provider.Kind(err), provider.ErrUnavailable)
	case s == http.StatusUnauthorized:
		return provider.ErrRejected
	case s == http.StatusForbidden, s == http.StatusPaymentRequired:
		return provider.ErrPermission
	case s == http.StatusTooManyRequests, s >= 500:
		return provider.ErrUnavailable
	}
	return provider.ErrConfig
}
