package main

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/provider"
)

func TestLookup(t *testing.T) {
	f := newFakeAPI(t)
	p := f.configured(nil)
	got, replaced, err := p.Database(t.Context(), provider.LookupRequest{Name: "app"})
	want := provider.Database{Name: "app", Target: provider.Target{URL: "libsql://app-acme.turso.io", DatabaseID: "id-app"}, Organization: "acme", Group: "default"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil || replaced != nil {
		t.Error(diff, err)
	}
	if got, _, err = p.Database(t.Context(), provider.LookupRequest{Name: "local"}); err != nil || got.Target.URL != "http://127.0.0.1:8080/dbs/local" {
		t.Errorf("on this machine: %+v, %v", got, err)
	}
	if got, _, err = p.Database(t.Context(), provider.LookupRequest{Name: "app", Organization: "evil"}); !errors.Is(err, provider.ErrPermission) {
		t.Errorf("in another organization: %+v, %v", got, err)
	}
	if _, _, err = p.Database(t.Context(), provider.LookupRequest{Name: "nothing"}); !errors.Is(err, provider.ErrConfig) ||
		err.Error() != `there is no database "nothing" in the organization acme` {
		t.Errorf("no such name: %v", err)
	}

	var names []string
	list := func(p *platform, req provider.LookupRequest) error {
		names = nil
		_, err := p.Databases(t.Context(), req, func(d provider.Database) error { names = append(names, d.Name); return nil })
		return err
	}
	if err := list(p, provider.LookupRequest{}); err != nil || !cmp.Equal(names, []string{"app", "local", "other", "renamed", "west"}) {
		t.Errorf("%q, %v", names, err)
	}
	stop := errors.New("stop")
	if _, err := p.Databases(t.Context(), provider.LookupRequest{}, func(provider.Database) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}

	// The API token of a sign-in works as well as the environment's.
	alone := f.configured(map[string]string{keyAPIToken: ""})
	if err := list(alone, provider.LookupRequest{}); !errors.Is(err, provider.ErrNoCredential) {
		t.Errorf("without an API token: %v", err)
	}
	data, err := stored{Source: sourceTyped, APIToken: plantedToken, Organization: "alice"}.secret()
	if err != nil {
		t.Fatal(err)
	}
	if err := list(alone, provider.LookupRequest{Credential: &provider.Credential{Data: data}}); err != nil || !cmp.Equal(names, []string{"mine"}) {
		t.Errorf("%q, %v", names, err)
	}
	f.fail["GET /v1/organizations/acme/databases/app"] = func(w http.ResponseWriter, _ *http.Request) { reply(w, 503, "") }
	if _, _, err := p.Database(t.Context(), provider.LookupRequest{Name: "app"}); !errors.Is(err, provider.ErrUnavailable) {
		t.Errorf("while the API is down: %v", err)
	}
}
