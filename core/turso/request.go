package turso

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/zen-auth/zen/core/httpclient"
)

// call is one request: the operation's name for errors, the method, the path with
// its query, and the body, which nil leaves out.
type call struct {
	op     string
	method string
	path   string
	body   any
}

// do sends a request and decodes the answer's JSON into result, which nil leaves
// unread (several calls answer nothing).
func (c *Client) do(ctx context.Context, call call, result any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	token, err := c.token(ctx)
	if err != nil {
		return &Error{Op: call.op, Message: "get the API token: " + err.Error(), Err: err}
	}
	req, err := c.request(ctx, call, token)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return transportError(call.op, err)
	}
	defer resp.Body.Close()
	data, err := httpclient.ReadAll(resp.Body, maxBody)
	tooLarge := errors.Is(err, httpclient.ErrTooLarge)
	switch {
	case err != nil && !tooLarge:
		return transportError(call.op, err)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return responseError(call.op, resp, data, token)
	case tooLarge:
		return &Error{Op: call.op, Status: resp.StatusCode, Message: err.Error()}
	}
	if result == nil {
		return nil
	}
	// encoding/json matches fields without regard to case, as turso-cli relies on:
	// a database is {"Name","DbId","Hostname","primaryRegion","is_schema"}.
	if err := json.Unmarshal(data, result); err != nil {
		return &Error{Op: call.op, Status: resp.StatusCode, Message: "the answer is not the JSON that was expected"}
	}
	return nil
}

func (c *Client) request(ctx context.Context, call call, token string) (*http.Request, error) {
	if !isBearer(token) {
		// Checked here, so that net/http has no reason to complain about it.
		return nil, &Error{Op: call.op, Err: ErrBadToken, Message: "the API token is empty, too long, or has a character that no token has"}
	}
	var body io.Reader
	if call.body != nil {
		encoded, err := json.Marshal(call.body)
		if err != nil {
			return nil, &Error{Op: call.op, Message: "encode the request: " + err.Error(), Err: err}
		}
		body = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, call.method, c.base+call.path, body)
	if err != nil {
		return nil, &Error{Op: call.op, Message: "make the request: " + err.Error(), Err: err}
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.userAgent != "" {
		req.Header.Set("User-Agent", c.userAgent)
	}
	return req, nil
}

const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// isBearer accepts RFC 6750's b64token up to 16 KiB.
func isBearer(token string) bool {
	if token == "" || len(token) > 16<<10 {
		return false
	}
	return strings.Trim(token, alphanumeric+"-._~+/=") == ""
}

// transportError takes the address out of err, which *url.Error repeats.
func transportError(op string, err error) error {
	if urlError, ok := errors.AsType[*url.Error](err); ok {
		err = urlError.Err
	}
	return &Error{Op: op, Err: err}
}

// orgPath returns the prefix of an organization's resources.
func orgPath(op, org string) (string, error) {
	if org == "" {
		return "/v1", nil
	}
	segment, err := escape(op, "organization", org)
	return "/v1/organizations/" + segment, err
}

// escape makes one path segment of a name, and refuses what could leave it.
func escape(op, what, name string) (string, error) {
	if strings.ContainsAny(name, `/\`) {
		return "", badName(op, what, name)
	}
	return escapeAny(op, what, name)
}

// escapeAny is escape for names that foreign tools choose, with spaces and slashes: a
// slash becomes %2F. The turso CLI sends it bare, and so can't remove what has one.
func escapeAny(op, what, name string) (string, error) {
	bad := name == "" || name == "." || name == ".." || len(name) > 128 ||
		strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd })
	if bad {
		return "", badName(op, what, name)
	}
	return url.PathEscape(name), nil
}

func badName(op, what, name string) error {
	return &Error{Op: op, Err: ErrBadArgument, Message: fmt.Sprintf("%.40q is not a valid %s name", name, what)}
}
