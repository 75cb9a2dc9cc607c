package clerk

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/provider"
)

// DefaultBackendURL is the base URL of Clerk's Backend API.
const DefaultBackendURL = "https://api.clerk.com"

// Backend calls Clerk's Backend API with the secret key of an instance, which can act as
// everyone there. It is safe for concurrent use.
type Backend struct {
	base      string
	client    *http.Client
	key       provider.Secret
	userAgent string
}

// NewBackend returns a client for a secret key (sk_...). baseURL has no version; "" is
// [DefaultBackendURL]. httpClient should follow no redirect, see [httpclient.Over].
func NewBackend(baseURL string, key provider.Secret, httpClient *http.Client, userAgent string) *Backend {
	baseURL = cmp.Or(baseURL, DefaultBackendURL)
	base := strings.TrimSuffix(strings.TrimRight(baseURL, "/"), "/v1")
	return &Backend{base: base, client: httpClient, key: key, userAgent: userAgent}
}

// APIKey is an API key of an instance, without its secret.
type APIKey struct {
	ID   string
	Name string
	// Subject is whose it is: user_..., org_... or mch_....
	Subject string
	// Scopes and Claims are what a backend gave it; the keys that people make for
	// themselves have neither. Claims are nil if there are none.
	Scopes  []string
	Claims  json.RawMessage
	Revoked bool
	Expired bool
	// Expires is zero for a key without an end.
	Expires time.Time
}

// Label returns the key for people: its name and whose it is. Its id begins like a secret, which
// is taken out of what is printed.
func (k APIKey) Label() string {
	if k.Name == "" {
		return "an API key of " + k.Subject
	}
	return "the API key " + k.Name + " of " + k.Subject
}

// FromBackend reports whether a backend made the key: it has scopes or claims.
func (k APIKey) FromBackend() bool { return len(k.Scopes) > 0 || k.Claims != nil }

// CheckUsable returns ErrRejected for a key that was revoked or has expired.
func (k APIKey) CheckUsable(now time.Time) error {
	switch {
	case k.Revoked:
		return &provider.Error{Kind: provider.ErrRejected, Message: "clerk: " + k.Label() + " was revoked"}
	case k.Expired || !k.Expires.IsZero() && !now.Round(0).Before(k.Expires):
		message := "clerk: " + k.Label() + " has expired"
		if !k.Expires.IsZero() {
			message += " at " + k.Expires.UTC().Format(time.RFC3339)
		}
		return &provider.Error{Kind: provider.ErrRejected, Message: message}
	}
	return nil
}

// VerifyAPIKey finds the key of a secret (ak_...). One that Clerk doesn't know, and may
// not know any more, is ErrRejected; see [Backend.APIKey] for what became of it.
func (b *Backend) VerifyAPIKey(ctx context.Context, secret provider.Secret) (APIKey, error) {
	const what = "verify the API key"
	k, err := b.apiKey(ctx, backendCall{
		what: what, method: http.MethodPost, path: "/api_keys/verify", body: map[string]string{"secret": secret.Reveal()},
	})
	if refused, ok := errors.AsType[*AnswerError](err); ok && refused.Status == http.StatusNotFound {
		return APIKey{}, &provider.Error{
			Kind: provider.ErrRejected, Err: err,
			Message: "clerk: " + what + ": this instance has no such key, or it was revoked or has expired",
			Hint:    "is it a key of the instance that the secret key belongs to? the Clerk dashboard lists them",
		}
	}
	return k, err
}

// APIKey reads a key by its id, also one that was revoked or has expired.
func (b *Backend) APIKey(ctx context.Context, id string) (APIKey, error) {
	return b.apiKey(ctx, backendCall{what: "read the API key", method: http.MethodGet, path: "/api_keys/" + url.PathEscape(id)})
}

func (b *Backend) apiKey(ctx context.Context, c backendCall) (APIKey, error) {
	var answer struct {
		ID         string          `json:"id"`
		Name       string          `json:"name"`
		Subject    string          `json:"subject"`
		Scopes     []string        `json:"scopes"`
		Claims     json.RawMessage `json:"claims"`
		Revoked    bool            `json:"revoked"`
		Expired    bool            `json:"expired"`
		Expiration int64           `json:"expiration"`
	}
	if err := b.do(ctx, c, &answer); err != nil {
		return APIKey{}, err
	}
	if kind, _, ok := strings.Cut(answer.Subject, "_"); !ok || kind == "" || !isCode(answer.ID) || !isCode(answer.Subject) {
		return APIKey{}, Unavailable(c.what, "the answer has no id and subject of an API key")
	}
	k := APIKey{
		ID: answer.ID, Name: Harmless(answer.Name), Subject: answer.Subject, Scopes: answer.Scopes,
		Revoked: answer.Revoked, Expired: answer.Expired, Expires: instant(answer.Expiration),
	}
	if text := string(answer.Claims); text != "" && text != "null" && text != "{}" {
		k.Claims = answer.Claims
	}
	return k, nil
}

