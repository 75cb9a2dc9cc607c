package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

func findings(t *testing.T, p *clerkProvider) map[string]provider.Finding {
	t.Helper()
	all := map[string]provider.Finding{}
	_, err := p.Check(t.Context(), provider.CheckRequest{}, func(f provider.Finding) error {
		if f.Text == "" || f.Severity != provider.SeverityOK && f.Hint == "" && f.ID != "jwks" && f.ID != "bridge" && f.ID != "native-api" && f.Severity != provider.SeveritySkipped {
			t.Errorf("finding %+v lacks a text or a hint", f)
		}
		all[f.ID] = f
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestCheck(t *testing.T) {
	f := newFakeClerk(t)
	bridge := httptest.NewServer(http.RedirectHandler("https://elsewhere.example/sign-in", http.StatusFound))
	t.Cleanup(bridge.Close)
	p := f.provider(keyBridgeURL, bridge.URL)
	got := findings(t, p)
	for _, name := range []string{"publishable-key", "jwks", "clock", "native-api", "bridge"} {
		if got[name].Severity != provider.SeverityOK {
			t.Errorf("%s: findings = %+v", name, got[name])
		}
	}
	if !strings.Contains(got["jwks"].Text, "ins_1") || !strings.Contains(got["publishable-key"].Text, "development") {
		t.Errorf("findings = %+v", got)
	}

	bridge.Close()
	f.on("/v1/client", 400, nil, `{"errors":[{"code":"native_api_disabled","message":"off"}]}`)
	f.on("/.well-known/jwks.json", 500, nil, "")
	p = f.provider(keyBridgeURL, bridge.URL)
	p.now = func() time.Time { return time.Now().Add(-time.Hour) }
	got = findings(t, p)
	for _, name := range []string{"jwks", "clock", "native-api", "bridge"} {
		if got[name].Severity != provider.SeverityError {
			t.Errorf("%s: findings = %+v", name, got[name])
		}
	}
	if !strings.Contains(got["clock"].Text, "behind Clerk's") || !strings.Contains(got["native-api"].Hint, "dashboard.clerk.com") {
		t.Errorf("findings = %+v", got)
	}
	if got := findings(t, f.provider(keyBridgeURL, "")); got["bridge"].Severity != provider.SeveritySkipped {
		t.Errorf("no bridge: %+v", got["bridge"])
	}

	stop := errors.New("stop")
	if _, err := p.Check(t.Context(), provider.CheckRequest{}, func(provider.Finding) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("Check = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Check(ctx, provider.CheckRequest{}, func(provider.Finding) error { return nil }); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("Check = %v", err)
	}
}

func TestDescribeNeedsNothing(t *testing.T) {
	d, err := newProvider("1.2.3").Describe(t.Context())
	if err != nil || d.Name != "clerk" || d.Version != "1.2.3" || d.Methods[0].Name != methodBridge || len(d.Fields) != 9 {
		t.Errorf("Describe = %+v, %v", d, err)
	}
	for _, field := range d.Fields {
		if field.Sensitive {
			t.Errorf("the setting %s is a secret of the instance, which zen must not need", field.Key)
		}
	}
}
