// Package team sets up an OpenBao for a stack, as docs/teams.md does for the real
// services: only OpenBao has the organization's API token, people sign in to it with
// their Clerk session, CI jobs with GitHub's statements, and policies say who gets what.
//
//	people  admins of an organization in Clerk get its database rw, members ro
//	github  jobs of the stack's repository get one database, ro
package team

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/bao"
	"github.com/zen-auth/zen/devstack/ci"
	"github.com/zen-auth/zen/devstack/turso"
)

const (
	secretsPlugin = "openbao-plugin-secrets-turso"
	authPlugin    = "openbao-plugin-auth-clerk"
	// Audience is the audience of statements for this OpenBao.
	Audience = "https://openbao.example.test"
	// Template is Clerk's JWT template that identifies a person to OpenBao.
	Template = "openbao"
)

// Organizations of the seed that have a database of their own, app-SLUG.
var organizations = []string{"acme", "globex"}

// Options say where things are.
type Options struct {
	// Program is bao's path; Plugins the directory with both plugins.
	Program, Plugins string
	// Dir is for what OpenBao keeps. It has to be there.
	Dir string
}

// Team is a running OpenBao, set up. Close it.
type Team struct {
	Server *bao.Server
	stack  *devstack.Stack
	// held is the name of OpenBao's first API token; admin is one that may create others,
	// as an administrator of the organization has.
	held  turso.APIToken
	admin string
}

// ErrPlugins says that the directory doesn't have the plugins.
var ErrPlugins = errors.New("OpenBao's plugins are missing")

// Start starts an OpenBao and sets it up for the stack.
func Start(ctx context.Context, stack *devstack.Stack, o Options) (*Team, error) {
	for _, name := range []string{secretsPlugin, authPlugin} {
		if _, err := os.Stat(filepath.Join(o.Plugins, name)); err != nil {
			return nil, fmt.Errorf("%w: there is no %s in %s", ErrPlugins, name, o.Plugins)
		}
	}
	// A server refuses a plugin directory that is reached by a symbolic link.
	plugins, err := filepath.EvalSymlinks(o.Plugins)
	if err != nil {
		return nil, err
	}
	server, err := bao.Start(ctx, bao.Options{Program: o.Program, Dir: o.Dir, Plugins: plugins})
	if err != nil {
		return nil, err
	}
	t := &Team{Server: server, stack: stack}
	if err := t.setUp(ctx, plugins); err != nil {
		return nil, errors.Join(fmt.Errorf("set OpenBao up: %w", err), t.Close())
	}
	return t, nil
}

// Close stops OpenBao.
func (t *Team) Close() error { return t.Server.Stop() }

type object = map[string]any

func (t *Team) setUp(ctx context.Context, plugins string) error {
	if err := t.Server.Init(ctx); err != nil {
		return err
	}
	for name, kind := range map[string]string{secretsPlugin: "secret", authPlugin: "auth"} {
		if err := t.Server.Register(ctx, kind, name, filepath.Join(plugins, name), ""); err != nil {
			return err
		}
	}
	if err := t.prepareStack(); err != nil {
		return err
	}
	if err := t.mount(ctx); err != nil {
		return err
	}
	return t.grant(ctx)
}

// prepareStack makes what a team has at Turso and Clerk: a database for each
// organization, an API token that may make others, and the template.
func (t *Team) prepareStack() error {
	for _, name := range organizations {
		if _, err := t.stack.Turso.CreateDatabase(devstack.Organization, "app-"+name); err != nil && !errors.Is(err, turso.ErrExists) {
			return err
		}
	}
	var err error
	t.admin, err = t.stack.Turso.CreateAPIToken(devstack.User, turso.APIToken{Name: fmt.Sprintf("admin-%d", time.Now().UnixNano())})
	if err != nil {
		return err
	}
	t.held = turso.APIToken{Name: fmt.Sprintf("openbao-%d", time.Now().UnixNano()), Organization: devstack.Organization}
	claims, err := json.Marshal(object{
		"aud": Audience, "org_id": "{{org.id}}", "org_slug": "{{org.slug}}", "org_role": "{{org.role}}", "email": "{{user.primary_email_address}}",
	})
	if err != nil {
		return err
	}
	return t.stack.Clerk.SetTemplate(Template, claims, 0)
}

func (t *Team) mount(ctx context.Context) error {
	clerk, github := t.stack.Clerk, t.stack.CI.Issuer("github")
	held, err := t.stack.Turso.CreateAPIToken(devstack.User, t.held)
	if err != nil {
		return err
	}
	return t.writeAll(ctx, []entry{
		{"sys/mounts/turso", object{"type": secretsPlugin, "description": "tokens for Turso's databases"}},
		{"turso/config", object{"api_token": held, "api_token_name": t.held.Name, "organization": devstack.Organization, "group": "default", "api_url": t.stack.URL()}},
		{"sys/auth/clerk", object{"type": authPlugin, "description": "Clerk API keys"}},
		{"auth/clerk/config", object{"secret_key": clerk.SecretKey(), "instance": clerk.PublishableKey(), "api_url": clerk.BackendURL()}},
		{"sys/auth/people", object{"type": "jwt", "description": "people, by their Clerk session"}},
		{"auth/people/config", object{"jwks_url": clerk.Issuer() + "/.well-known/jwks.json", "bound_issuer": clerk.Issuer()}},
		{"sys/auth/github", object{"type": "jwt", "description": "GitHub Actions"}},
		{"auth/github/config", object{"oidc_discovery_url": github, "bound_issuer": github}},
	})
}

