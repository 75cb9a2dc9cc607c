package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
)

// FixError is the error of a repair that failed in a way that has its own finding, ID.
type FixError struct {
	ID  string
	Err error
}

// Error implements error.
func (e *FixError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *FixError) Unwrap() error { return e.Err }

// regions are the regions of Turso's locations; a registration may be bound to one. The
// turso CLI hides its flag for the region, and sends none by default.
var regions = []string{"", "aws-us-east-1", "aws-us-east-2", "aws-us-west-2", "aws-eu-west-1", "aws-ap-south-1", "aws-ap-northeast-1"}

// RemoveCommand returns the command that removes a registration, without the program's name.
func RemoveCommand(name string) string { return fmt.Sprintf("jwks remove %q", name) }

// RemoveKeySet removes a registration, and lists the registrations again to see whether it
// is gone: Turso has been seen to answer 500 to every removal once there were more than its
// limit. If it isn't gone, RemoveKeySet tries every region, unless one is given. tell is
// called for each try.
//
// If all tries failed, the error is a [*FixError] with the id turso.jwks.remove-fails.
func RemoveKeySet(ctx context.Context, api *turso.Client, organization, name string, region *string, tell func(string)) error {
	tries := regions
	if region != nil {
		tries = []string{*region}
	}
	before, err := api.KeySets(ctx, organization)
	if err != nil {
		return APIError(err)
	}
	at := slices.IndexFunc(before, func(s turso.KeySet) bool { return s.Name == name })
	if at < 0 {
		return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("there is no registration %q", name), Hint: "zen jwks list shows them"}
	}
	if listed := before[at].Region; region == nil && listed != "" {
		tries = slices.Concat([]string{listed}, tries)
	}
	var first error
	for _, r := range tries {
		err := api.RemoveKeySet(ctx, organization, name, r)
		what := "remove " + fmt.Sprintf("%q", name)
		if r != "" {
			what += " in region " + r
		}
		sets, listErr := api.KeySets(ctx, organization)
		gone := listErr == nil && !slices.ContainsFunc(sets, func(s turso.KeySet) bool { return s.Name == name })
		switch {
		case gone: // whatever the answer was
			tell(what + ": it is gone from the list")
			return nil
		case err == nil && listErr == nil:
			err = &provider.Error{Kind: provider.ErrUnavailable, Message: "Turso confirmed the removal, but still lists the registration"}
		case err == nil:
			return &provider.Error{Kind: apiKind(listErr), Message: "the registrations can't be listed to see whether it is gone: " + listErr.Error(), Err: listErr}
		}
		tell(what + ": " + err.Error())
		first = cmp.Or(first, err)
		if failed, ok := errors.AsType[*turso.Error](err); ok && failed.Status != 0 && failed.Status < 500 {
			break // Turso understood the request, and refused it
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return &FixError{ID: "turso.jwks.remove-fails", Err: &provider.Error{
		Kind:    cmp.Or(provider.Kind(first), apiKind(first)),
		Message: fmt.Sprintf("Turso does not remove the registration %q: %v", name, first),
		Hint:    "over the limit of registrations Turso removes none, and only its support can: zen doctor --report FILE writes a report for them",
		Err:     first,
	}}
}

// surplus returns the registration to remove if there are too many: one whose key set is
// registered twice, so that every key stays registered. It returns "" if there is none.
func surplus(sets []turso.KeySet) string {
	seen := map[string]bool{}
	for _, s := range sets {
		if seen[s.URL] {
			return s.Name
		}
		seen[s.URL] = true
	}
	return ""
}
