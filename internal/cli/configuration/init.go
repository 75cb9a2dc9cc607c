package configuration

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/config"
)

// InitCommand is zen init.
func InitCommand() *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "write a profile for a database and a way to sign in",
		Description: `   zen init
   zen init --yes --database app --provider clerk
   zen init --dry-run

Looks first at what is there: .env files and the environment with TURSO_DATABASE_URL,
CLERK_PUBLISHABLE_KEY and AUTH0_DOMAIN under the names that frameworks give them. A
database may be given by its name where TURSO_API_TOKEN is set. Then it asks, with a
default for each question; --yes takes the defaults.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "database", Usage: "the database's `URL`, or its name"},
			&cli.StringFlag{Name: "provider", Usage: "sign in with `PROVIDER`"},
			&cli.StringFlag{Name: "fallback", Usage: "fall back to `PROVIDER`"},
			&cli.StringFlag{Name: "access", Usage: "ask for `ACCESS`: ro or rw"},
			&cli.StringFlag{Name: "publishable-key", Usage: "Clerk's publishable `KEY`"},
			&cli.StringFlag{Name: "bridge-url", Usage: "the `URL` of the page that authorises terminals, for Clerk"},
			&cli.BoolFlag{Name: "yes", Usage: "ask nothing"},
			&cli.BoolFlag{Name: "dry-run", Usage: "show the file, and write nothing"},
		},
		Action: func(c *cli.Context) error {
			if err := app.NoMoreThan(c, 0); err != nil {
				return err
			}
			return initialise(c)
		},
	}
}

// found are the settings that lie around, by what they are.
type found map[string]string

// wantedNames are the variables that are looked for, the best first.
var wantedNames = map[string][]string{
	"database":        {"TURSO_DATABASE_URL", "TURSO_URL", "LIBSQL_URL", "VITE_TURSO_DATABASE_URL", "NEXT_PUBLIC_TURSO_DATABASE_URL", "DATABASE_URL"},
	"publishable_key": {"CLERK_PUBLISHABLE_KEY", "NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY", "VITE_CLERK_PUBLISHABLE_KEY", "EXPO_PUBLIC_CLERK_PUBLISHABLE_KEY"},
	"proxy_url":       {"CLERK_PROXY_URL", "NEXT_PUBLIC_CLERK_PROXY_URL", "VITE_CLERK_PROXY_URL"},
	"auth0_domain":    {"AUTH0_DOMAIN", "VITE_AUTH0_DOMAIN", "NEXT_PUBLIC_AUTH0_DOMAIN"},
	"auth0_client_id": {"AUTH0_CLIENT_ID", "VITE_AUTH0_CLIENT_ID", "NEXT_PUBLIC_AUTH0_CLIENT_ID"},
	"organization":    {"TURSO_ORG", "TURSO_ORGANIZATION"},
}

// lookAround reads the environment and the .env files of a directory.
func lookAround(dir string, environ []string) found {
	variables := map[string]string{}
	read := func(line string) {
		name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "=")
		if name = strings.TrimSpace(name); ok && variables[name] == "" {
			variables[name] = strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	for _, entry := range environ {
		read(entry)
	}
	files, _ := filepath.Glob(filepath.Join(dir, ".env*"))
	slices.Sort(files)
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		for lines := bufio.NewScanner(io.LimitReader(f, 256<<10)); lines.Scan(); {
			read(lines.Text())
		}
		f.Close()
	}
	there := found{}
	for what, names := range wantedNames {
		for _, name := range names {
			if value := variables[name]; value != "" && there[what] == "" {
				there[what] = value
			}
		}
	}
	if there["publishable_key"] == "" {
		there["publishable_key"] = keylessKey(dir)
	}
	if !strings.HasPrefix(there["proxy_url"], "https://") {
		delete(there, "proxy_url") // of a page alone, whose own address comes before it
	}
	if _, err := config.ParseDatabase(there["database"]); err != nil {
		delete(there, "database") // another database's, or a file
	}
	return there
}

// keylessKey is the publishable key that Clerk's development servers keep for an app that
// has none yet, or "". The secret key beside it is left alone.
func keylessKey(dir string) string {
	var kept struct {
		PublishableKey string `json:"publishableKey"`
	}
	content, err := os.ReadFile(filepath.Join(dir, ".clerk", ".tmp", "keyless.json"))
	if err != nil || json.Unmarshal(content, &kept) != nil {
		return ""
	}
	return kept.PublishableKey
}

func initialise(c *cli.Context) error {
	e := app.EnvOf(c)
	e.Config.Flags.Database, e.Config.Flags.Access = "", ""
	asking := e.Interactive() && !c.Bool("yes")
	if !asking && !c.Bool("yes") && !c.Bool("dry-run") {
		return app.Usage(c, "nobody can be asked here: add --yes, and what the defaults lack")
	}
	return client.With(c.Context, e, func(z *core.Client) error {
		there := lookAround(".", os.Environ())
		old, err := z.Config.Profile("")
		if err != nil {
			return err
		}
		q := asker{c: c, ui: app.NewUI(e), asking: asking}
		database := q.ask("database", "The database's URL, or its name at Turso", cmp.Or(old.Database.Value, there["database"]))
		name := q.ask("provider", "Sign in with (clerk, auth0, oidc, apikey, platformtoken, statictoken)", cmp.Or(old.Provider.Value, guess(there)))
		if q.err != nil {
			return q.err
		}
		if database == "" {
			return &provider.Error{Kind: app.ErrUsage, Message: "which database?", Hint: "--database libsql://HOST, or its name with TURSO_API_TOKEN set"}
		}
		target, err := resolve(c.Context, z, database)
		if err != nil {
			return err
		}
		profile := "profiles." + z.Config.Selected().Value + "."
		changes := []config.Change{{Key: profile + "database", Value: target.URL}}
		set := func(key, value string) {
			if value != "" {
				changes = append(changes, config.Change{Key: key, Value: value})
			}
		}
		id := cmp.Or(target.DatabaseID, sameDatabase(old, target))
		set(profile+"database_id", id)
		if id == "" && old.DatabaseID.IsSet() {
			changes = append(changes, config.Change{Key: profile + "database_id", Remove: true}) // another database's
		}
		set(profile+"provider", name)
		set(profile+"fallback", q.ask("fallback", "Fall back to (empty is none)", strings.Join(old.Fallback.Value, ",")))
		set(profile+"access", c.String("access"))
		if name == "clerk" {
			set("providers.clerk.publishable_key", q.ask("publishable-key", "Clerk's publishable key", there["publishable_key"]))
			set("providers.clerk.proxy_url", there["proxy_url"])
			set("providers.clerk.bridge_url", q.ask("bridge-url", "The page of your app that authorises terminals (empty is none)", ""))
		}
		if name == "auth0" {
			set("providers.auth0.domain", there["auth0_domain"])
			set("providers.auth0.client_id", there["auth0_client_id"])
		}
		if name == "platformtoken" {
			set("providers.platformtoken.organization", there["organization"])
		}
		if q.err != nil {
			return q.err
		}
		_, after, err := z.Config.Apply(changes, c.Bool("dry-run"))
		if err != nil {
			return err
		}
		if c.Bool("dry-run") {
			_, err := c.App.Writer.Write(after)
			return err
		}
		return told(c, z, changes, name)
	})
}

// told says what was written, and what comes next.
func told(c *cli.Context, z *core.Client, changes []config.Change, name string) error {
	next := []string{"zen login --provider " + name, "zen doctor", `zen db query "SELECT 1"`}
	if name == "" {
		next[0] = "zen login --provider NAME"
	}
	if app.GlobalBool(c, "json") {
		written := map[string]string{}
		for _, ch := range changes {
			written[ch.Key] = ch.Value
		}
		return app.PrintJSON(c, struct {
			SchemaVersion int               `json:"schema_version"`
			File          string            `json:"file"`
			Written       map[string]string `json:"written"`
			Next          []string          `json:"next"`
		}{app.SchemaVersion, z.Config.Paths.ConfigFile, written, next})
	}
	out := app.Notes(c)
	fmt.Fprintf(out, "Wrote %s:\n", z.Config.Paths.ConfigFile)
	for _, ch := range changes {
		fmt.Fprintf(out, "  %s = %s\n", ch.Key, app.OneLine(ch.Value))
	}
	fmt.Fprintf(out, "Next:\n")
	for _, command := range next {
		fmt.Fprintf(out, "  %s\n", command)
	}
	return nil
}

// guess is the provider that what lies around speaks for.
func guess(there found) string {
	for _, known := range []struct{ what, provider string }{{"publishable_key", "clerk"}, {"auth0_domain", "auth0"}} {
		if there[known.what] != "" {
			return known.provider
		}
	}
	if os.Getenv("TURSO_API_TOKEN") != "" {
		return "platformtoken"
	}
	return ""
}

// resolve takes a URL, or looks a name up.
func resolve(ctx context.Context, z *core.Client, database string) (provider.Target, error) {
	if core.IsName(database) {
		return z.Resolve(ctx, database)
	}
	url, err := config.ParseDatabase(database)
	if err != nil {
		return provider.Target{}, err
	}
	// The id is known where the organization can be asked.
	target := provider.Target{URL: url}
	_ = z.Databases(ctx, func(d provider.Database) error {
		if normal, err := config.ParseDatabase(d.Target.URL); err == nil && normal == url {
			target.DatabaseID = d.Target.DatabaseID
		}
		return nil
	})
	return target, nil
}

// sameDatabase keeps the id that the profile had, if the database is the same.
func sameDatabase(old config.Profile, target provider.Target) string {
	if old.Database.Value == target.URL {
		return old.DatabaseID.Value
	}
	return ""
}

// asker takes the answers from the flags, from a person, or from the defaults.
type asker struct {
	c      *cli.Context
	ui     *app.UI
	asking bool
	err    error
}

func (q *asker) ask(flag, question, usual string) string {
	switch {
	case q.c.IsSet(flag):
		return q.c.String(flag)
	case !q.asking || q.err != nil:
		return usual
	}
	if usual != "" {
		question += " [" + usual + "]"
	}
	answer, err := q.ui.Ask(q.c.Context, question)
	q.err = err
	return cmp.Or(answer, usual)
}