// grant configures who gets what. Everything is bound to ids, because names can be taken
// over.
func (t *Team) grant(ctx context.Context) error {
	accessor, err := t.accessor(ctx, "people")
	if err != nil {
		return err
	}
	var ids []string
	for _, slug := range organizations {
		id, err := t.organizationID(ctx, slug)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	job := ci.DefaultJob()
	strict := func(more object) object {
		role := object{
			"role_type": "jwt", "bound_audiences": Audience, "token_ttl": "1h", "token_no_default_policy": false,
			"expiration_leeway": -1, "not_before_leeway": 5, "clock_skew_leeway": 5,
		}
		maps.Copy(role, more)
		return role
	}
	own := "app-{{identity.entity.aliases." + accessor + ".metadata.org_slug}}"
	mappings := object{"org_slug": "org_slug", "email": "email"}
	for _, name := range []string{"team-rw", "team-ro", "ci"} {
		hcl := fmt.Sprintf("path %q {\n  capabilities = [\"read\"]\n}\n", "turso/creds/"+name)
		if err := t.Server.Policy(ctx, name, hcl); err != nil {
			return err
		}
	}
	return t.writeAll(ctx, []entry{
		{"turso/roles/team-rw", object{"database": own, "access": "rw"}},
		{"turso/roles/team-ro", object{"database": own, "access": "ro"}},
		{"turso/roles/ci", object{"database": "app-acme", "access": "ro", "ttl": "5m"}},
		{"auth/people/role/admin", strict(object{
			"user_claim": "sub", "claim_mappings": mappings, "bound_claims": object{"org_id": ids, "org_role": "org:admin"}, "token_policies": "team-rw,team-ro",
		})},
		{"auth/people/role/member", strict(object{
			"user_claim": "sub", "claim_mappings": mappings, "bound_claims": object{"org_id": ids}, "token_policies": "team-ro",
		})},
		{"auth/github/role/ci", strict(object{
			"user_claim": "repository_id", "claim_mappings": object{"repository": "repository", "job_workflow_ref": "workflow"},
			"bound_claims": object{"repository_id": fmt.Sprint(job.RepositoryID), "ref": job.Ref}, "token_policies": "ci", "token_ttl": "10m",
		})},
	})
}

// entry is written to a path.
type entry struct {
	path string
	body object
}

func (t *Team) writeAll(ctx context.Context, entries []entry) error {
	for _, e := range entries {
		if err := t.Server.Write(ctx, e.path, e.body); err != nil {
			return fmt.Errorf("write %s: %w", e.path, err)
		}
	}
	return nil
}

func (t *Team) accessor(ctx context.Context, mount string) (string, error) {
	mounts, err := t.Server.Read(ctx, "sys/auth")
	if err != nil {
		return "", err
	}
	about, _ := mounts[mount+"/"].(map[string]any)
	accessor, _ := about["accessor"].(string)
	if accessor == "" {
		return "", fmt.Errorf("auth/%s has no accessor", mount)
	}
	return accessor, nil
}

// organizationID asks Clerk, as an operator would look it up.
func (t *Team) organizationID(ctx context.Context, slug string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.stack.Clerk.BackendURL()+"/organizations/"+slug, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+t.stack.Clerk.SecretKey())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var o struct{ ID string }
	if err := json.NewDecoder(resp.Body).Decode(&o); err != nil || o.ID == "" {
		return "", fmt.Errorf("there is no organization %s at Clerk (%s): is it in the seed?", slug, resp.Status)
	}
	return o.ID, nil
}

// Environment adds the profiles alice, bob and ci to the configuration that the stack
// wrote, and returns the variables that go beside the stack's. The profile is alice's;
// for bob and ci, OpenBao's roles are others.
func (t *Team) Environment(configFile string) ([]devstack.Variable, error) {
	var b strings.Builder
	database := func(name string) string {
		for _, db := range t.stack.Turso.Databases(devstack.Organization) {
			if db.Name == name {
				return fmt.Sprintf("database = %q\ndatabase_id = %q\n", t.stack.URL()+db.Path, db.ID)
			}
		}
		return ""
	}
	for _, profile := range []struct{ name, database, provider string }{
		{"alice", "app-acme", "clerk"}, {"bob", "app-globex", "clerk"}, {"ci", "app-acme", "oidc"},
	} {
		fmt.Fprintf(&b, "[profiles.%s]\n%sprovider = %q\ntoken_provider = \"openbao\"\n\n", profile.name, database(profile.database), profile.provider)
	}
	fmt.Fprintf(&b, "[providers.openbao]\naddress = %q\naudience = %q\nauth_mount = \"people\"\nauth_role = \"admin\"\nrole = \"team-rw\"\n", t.Server.URL, Audience)
	file, err := os.OpenFile(configFile, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = file.WriteString(b.String())
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return []devstack.Variable{
		{Name: "ZEN_PROFILE", Value: "alice"},
		{Name: "ZEN_CLERK__ASSERTION_TEMPLATE", Value: Template},
		{Name: "BAO_ADDR", Value: t.Server.URL},
		// BAO_TOKEN is left out, because a shell shouldn't have a root token by default.
		{Name: "ZEN_DEV_BAO_TOKEN", Value: t.Server.Token},
		{Name: "ZEN_DEV_BAO_AUDIT", Value: t.Server.AuditLog()},
		{Name: "ZEN_DEV_TURSO_ADMIN", Value: t.admin},
	}, nil
}
