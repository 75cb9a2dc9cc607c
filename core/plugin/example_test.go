package plugin_test

import (
	"context"
	"os"

	"github.com/zen-auth/zen/core/plugin"
	"github.com/zen-auth/zen/core/provider"
)

// file returns the token in a file. It needs no sign-in.
type file struct{ path string }

// Describe implements provider.Provider.
func (*file) Describe(context.Context) (provider.Description, error) {
	return provider.Description{
		Name: "file", Version: "1.0.0", Summary: "A token from a file",
		Fields: []provider.Field{{Key: "path", Type: provider.TypeString, Required: true, Doc: "the file"}},
	}, nil
}

// Configure implements provider.Provider.
func (f *file) Configure(_ context.Context, s provider.Settings) ([]provider.Note, error) {
	f.path = s.Get("path")
	return nil, nil
}

// Check implements provider.Provider.
func (f *file) Check(_ context.Context, _ provider.CheckRequest, report func(provider.Finding) error) (*provider.Credential, error) {
	finding := provider.Finding{ID: "file", Severity: provider.SeverityOK, Text: f.path + " is there"}
	if _, err := os.Stat(f.path); err != nil {
		finding.Severity, finding.Text = provider.SeverityError, err.Error()
	}
	return nil, report(finding)
}

// Token implements provider.TokenSource.
func (f *file) Token(context.Context, provider.TokenRequest) (provider.TokenResponse, error) {
	data, err := os.ReadFile(f.path)
	if err != nil {
		return provider.TokenResponse{}, &provider.Error{Kind: provider.ErrNoCredential, Err: err, Message: "read the token: " + err.Error()}
	}
	return provider.TokenResponse{Token: provider.Token{Value: provider.NewSecret(string(data))}}, nil
}

// This is the main function of a provider whose binary is called zen-provider-file.
func ExampleServe() {
	plugin.Serve(&file{})
}
