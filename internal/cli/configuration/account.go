package configuration

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/turso"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/platform"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/private"
	"github.com/zen-auth/zen/internal/zen"
)

// account is an organization at Turso that can be asked; api is nil if none can.
type account struct {
	api          *turso.Client
	organization string
	databases    []turso.Database
}

// openAccount takes the API token of the environment or, after a yes, the one that the
// turso CLI has, which is used now and kept nowhere.
func openAccount(c *cli.Context, z *zen.Client, q *asker, there *surroundings) (*account, error) {
	a := &account{}
	api, err := platform.Open(z, "")
	switch {
	case err == nil:
		a.api, a.organization = api.Client, api.Organization
	case !errors.Is(err, platform.ErrNoToken):
		return nil, err
	default:
		if err := a.ofTursoCLI(c, q); err != nil || a.api == nil {
			return a, err
		}
	}
	a.organization = cmp.Or(c.String("org"), a.organization, there.value("organization"))
	if err := a.chooseOrganization(c, q); err != nil {
		return nil, err
	}
	for d, err := range a.api.Databases(c.Context, a.organization, turso.DatabaseFilter{}) {
		if err != nil {
			fmt.Fprintf(app.Notes(c), "The databases can't be listed: %s\n", app.OneLine(err.Error()))
			a.databases = nil
			break
		}
		a.databases = append(a.databases, d)
	}
	if len(a.databases) > 0 {
		fmt.Fprintf(app.Notes(c), "Databases at Turso: %s.\n", app.OneLine(strings.Join(a.names(12), ", ")))
	}
	return a, c.Context.Err()
}

// chooseOrganization asks which organization, if none is configured. What can't be
// asked shows when the databases are listed.
func (a *account) chooseOrganization(c *cli.Context, q *asker) error {
	if a.organization != "" {
		return nil
	}
	organizations, err := a.api.Organizations(c.Context)
	if err != nil {
		return nil //nolint:nilerr // listing the databases says it
	}
	var slugs []string
	usual := ""
	for _, o := range organizations {
		slugs = append(slugs, o.Slug)
		if o.Type == "personal" || len(organizations) == 1 {
			usual = o.Slug
		}
	}
	a.organization = usual
	if len(slugs) > 1 {
		a.organization = q.ask("org", "Turso's organization ("+strings.Join(slugs, ", ")+")", usual)
	}
	return q.err
}

// names returns the names of the databases, the first most of them.
func (a *account) names(most int) []string {
	var names []string
	for i, d := range a.databases {
		if i == most {
			return append(names, fmt.Sprintf("and %d more", len(a.databases)-most))
		}
		names = append(names, d.Name)
	}
	return names
}

// only returns the name of the only database.
func (a *account) only() string {
	if len(a.databases) == 1 {
		return a.databases[0].Name
	}
	return ""
}

// resolve takes a URL, or looks a name up.
func (a *account) resolve(ctx context.Context, z *zen.Client, database string) (provider.Target, error) {
	if zen.IsName(database) {
		for _, d := range a.databases {
			if d.Name == database {
				return provider.Target{URL: d.URL(), DatabaseID: d.ID}, nil
			}
		}
		return z.Resolve(ctx, database)
	}
	url, err := config.ParseDatabase(database)
	if err != nil {
		return provider.Target{}, err
	}
	target := provider.Target{URL: url}
	for _, d := range a.databases {
		if turso.Serves(d.Hostname, url) {
			target.DatabaseID = d.ID
		}
	}
	return target, nil
}

// tursoSettings returns the path of the turso CLI's settings, or "" if there are none.
func tursoSettings() string {
	dir := os.Getenv("TURSO_CONFIG_FOLDER")
	if dir == "" {
		base, err := os.UserConfigDir() // as the turso CLI has it, on Windows, macOS and elsewhere
		if err != nil {
			return ""
		}
		dir = filepath.Join(base, "turso")
	}
	path := filepath.Join(dir, "settings.json")
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return path
}

// ofTursoCLI reads the turso CLI's settings, after a yes alone: they have a token for all
// that its user may do.
func (a *account) ofTursoCLI(c *cli.Context, q *asker) error {
	path := tursoSettings()
	if path == "" {
		if c.Bool("turso-settings") {
			return &provider.Error{Kind: app.ErrUsage, Message: "the turso CLI has no settings here", Hint: "turso auth login makes them; TURSO_CONFIG_FOLDER names another directory"}
		}
		return nil
	}
	if !c.Bool("turso-settings") {
		if !q.asking {
			return nil
		}
		yes, err := q.ui.Confirm(c.Context, "The turso CLI is signed in. Read its settings, to list the databases? They have a token, which is not kept")
		if err != nil || !yes {
			return err
		}
	}
	text, err := private.ReadRegular(path, 1<<20)
	if err != nil {
		return &provider.Error{Kind: provider.ErrConfig, Message: "read the turso CLI's settings: " + err.Error(), Err: err}
	}
	var settings struct{ Organization, Token, BaseURL string }
	if err := json.Unmarshal(text, &settings); err != nil {
		// Its text could have a piece of the token in it.
		return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("the turso CLI's settings in %s can't be read", path), Hint: "leave them out: --database libsql://HOST"}
	}
	a.organization = settings.Organization // "" is the personal one, or the token's
	if settings.Token == "" {
		return nil
	}
	a.api, err = turso.New(turso.Options{
		BaseURL: cmp.Or(os.Getenv("TURSO_API_BASEURL"), settings.BaseURL), UserAgent: "zen",
		Token: func(context.Context) (string, error) { return settings.Token, nil },
	})
	if err != nil {
		return &provider.Error{Kind: provider.ErrConfig, Message: err.Error(), Hint: "check TURSO_API_BASEURL", Err: err}
	}
	return nil
}
