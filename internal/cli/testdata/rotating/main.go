// Command rotating is a provider whose issuer replaces the credential with every token, which
// is the most fragile kind. Tests sign in with it without a user.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/plugin"
	"github.com/zen-auth/zen/core/provider"
)

func main() { plugin.Serve(&rotating{}) }

type rotating struct{ issuer string }

// Describe implements provider.Provider.
func (*rotating) Describe(context.Context) (provider.Description, error) {
	return provider.Description{Name: "rotating", Version: "1.0.0", Fields: []provider.Field{
		{Key: "issuer", Type: provider.TypeURL, Required: true, Doc: "where the issuer is"},
	}}, nil
}

// Configure implements provider.Provider.
func (r *rotating) Configure(_ context.Context, settings provider.Settings) ([]provider.Note, error) {
	r.issuer = settings.Get("issuer")
	return nil, nil
}

// Check implements provider.Provider.
func (*rotating) Check(context.Context, provider.CheckRequest, func(provider.Finding) error) (*provider.Credential, error) {
	return nil, nil
}

// answer is the issuer's response.
type answer struct {
	RefreshToken string    `json:"refresh_token"`
	Token        string    `json:"token"`
	Issued       time.Time `json:"issued"`
	Expires      time.Time `json:"expires"`
}

// pipes returns the pipes of this process except for standard input, output and error, where
// the system lists them.
func pipes() (found []string) {
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		fd, err := strconv.Atoi(filepath.Base(link))
		if err != nil || fd <= 2 {
			continue
		}
		if to, err := os.Readlink(link); err == nil && strings.HasPrefix(to, "pipe:") {
			found = append(found, to)
		}
	}
	return found
}

// call sends a refresh token, or no token for a sign-in.
func (r *rotating) call(ctx context.Context, refreshToken string) (answer, error) {
	var a answer
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.issuer+"/token?"+url.Values{"refresh_token": {refreshToken}, "pipe": pipes()}.Encode(), nil)
	if err != nil {
		return a, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return a, &provider.Error{Kind: provider.ErrUnavailable, Message: "the issuer can't be reached"}
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return a, json.NewDecoder(resp.Body).Decode(&a)
	case http.StatusBadRequest:
		return a, &provider.Error{Kind: provider.ErrRejected, Message: "invalid_grant"}
	}
	return a, &provider.Error{Kind: provider.ErrUnavailable, Message: fmt.Sprintf("HTTP status %d", resp.StatusCode)}
}

func credential(a answer) provider.Credential {
	return provider.Credential{Data: provider.NewSecret(a.RefreshToken), Subject: "alice"}
}

// Login implements provider.Identity.
func (r *rotating) Login(ctx context.Context, _ provider.LoginRequest, host provider.Host) error {
	a, err := r.call(ctx, "")
	if err != nil {
		return err
	}
	return host.Store(ctx, provider.SignIn{Credential: credential(a), Claims: provider.Claims{Subject: "alice"}})
}

// Token implements provider.TokenSource.
func (r *rotating) Token(ctx context.Context, req provider.TokenRequest) (provider.TokenResponse, error) {
	if req.Credential == nil {
		return provider.TokenResponse{}, provider.ErrNoCredential
	}
	a, err := r.call(ctx, req.Credential.Data.Reveal())
	if err != nil {
		return provider.TokenResponse{}, err
	}
	next := credential(a)
	return provider.TokenResponse{
		Token:      provider.Token{Value: provider.NewSecret(a.Token), Issued: a.Issued, Expires: a.Expires},
		Credential: &next,
	}, nil
}

// Refresh implements provider.Identity.
func (r *rotating) Refresh(ctx context.Context, c provider.Credential) (provider.Credential, error) {
	a, err := r.call(ctx, c.Data.Reveal())
	if err != nil {
		return c, err
	}
	return credential(a), nil
}

// Verify implements provider.Identity.
func (*rotating) Verify(context.Context, provider.Secret) (provider.Claims, error) {
	return provider.Claims{Subject: "alice"}, nil
}

// Revoke implements provider.Identity.
func (*rotating) Revoke(context.Context, provider.Credential) error { return nil }
