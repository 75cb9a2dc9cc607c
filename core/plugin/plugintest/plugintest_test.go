package plugintest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/zen-auth/zen/core/plugin/plugintest"
	"github.com/zen-auth/zen/core/provider"
)

// greeter is a minimal provider.
type greeter struct{ greeting string }

func (g *greeter) Describe(context.Context) (provider.Description, error) {
	return provider.Description{Name: "greeter", Fields: []provider.Field{{Key: "greeting", Required: true}}}, nil
}

func (g *greeter) Configure(_ context.Context, s provider.Settings) ([]provider.Note, error) {
	g.greeting = s.Get("greeting")
	return nil, nil
}

func (g *greeter) Check(context.Context, provider.CheckRequest, func(provider.Finding) error) (*provider.Credential, error) {
	panic("out of order")
}

func (g *greeter) Token(_ context.Context, r provider.TokenRequest) (provider.TokenResponse, error) {
	if r.Credential == nil {
		return provider.TokenResponse{}, fmt.Errorf("%s: %w", g.greeting, provider.ErrNoCredential)
	}
	return provider.TokenResponse{Token: provider.Token{Value: r.Credential.Data}}, nil
}

func TestServe(t *testing.T) {
	client := plugintest.Serve(t, &greeter{})
	description, err := client.Describe(t.Context())
	if err != nil || len(description.Services) != 1 || description.Services[0] != provider.ServiceTokenSource {
		t.Fatalf("Describe = %+v, %v, want one service", description, err)
	}
	if _, err := client.Configure(t.Context(), provider.Settings{"greeting": provider.NewSecret("hello")}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Token(t.Context(), provider.TokenRequest{}); !errors.Is(err, provider.ErrNoCredential) || err.Error() != "hello: not signed in" {
		t.Errorf("token: %v", err)
	}
	if err := client.Revoke(t.Context(), provider.Credential{}); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a missing service: %v, want ErrUnsupported", err)
	}
	if _, err := client.Check(t.Context(), provider.CheckRequest{}, nil); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("a panic: %v, want ErrUnavailable", err)
	}
}
