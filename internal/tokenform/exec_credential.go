package tokenform

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/zen-auth/zen/core/provider"
)

// The versions of ExecCredential that have what zen answers
// (https://kubernetes.io/docs/reference/config-api/client-authentication.v1/).
const (
	execCredentialGroup = "client.authentication.k8s.io/"
	execCredentialV1    = execCredentialGroup + "v1"
	execCredentialBeta  = execCredentialGroup + "v1beta1"
)

type execCredential struct {
	APIVersion string               `json:"apiVersion"`
	Kind       string               `json:"kind"`
	Status     execCredentialStatus `json:"status"`
}

type execCredentialStatus struct {
	Token string `json:"token"`
	// ExpirationTimestamp is left out for a token without an end: the caller then
	// asks again after a 401.
	ExpirationTimestamp string `json:"expirationTimestamp,omitempty"`
}

func newExecCredential(version string, t provider.Token) execCredential {
	return execCredential{version, "ExecCredential", execCredentialStatus{t.Value.Reveal(), expiryText(t)}}
}

// ExecCredentialVersion returns the version in which the caller wants its answer: it says
// so in KUBERNETES_EXEC_INFO, whose spec.interactive has no meaning here, since
// zen token never asks anything.
func ExecCredentialVersion(info string) (string, error) {
	if info == "" {
		return execCredentialV1, nil
	}
	var request struct{ APIVersion, Kind string }
	if err := json.Unmarshal([]byte(info), &request); err != nil || request.Kind != "ExecCredential" {
		return "", &provider.Error{
			Kind: provider.ErrConfig, Message: "read KUBERNETES_EXEC_INFO: it is not an ExecCredential in JSON",
			Hint: "unset it: who calls zen as a credential plugin sets it",
		}
	}
	switch request.APIVersion {
	case execCredentialV1, execCredentialBeta:
		return request.APIVersion, nil
	}
	return "", &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("read KUBERNETES_EXEC_INFO: apiVersion %.60q is not %s or %s", request.APIVersion, execCredentialV1, strings.TrimPrefix(execCredentialBeta, execCredentialGroup)),
		Hint:    "write apiVersion: " + execCredentialV1 + " where the kubeconfig names zen",
	}
}
