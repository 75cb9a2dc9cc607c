package turso

import (
	"context"
	"net/http"
)

// Group is a group of databases.
type Group struct {
	Name string
	// ID is the claim gid of a token for the group.
	ID string `json:"uuid"`
}

// Group returns one group; one that does not exist is an *Error with status 404.
func (c *Client) Group(ctx context.Context, org, name string) (Group, error) {
	const op = "get the group"
	path, err := groupPath(op, org, name)
	if err != nil {
		return Group{}, err
	}
	var answer struct{ Group Group }
	if err := c.do(ctx, call{op: op, method: http.MethodGet, path: path}, &answer); err != nil {
		return Group{}, err
	}
	if answer.Group.ID == "" {
		return Group{}, incomplete(op, "uuid")
	}
	return answer.Group, nil
}

// Groups lists the groups of an organization.
func (c *Client) Groups(ctx context.Context, org string) ([]Group, error) {
	const op = "list groups"
	prefix, err := orgPath(op, org)
	if err != nil {
		return nil, err
	}
	var answer struct{ Groups []Group }
	err = c.do(ctx, call{op: op, method: http.MethodGet, path: prefix + "/groups"}, &answer)
	return answer.Groups, err
}

// CreateGroupToken mints a token for every database of a group, including those that are
// created later, and returns the JWT, which is a secret.
func (c *Client) CreateGroupToken(ctx context.Context, org, group string, o TokenOptions) (string, error) {
	const op = "create a group token"
	path, err := groupPath(op, org, group)
	if err != nil {
		return "", err
	}
	return c.createToken(ctx, op, path, o)
}

func groupPath(op, org, name string) (string, error) {
	prefix, err := orgPath(op, org)
	if err != nil {
		return "", err
	}
	segment, err := escape(op, "group", name)
	return prefix + "/groups/" + segment, err
}
