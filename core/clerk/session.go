package clerk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// Session is an authenticated session of a client at Clerk.
type Session struct {
	ID string
	// Client is the client JWT, which Clerk may replace with any answer. It is the one
	// that is good from then on, also after an error.
	Client provider.Secret
	// Name is the identifier that the user signs in with, for people. It may be empty.
	Name string
	// Organization is the id of the active organization in Clerk's last answer, "" if there is none.
	Organization string
	Expires      time.Time
}

// clientView is the part that matters here of Clerk's client object.
type clientView struct {
	Sessions []struct {
		ID           string `json:"id"`
		Status       string `json:"status"`
		ExpireAt     int64  `json:"expire_at"`
		Organization string `json:"last_active_organization_id"`
		User         struct {
			Identifier string `json:"identifier"`
		} `json:"public_user_data"`
	} `json:"sessions"`
}

// adopt takes over what the client says about the session, and returns its status,
// or "" if the client doesn't have it.
func (s *Session) adopt(view *clientView) string {
	if view == nil {
		return ""
	}
	for _, other := range view.Sessions {
		if other.ID != s.ID {
			continue
		}
		s.Name, s.Organization = Harmless(other.User.Identifier), other.Organization
		if other.ExpireAt > 0 {
			s.Expires = time.UnixMilli(other.ExpireAt).UTC()
		}
		return other.Status
	}
	return ""
}

// Activate makes an organization, by id or slug, the session's active one; "" means none. An
// instance where everybody has to be in an organization ignores that "":
// Session.Organization is the one afterwards.
func (f *Frontend) Activate(ctx context.Context, s *Session, organization string) error {
	var answer struct {
		Response struct {
			Organization string `json:"last_active_organization_id"`
		} `json:"response"`
	}
	err := f.sessionCall(ctx, s, "activate the organization", "/touch", url.Values{"active_organization_id": {organization}}, &answer)
	if err == nil {
		s.Organization = answer.Response.Organization
	}
	return err
}

// End ends the session at Clerk. One that had ended before is no error.
func (f *Frontend) End(ctx context.Context, s *Session) error {
	err := f.sessionCall(ctx, s, "end the session", "/end", nil, nil)
	if refused, ok := errors.AsType[*AnswerError](err); ok && (refused.Status == http.StatusUnauthorized || refused.Status == http.StatusNotFound) {
		return nil
	}
	return err
}

// Mint makes a token of the session: from a template, or, where that is empty, a
// plain session token.
func (f *Frontend) Mint(ctx context.Context, s *Session, template string) (provider.Secret, error) {
	what, path := "make a session token", "/tokens"
	if template != "" {
		what, path = fmt.Sprintf("make a token from the template %q", template), "/tokens/"+url.PathEscape(template)
	}
	var answer struct {
		JWT string `json:"jwt"`
	}
	err := f.sessionCall(ctx, s, what, path, nil, &answer)
	var refused *AnswerError
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
		err = f.explainNotFound(ctx, s, template, err)
	}
	if refused != nil && refused.Status == http.StatusUnauthorized {
		err = &provider.Error{
			Kind: provider.ErrRejected, Err: err, Hint: loginHint,
			Message: "clerk: the session has ended: Clerk knows its client no more, as after a sign-out or a rotation of the instance's keys (" + strings.TrimPrefix(err.Error(), "clerk: ") + ")",
		}
	}
	return provider.NewSecret(answer.JWT), err
}

// explainNotFound finds out what a 404 is about, the session or the template:
// Clerk has one code for both. The client's sessions tell, and, as a list may lag behind
// what was revoked, a session token that needs no template.
func (f *Frontend) explainNotFound(ctx context.Context, s *Session, template string, cause error) error {
	if err := f.Reload(ctx, s); err != nil {
		return err
	}
	var refused *AnswerError
	if template != "" {
		cause = f.sessionCall(ctx, s, "make a session token", "/tokens", nil, nil)
	}
	switch {
	case errors.As(cause, &refused) && refused.Status == http.StatusNotFound:
		return ended(cause)
	case cause != nil:
		return cause
	}
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("clerk: the instance has no JWT template named %q", template),
		Hint:    `make it in the Clerk dashboard from what "turso org jwks template" prints, or set template to its name`,
	}
}

// Probe reads a client without a sign-in, which takes no credential: its error says whether the
// Native API is there. The missing sign-in itself is no error.
func (f *Frontend) Probe(ctx context.Context) error {
	err := f.do(ctx, call{what: "try the Native API", method: http.MethodGet, path: "/v1/client", client: new(provider.Secret)}, nil)
	if errors.Is(err, provider.ErrRejected) {
		return nil
	}
	return err
}

// Reload reads the client again, and fails with ErrRejected where the session is
// not active any more.
func (f *Frontend) Reload(ctx context.Context, s *Session) error {
	var answer struct {
		Response *clientView `json:"response"`
	}
	if err := f.do(ctx, call{what: "read the client", method: http.MethodGet, path: "/v1/client", client: &s.Client}, &answer); err != nil {
		return err
	}
	if status := s.adopt(answer.Response); status != "active" && status != "pending" {
		return ended(nil)
	}
	return nil
}

// ended returns what can be said of a session that Clerk doesn't find: it has no word for why.
func ended(cause error) error {
	return &provider.Error{
		Kind: provider.ErrRejected, Err: cause, Hint: loginHint,
		Message: "clerk: the session has ended: it was signed out, has expired or was revoked, or its user was banned or deleted",
	}
}

func (f *Frontend) sessionCall(ctx context.Context, s *Session, what, path string, form url.Values, out any) error {
	return f.do(ctx, call{
		what: what, method: http.MethodPost, path: "/v1/client/sessions/" + s.ID + path, form: form, client: &s.Client,
	}, out)
}

// IsSessionID reports whether id has the form of a session's, which is a single element of a
// path.
func IsSessionID(id string) bool {
	rest, ok := strings.CutPrefix(id, "sess_")
	return ok && isCode(rest) && !strings.ContainsAny(rest, "_-")
}
