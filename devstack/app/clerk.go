package app

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
	"time"
)

// clerkAPI is the app's view of Clerk: both APIs, over HTTP.
type clerkAPI struct {
	frontend  string
	backend   string
	secretKey string
	client    *http.Client
}

// clerkError is a refusal by Clerk; its text is meant for people.
type clerkError struct {
	Status int
	Code   string
	Text   string
}

func (e *clerkError) Error() string { return fmt.Sprintf("clerk: %d %s: %s", e.Status, e.Code, e.Text) }

// signInAnswer is the part of a sign-in that the app reads.
type signInAnswer struct {
	Response struct {
		ID               string `json:"id"`
		Status           string `json:"status"`
		CreatedSessionID string `json:"created_session_id"`
	} `json:"response"`
	Client struct {
		Sessions []struct {
			ID   string `json:"id"`
			User struct {
				ID             string `json:"id"`
				FirstName      string `json:"first_name"`
				LastName       string `json:"last_name"`
				EmailAddresses []struct {
					EmailAddress string `json:"email_address"`
				} `json:"email_addresses"`
			} `json:"user"`
		} `json:"sessions"`
	} `json:"client"`
	clientJWT string
}

// password signs a person in with a password.
func (c *clerkAPI) password(ctx context.Context, email, password string) (*person, error) {
	answer, err := c.signIn(ctx, "/v1/client/sign_ins", "", url.Values{
		"strategy": {"password"}, "identifier": {email}, "password": {password},
	})
	if err != nil {
		return nil, err
	}
	return answer.person()
}

// sendCode has Clerk send a one-time code.
func (c *clerkAPI) sendCode(ctx context.Context, email string) (*pendingCode, error) {
	answer, err := c.signIn(ctx, "/v1/client/sign_ins", "", url.Values{"strategy": {"email_code"}, "identifier": {email}})
	if err != nil {
		return nil, err
	}
	return &pendingCode{signInID: answer.Response.ID, clientJWT: answer.clientJWT, email: email}, nil
}

// code signs a person in with the code that they were sent.
func (c *clerkAPI) code(ctx context.Context, pending *pendingCode, code string) (*person, error) {
	path := "/v1/client/sign_ins/" + url.PathEscape(pending.signInID) + "/attempt_first_factor"
	answer, err := c.signIn(ctx, path, pending.clientJWT, url.Values{"strategy": {"email_code"}, "code": {code}})
	if err != nil {
		return nil, err
	}
	return answer.person()
}

func (c *clerkAPI) signIn(ctx context.Context, path, clientJWT string, form url.Values) (*signInAnswer, error) {
	var answer signInAnswer
	header, err := c.frontendCall(ctx, path, clientJWT, form, &answer)
	if err != nil {
		return nil, err
	}
	answer.clientJWT = header.Get("Authorization")
	return &answer, nil
}

func (a *signInAnswer) person() (*person, error) {
	if a.Response.Status != "complete" {
		return nil, &clerkError{Status: http.StatusOK, Code: a.Response.Status, Text: "This account asks for a further step, which this app does not offer."}
	}
	for _, s := range a.Client.Sessions {
		if s.ID != a.Response.CreatedSessionID {
			continue
		}
		who := &person{userID: s.User.ID, name: strings.TrimSpace(s.User.FirstName + " " + s.User.LastName), sessionID: s.ID, clientJWT: a.clientJWT}
		if len(s.User.EmailAddresses) > 0 {
			who.email = s.User.EmailAddresses[0].EmailAddress
		}
		return who, nil
	}
	return nil, errors.New("clerk: sign-in answered without its session")
}

// signOut ends a person's Clerk session.
func (c *clerkAPI) signOut(ctx context.Context, who *person) error {
	_, err := c.frontendCall(ctx, "/v1/client/sessions/"+url.PathEscape(who.sessionID)+"/end", who.clientJWT, nil, nil)
	return err
}

// sessionActive asks whether a session still counts.
func (c *clerkAPI) sessionActive(ctx context.Context, sessionID string) (bool, error) {
	var answer struct {
		Status string `json:"status"`
	}
	err := c.backendCall(ctx, http.MethodGet, "/sessions/"+url.PathEscape(sessionID), nil, &answer)
	if refused, ok := errors.AsType[*clerkError](err); ok && refused.Status == http.StatusNotFound {
		return false, nil
	}
	return answer.Status == "active", err
}

// ticket makes a one-time sign-in token.
func (c *clerkAPI) ticket(ctx context.Context, userID string, lifetime time.Duration) (string, error) {
	var answer struct {
		Token string `json:"token"`
	}
	body := map[string]any{"user_id": userID, "expires_in_seconds": int(lifetime / time.Second)}
	if err := c.backendCall(ctx, http.MethodPost, "/sign_in_tokens", body, &answer); err != nil {
		return "", err
	}
	if answer.Token == "" {
		return "", errors.New("clerk: sign-in token: answered without a token")
	}
	return answer.Token, nil
}

// templateToken mints a JWT from a template for a session.
func (c *clerkAPI) templateToken(ctx context.Context, sessionID, template string) (string, error) {
	var answer struct {
		JWT string `json:"jwt"`
	}
	path := "/sessions/" + url.PathEscape(sessionID) + "/tokens/" + url.PathEscape(template)
	if err := c.backendCall(ctx, http.MethodPost, path, map[string]any{}, &answer); err != nil {
		return "", err
	}
	if answer.JWT == "" {
		return "", errors.New("clerk: template token: answered without a token")
	}
	return answer.JWT, nil
}

func (c *clerkAPI) frontendCall(ctx context.Context, path, clientJWT string, form url.Values, answer any) (http.Header, error) {
	target := c.frontend + path + "?_is_native=1&__clerk_api_version=2026-05-12"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", clientJWT)
	return c.do(req, answer)
}

func (c *clerkAPI) backendCall(ctx context.Context, method, path string, body map[string]any, answer any) error {
	var encoded bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&encoded).Encode(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.backend+path, &encoded)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.secretKey)
	req.Header.Set("Clerk-API-Version", "2026-05-12")
	_, err = c.do(req, answer)
	return err
}

func (c *clerkAPI) do(req *http.Request, answer any) (http.Header, error) {
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("clerk: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("clerk: read answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, refusal(resp.StatusCode, body)
	}
	if answer != nil {
		if err := json.Unmarshal(body, answer); err != nil {
			return nil, fmt.Errorf("clerk: decode answer: %w", err)
		}
	}
	return resp.Header, nil
}

func refusal(status int, body []byte) error {
	var answer struct {
		Errors []struct {
			Code        string `json:"code"`
			LongMessage string `json:"long_message"`
		} `json:"errors"`
	}
	e := &clerkError{Status: status, Code: "unknown", Text: http.StatusText(status)}
	if json.Unmarshal(body, &answer) == nil && len(answer.Errors) > 0 {
		e.Code, e.Text = answer.Errors[0].Code, answer.Errors[0].LongMessage
	}
	return e
}
