package jwks

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
	"github.com/zen-auth/zen/internal/cli/platform"
)

// A captive portal between this machine and Turso leads to an error and not to a panic.
func TestSaveThroughASignInPage(t *testing.T) {
	key, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":"a","x":%q}]}`, base64.RawURLEncoding.EncodeToString(key))
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><title>Sign in to the guests' network</title>")
	}))
	defer server.Close()
	client, err := turso.New(turso.Options{BaseURL: server.URL, UserAgent: "zen", Token: func(context.Context) (string, error) { return "token", nil }})
	if err != nil {
		t.Fatal(err)
	}
	flags := flag.NewFlagSet("save", flag.ContinueOnError)
	if err := flags.Parse([]string{"clerk", server.URL + "/jwks.json"}); err != nil {
		t.Fatal(err)
	}
	c := cli.NewContext(cli.NewApp(), flags, nil)
	c.Context = t.Context()
	if err := save(c, platform.API{Client: client, Organization: "acme"}); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("save() = %v, want ErrUnavailable", err)
	}
}
