package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// tokenFile is the provider. Configure fills it once.
type tokenFile struct{ path string }

// Describe implements provider.Provider.
func (p *tokenFile) Describe(context.Context) (provider.Description, error) {
	return provider.Description{
		Name:    "tokenfile",
		Version: "1.0.0",
		Summary: "database tokens from a file",
		Fields: []provider.Field{{
			Key: "path", Type: provider.TypeString, Required: true,
			Doc: "the file, absolute, of mode 0600: JSON, {\"libsql://db.example\": {\"rw\": TOKEN, \"ro\": TOKEN}}",
		}},
		Methods: []provider.Method{{Name: "file", Doc: "with what is in the file; nothing is asked"}},
	}, nil
}

// Configure implements provider.Provider.
func (p *tokenFile) Configure(_ context.Context, settings provider.Settings) ([]provider.Note, error) {
	p.path = settings.Get("path")
	if !filepath.IsAbs(p.path) {
		return nil, &provider.Error{
			Kind: provider.ErrConfig, Message: "tokenfile: path is not an absolute path",
			Hint: "write the whole path, from the root",
		}
	}
	return nil, nil
}

// Check implements provider.Provider.
func (p *tokenFile) Check(_ context.Context, _ provider.CheckRequest, report func(provider.Finding) error) (*provider.Credential, error) {
	finding := provider.Finding{ID: "file", Severity: provider.SeverityOK}
	if databases, err := p.read(); err != nil {
		finding.Severity, finding.Text, finding.Hint = provider.SeverityError, err.Error(), provider.Hint(err)
		finding.Kind = provider.Kind(err)
	} else {
		finding.Text = fmt.Sprintf("tokens for %d databases", len(databases))
	}
	return nil, report(finding)
}

// Login implements provider.Identity. There is no one to sign in: it checks that the file
// has the requested token.
func (p *tokenFile) Login(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	if req.Method != "" && req.Method != "file" {
		return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("tokenfile: no method %.40q", req.Method), Hint: "the method is file"}
	}
	result := provider.SignIn{Credential: provider.Credential{
		Data: provider.NewSecret(`{"v":1}`), Subject: filepath.Base(p.path), Issued: time.Now(),
	}}
	if req.Target.URL != "" {
		token, err := p.find(req.Target, req.Access, req.Permissions)
		if err != nil {
			return err
		}
		result.Token, result.Credential.Expires = &token, token.Expires
	}
	return host.Store(ctx, result)
}

// Refresh implements provider.Identity.
func (p *tokenFile) Refresh(_ context.Context, credential provider.Credential) (provider.Credential, error) {
	_, err := p.read()
	return credential, err
}

// Verify implements provider.Identity. Only the database can tell whether a token in the
// file is valid.
func (p *tokenFile) Verify(context.Context, provider.Secret) (provider.Claims, error) {
	return provider.Claims{}, &provider.Error{Kind: provider.ErrTokenInvalid, Message: "tokenfile: it has no keys to check a token with"}
}

// Revoke implements provider.Identity. The file belongs to another program.
func (p *tokenFile) Revoke(context.Context, provider.Credential) error { return nil }

// Token implements provider.TokenSource.
func (p *tokenFile) Token(_ context.Context, req provider.TokenRequest) (provider.TokenResponse, error) {
	token, err := p.find(req.Target, req.Access, req.Permissions)
	return provider.TokenResponse{Token: token}, err
}

// Interface guards
var (
	_ provider.Provider    = (*tokenFile)(nil)
	_ provider.Identity    = (*tokenFile)(nil)
	_ provider.TokenSource = (*tokenFile)(nil)
)
