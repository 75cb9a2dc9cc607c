package turso

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// User is the owner of an API token.
type User struct {
	Username string
	Plan     string
}

// Organization is an organization that the user is a member of.
type Organization struct {
	ID   string
	Name string
	// Slug names the organization in other methods.
	Slug string
	// Type is "personal" or "team".
	Type     string
	Overages bool
}

// Validate checks the API token and returns when it expires; the zero time is
// never.
func (c *Client) Validate(ctx context.Context) (time.Time, error) {
	const op = "validate the API token"
	var answer struct{ Exp *int64 }
	if err := c.do(ctx, call{op: op, method: http.MethodGet, path: "/v1/auth/validate"}, &answer); err != nil {
		return time.Time{}, err
	}
	switch {
	case answer.Exp == nil:
		return time.Time{}, incomplete(op, "exp")
	case *answer.Exp <= 0: // -1 means no end
		return time.Time{}, nil
	}
	return time.Unix(*answer.Exp, 0), nil
}

// CurrentUser returns who the API token belongs to.
func (c *Client) CurrentUser(ctx context.Context) (User, error) {
	const op = "get the current user"
	var answer struct{ User User }
	if err := c.do(ctx, call{op: op, method: http.MethodGet, path: "/v1/current-user"}, &answer); err != nil {
		return User{}, err
	}
	if answer.User.Username == "" {
		return User{}, incomplete(op, "username")
	}
	return answer.User, nil
}

// Organizations lists the user's organizations, the personal one included.
func (c *Client) Organizations(ctx context.Context) ([]Organization, error) {
	var answer struct{ Organizations []Organization }
	err := c.do(ctx, call{op: "list organizations", method: http.MethodGet, path: "/v2/organizations"}, &answer)
	return answer.Organizations, err
}

// Blocked reports whether an organization's databases answer no reads, or take no writes,
// because its plan's quota is used up. Only the older list of organizations says it.
func (c *Client) Blocked(ctx context.Context, org string) (reads, writes bool, err error) {
	const op = "get what is blocked"
	var answer []struct {
		Slug, Type    string
		BlockedReads  bool `json:"blocked_reads"`
		BlockedWrites bool `json:"blocked_writes"`
	}
	if err := c.do(ctx, call{op: op, method: http.MethodGet, path: "/v1/organizations"}, &answer); err != nil {
		return false, false, err
	}
	for _, o := range answer {
		if org != "" && o.Slug == org || org == "" && o.Type == "personal" {
			return o.BlockedReads, o.BlockedWrites, nil
		}
	}
	return false, false, &Error{Op: op, Err: ErrBadArgument, Message: "there is no such organization among those of the API token"}
}

// slug returns org, or the slug of the personal organization: /v2 has no path
// without one.
func (c *Client) slug(ctx context.Context, op, org string) (string, error) {
	if org != "" {
		return escape(op, "organization", org)
	}
	organizations, err := c.Organizations(ctx)
	if err != nil {
		return "", err
	}
	for _, o := range organizations {
		if o.Type == "personal" {
			return escape(op, "organization", o.Slug)
		}
	}
	return "", &Error{Op: op, Err: ErrBadArgument, Message: "there is no personal organization: name one"}
}

// incomplete returns an answer with status 200 without what it is for.
func incomplete(op, field string) error {
	return &Error{Op: op, Status: http.StatusOK, Message: fmt.Sprintf("the answer has no %s", field)}
}
