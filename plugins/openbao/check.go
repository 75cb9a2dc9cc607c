package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/zen-auth/zen/core/provider"
)

// Check implements provider.Provider. Without a sign-in of its own, the identity for
// OpenBao isn't known here, so only the server is checked.
func (p *openbao) Check(ctx context.Context, req provider.CheckRequest, report func(provider.Finding) error) (*provider.Credential, error) {
	finding := p.checkServer(ctx)
	if err := report(finding); err != nil || finding.Severity == provider.SeverityError {
		return nil, err
	}
	s, err := p.open(ctx, req.Credential, nil, nil, false)
	if errors.Is(err, provider.ErrNoCredential) || errors.Is(err, provider.ErrTokenExpired) {
		return nil, report(provider.Finding{ID: "role", Severity: provider.SeveritySkipped, Kind: provider.Kind(err), Text: "not looked at: " + err.Error(), Hint: provider.Hint(err)})
	}
	if err != nil {
		return s.changed, report(provider.Failed("token", err))
	}
	return s.changed, report(p.checkRole(ctx, s))
}

// checkServer asks for the server's state.
func (p *openbao) checkServer(ctx context.Context) provider.Finding {
	if p.http == nil {
		return provider.Failed("server", &provider.Error{Kind: provider.ErrConfig, Message: "openbao: not configured", Hint: "set " + keyRole})
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c := call{what: "ask for the server's health", method: http.MethodGet, path: "sys/health"}
	resp, data, err := p.request(ctx, *p.settings.address, c)
	if err != nil {
		return provider.Failed("server", err)
	}
	var health struct {
		Initialized *bool
		Sealed      bool
		Standby     bool
		Version     string
	}
	address := p.place("").Address
	switch {
	case json.Unmarshal(data, &health) != nil || health.Initialized == nil:
		return provider.Failed("server", &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("openbao: what is at %s is neither OpenBao nor Vault (status %d)", address, resp.StatusCode), Hint: "check " + keyAddress})
	case !*health.Initialized:
		return provider.Failed("server", &provider.Error{Kind: provider.ErrUnavailable, Message: "openbao: the server at " + address + " is not initialized", Hint: "bao operator init"})
	case health.Sealed:
		return provider.Failed("server", &provider.Error{Kind: provider.ErrUnavailable, Message: "openbao: the server at " + address + " is sealed", Hint: "an operator has to unseal it: bao operator unseal"})
	}
	text := fmt.Sprintf("%s is version %s", address, oneLine(health.Version))
	if health.Standby {
		text += ", a standby node"
	}
	return provider.Finding{ID: "server", Severity: provider.SeverityOK, Text: text}
}

// checkRole asks what the token may do at the role's path. It issues no database token.
func (p *openbao) checkRole(ctx context.Context, s session) provider.Finding {
	path := p.settings.mount + "/creds/" + p.settings.role
	a, err := p.do(ctx, call{
		what: "ask for the capabilities at " + path, method: http.MethodPost, path: "sys/capabilities-self", token: s.token, body: map[string][]string{"paths": {path}},
	})
	if errors.Is(err, provider.ErrPermission) {
		if _, err := p.lookup(ctx, s.token); err != nil {
			return provider.Failed("token", err)
		}
	}
	if err != nil {
		return provider.Failed("role", err)
	}
	var capabilities map[string][]string
	if json.Unmarshal(a.Data, &capabilities) != nil {
		return provider.Failed("role", &provider.Error{Kind: provider.ErrUnavailable, Message: "openbao: the answer has no capabilities"})
	}
	if list := capabilities[path]; !slices.Contains(list, "read") && !slices.Contains(list, "root") {
		return provider.Failed("role", denied(&provider.Error{Kind: provider.ErrPermission, Message: "permission denied"}, path))
	}
	return provider.Finding{ID: "role", Severity: provider.SeverityOK, Text: path + " may be read"}
}
