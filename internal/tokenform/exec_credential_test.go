package tokenform

import (
	"errors"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

func FuzzExecCredentialVersion(f *testing.F) {
	f.Add("")
	f.Add(`{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","spec":{"interactive":true}}`)
	f.Add(`{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v2"}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, info string) {
		version, err := ExecCredentialVersion(info)
		switch {
		case err == nil && version != execCredentialV1 && version != execCredentialBeta:
			t.Errorf("ExecCredentialVersion(%q) = %q", info, version)
		case err != nil && (!errors.Is(err, provider.ErrConfig) || provider.Hint(err) == "" || strings.Contains(err.Error(), "\n")):
			t.Errorf("ExecCredentialVersion(%q): %v", info, err)
		}
	})
}