// instant reads a time in milliseconds, as the API says, or in seconds, as its examples
// have it.
func instant(n int64) time.Time {
	switch {
	case n <= 0:
		return time.Time{}
	case n < 1e11: // in milliseconds, that is 1973
		return time.Unix(n, 0).UTC()
	}
	return time.UnixMilli(n).UTC()
}

// SignInToken makes a ticket that signs a user in once, within lifetime, of whole seconds.
// It bypasses the user's second factors.
func (b *Backend) SignInToken(ctx context.Context, userID string, lifetime time.Duration) (provider.Secret, error) {
	const what = "make a sign-in token"
	var answer struct {
		Token string `json:"token"`
	}
	err := b.do(ctx, backendCall{
		what: what, method: http.MethodPost, path: "/sign_in_tokens",
		body: map[string]any{"user_id": userID, "expires_in_seconds": int(lifetime / time.Second)},
	}, &answer)
	if err == nil && answer.Token == "" {
		err = Unavailable(what, "the answer has no token")
	}
	return provider.NewSecret(answer.Token), err
}

type backendCall struct {
	what, method, path string
	body               any // of JSON; nil means none
}

// do makes a call. Clerk's own SDKs differ in whether the paths of API keys have a
// version; where the one with it isn't Clerk's, the one without is.
func (b *Backend) do(ctx context.Context, c backendCall, out any) error {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	res, body, err := b.exchange(ctx, c, "/v1"+c.path)
	if err == nil && res.StatusCode == http.StatusNotFound && !isAnswer(body) && strings.HasPrefix(c.path, "/api_keys") {
		res, body, err = b.exchange(ctx, c, c.path)
	}
	switch {
	case err != nil:
		return err
	case res.StatusCode/100 != 2:
		return b.refused(Refusal(c.what, res, body))
	case json.Unmarshal(body, out) != nil:
		return Unavailable(c.what, "the answer is not Clerk's: is there a proxy or a sign-in page of the network?")
	}
	return nil
}

func (b *Backend) exchange(ctx context.Context, c backendCall, path string) (*http.Response, []byte, error) {
	var content io.Reader
	if c.body != nil {
		data, err := json.Marshal(c.body)
		if err != nil {
			return nil, nil, fmt.Errorf("clerk: %s: %w", c.what, err)
		}
		content = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, b.base+path, content)
	if err != nil {
		return nil, nil, Unavailable(c.what, "the request can't be made")
	}
	if content != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Authorization", "Bearer "+b.key.Reveal())
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", b.userAgent)
	return httpclient.Do(b.client, req, maxBody, "clerk: "+c.what)
}

// refused says what an answer to a secret key means: a key that Clerk doesn't take is a
// wrong setting, and no credential of a person.
func (b *Backend) refused(err error) error {
	var answer *AnswerError
	if !errors.As(err, &answer) || provider.Kind(err) == provider.ErrUnavailable {
		return err
	}
	failure := &provider.Error{Kind: provider.Kind(err), Message: err.Error(), Hint: provider.Hint(err), Err: answer}
	switch {
	case answer.Status == http.StatusForbidden:
		failure.Kind = provider.ErrPermission
	case answer.Status == http.StatusUnauthorized:
		failure.Kind, failure.Hint = provider.ErrConfig, "is the secret key (sk_...) one of this instance? the API keys page of the Clerk dashboard has it"
	case answer.Code == "api_keys_not_enabled":
		failure.Kind, failure.Hint = provider.ErrConfig, "enable API keys for the instance in the Clerk dashboard"
	case answer.Status != http.StatusNotFound:
		failure.Kind = provider.ErrConfig
	}
	return failure
}

// isAnswer reports whether an answer is in Clerk's form.
func isAnswer(body []byte) bool {
	var answer struct {
		Errors []json.RawMessage `json:"errors"`
	}
	return json.Unmarshal(body, &answer) == nil && len(answer.Errors) > 0
}

// KeyKind is a kind of key that Clerk issues.
type KeyKind string

// The kinds. KeyAPIID is the id of an API key, which begins like its secret.
const (
	KeyUnknown     KeyKind = ""
	KeySecret      KeyKind = "a Clerk secret key (sk_...)"
	KeyPublishable KeyKind = "a publishable key (pk_...)"
	KeyAPI         KeyKind = "a Clerk API key (ak_...)"
	KeyAPIID       KeyKind = "the id of a Clerk API key, not its secret"
	KeyMachine     KeyKind = "a key or token of a Clerk machine"
	KeyJWT         KeyKind = "a JWT"
)

// KindOfKey returns the kind of a key by its prefix.
func KindOfKey(key string) KeyKind {
	prefix, rest, _ := strings.Cut(key, "_")
	switch prefix {
	case "sk":
		return KeySecret
	case "pk":
		return KeyPublishable
	case "mt", "msk", "ask":
		return KeyMachine
	case "ak":
		if len(rest) == 32 && strings.Trim(rest, "0123456789abcdefABCDEF") == "" {
			return KeyAPIID
		}
		if rest != "" && strings.Trim(rest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=_-") == "" {
			return KeyAPI
		}
	}
	if strings.HasPrefix(key, "eyJ") && strings.Count(key, ".") == 2 {
		return KeyJWT
	}
	return KeyUnknown
}
