package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"

	"github.com/zen-auth/zen/core/provider"
)

// file is a token in a file that another program, such as a kubelet or a SPIFFE helper,
// keeps up to date.
type file struct{ path string }

func newFile(values provider.Settings) (place, error) {
	path := values.Get(keyTokenFile)
	if path == "" {
		return nil, bad(keyWorkload, "set token_file to it", "file: token_file is not set")
	}
	return file{path}, nil
}

func (f file) issuer() string { return "" }

func (f file) declare(audience string) string {
	return fmt.Sprintf("have the token of %s made for it (Kubernetes: serviceAccountToken: {audience: %s, path: token})", f.path, audience)
}

func (f file) token(context.Context, *http.Client, string) (provider.Secret, error) {
	// It is read each time, because the other program replaces it.
	content, err := provider.ReadFile(f.path, maxToken)
	if err != nil {
		failure := &provider.Error{Kind: provider.ErrTokenInvalid, Message: fmt.Sprintf("oidc: read the token of the workload: %v", err), Err: err}
		if path := (*fs.PathError)(nil); errors.As(err, &path) {
			failure.Kind, failure.Hint = provider.ErrNoCredential, "is the volume mounted, and the file readable to this user?"
		}
		return provider.Secret{}, failure
	}
	return provider.NewSecret(strings.TrimSpace(string(content))), nil
}

// spiffe is a workload that asks the SPIFFE Workload API for a JWT-SVID.
type spiffe struct{ socket string }

func newSPIFFE(values provider.Settings) (place, error) {
	s := spiffe{values.Get(keySPIFFESocket)}
	if s.socket == "" {
		return nil, bad(keyWorkload, "set SPIFFE_ENDPOINT_SOCKET, or token_file where a helper keeps a JWT-SVID", "spiffe: there is no socket of the Workload API")
	}
	if err := workloadapi.ValidateAddress(s.socket); err != nil {
		return nil, bad(keySPIFFESocket, "for example unix:///run/spire/agent.sock", "%.200q is not an address of the Workload API", s.socket)
	}
	return s, nil
}

// issuer returns "": the trust domain determines the issuer.
func (s spiffe) issuer() string { return "" }

func (s spiffe) declare(string) string { return "" }

func (s spiffe) token(ctx context.Context, _ *http.Client, audience string) (provider.Secret, error) {
	if audience == "" {
		audience = "zen" // the Workload API requires one
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	svid, err := workloadapi.FetchJWTSVID(ctx, jwtsvid.Params{Audience: audience}, workloadapi.WithAddr(s.socket))
	if err != nil {
		failure := unavailable("ask the SPIFFE Workload API for a JWT-SVID", err.Error())
		failure.Err = err
		failure.Hint = "is the agent there, and the workload registered?"
		return provider.Secret{}, failure
	}
	return provider.NewSecret(svid.Marshal()), nil
}
