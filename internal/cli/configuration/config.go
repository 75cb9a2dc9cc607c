// Package configuration has the commands that write and explain the configuration.
package configuration

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/text"
)

// Command is zen config.
func Command() *cli.Command {
	set := func(c *cli.Context, remove bool) error {
		want, usage := 2, "give a key and a value: zen config set profiles.default.access ro"
		if remove {
			want, usage = 1, "give a key: zen config unset profiles.default.access"
		}
		if c.NArg() != want {
			return app.Usage(c, "%s", usage)
		}
		cfg, err := config.Load(app.EnvOf(c).Config)
		if err != nil {
			return err
		}
		changes := []config.Change{{Key: fullKey(cfg, c.Args().First()), Value: c.Args().Get(1), Remove: remove}}
		stale := staleID(cfg, changes[0])
		if stale != "" {
			changes = append(changes, config.Change{Key: stale, Remove: true})
		}
		if _, _, err = cfg.Apply(changes, false); err == nil && stale != "" {
			fmt.Fprintf(app.Notes(c), "%s was the id of the database before, and is taken out\n", stale)
		}
		return err
	}
	return &cli.Command{
		Name:  "config",
		Usage: "read and write the configuration",
		Description: `   zen config list --origin
   zen config set database libsql://app-acme.turso.io
   zen config set providers.clerk.template turso
   zen config unset profiles.work.access

A key is default_profile, profiles.NAME.KEY or providers.NAME.KEY; KEY alone is a key of
the selected profile. Changes keep the file's comments and order. Don't put secrets into
the file.`,
		Subcommands: []*cli.Command{
			{Name: "path", Usage: "print the path of the file", Action: func(c *cli.Context) error {
				cfg, err := config.Load(app.EnvOf(c).Config)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(c.App.Writer, cfg.Paths.ConfigFile)
				return err
			}},
			{Name: "get", Usage: "print a value of the selected profile, or of another: profiles.NAME.KEY", ArgsUsage: "KEY", Action: get},
			{
				Name: "list", Usage: "print the values of the selected profile", Action: list,
				Flags: []cli.Flag{&cli.BoolFlag{Name: "origin", Usage: "show where each comes from"}},
			},
			{Name: "set", Usage: "write a value into the file", ArgsUsage: "KEY VALUE", Action: func(c *cli.Context) error { return set(c, false) }},
			{Name: "unset", Usage: "remove a value from the file", ArgsUsage: "KEY", Action: func(c *cli.Context) error { return set(c, true) }},
			{Name: "check", Usage: "check whether the files can be read", Action: func(c *cli.Context) error {
				cfg, err := config.Load(app.EnvOf(c).Config)
				if err == nil {
					_, err = cfg.Profile("")
				}
				if err == nil {
					fmt.Fprintln(app.Notes(c), "the configuration is good")
				}
				return err
			}},
			{Name: "edit", Usage: "open the file in $VISUAL or $EDITOR", Action: edit},
		},
	}
}

// staleID returns the key of a profile's database_id, where the change gives the profile another
// database and the file has the id of the one before.
func staleID(cfg *config.Config, change config.Change) string {
	profile, ok := strings.CutSuffix(change.Key, ".database")
	name, isProfile := strings.CutPrefix(profile, "profiles.")
	if !ok || !isProfile {
		return ""
	}
	p, err := cfg.Profile(name)
	if err != nil || p.DatabaseID.Origin.Kind != config.KindUserFile || p.Database.Value == change.Value {
		return ""
	}
	return profile + ".database_id"
}

// fullKey puts a key of a profile into the selected one.
func fullKey(cfg *config.Config, key string) string {
	if strings.Contains(key, ".") || key == "default_profile" || key == "audit" {
		return key
	}
	return "profiles." + cfg.Selected().Value + "." + key
}

type value struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Origin string `json:"origin"`
}

// values returns the values of a profile, of the selected one where none is named. What has
// none is "".
func values(cfg *config.Config, profile string) ([]value, error) {
	p, err := cfg.Profile(profile)
	if err != nil {
		return nil, err
	}
	var permissions []string
	for _, permission := range p.Permissions.Value {
		tables := "all"
		if permission.Tables != nil {
			tables = strings.Join(permission.Tables, ",")
		}
		permissions = append(permissions, tables+":"+strings.Join(text.Strings(permission.Actions), ","))
	}
	return []value{
		{"profile", p.Name.Value, p.Name.Origin.String()},
		{"database", p.Database.Value, p.Database.Origin.String()},
		{"database_id", p.DatabaseID.Value, p.DatabaseID.Origin.String()},
		{"provider", p.Provider.Value, p.Provider.Origin.String()},
		{"token_provider", p.TokenProvider.Value, p.TokenProvider.Origin.String()},
		{"organization", p.Organization.Value, p.Organization.Origin.String()},
		{"fallback", strings.Join(p.Fallback.Value, ","), p.Fallback.Origin.String()},
		{"access", string(p.Access.Value), p.Access.Origin.String()},
		{"permissions", strings.Join(permissions, ";"), p.Permissions.Origin.String()},
		{"storage", p.Storage.Value, p.Storage.Origin.String()},
	}, nil
}

func get(c *cli.Context) error {
	if c.NArg() != 1 {
		return app.Usage(c, "give a key: zen config get database")
	}
	cfg, err := config.Load(app.EnvOf(c).Config)
	if err != nil {
		return err
	}
	asked := c.Args().First()
	profile, key := "", asked
	if i := strings.LastIndexByte(asked, '.'); strings.HasPrefix(asked, "profiles.") && i >= len("profiles.") {
		profile, key = asked[len("profiles."):i], asked[i+1:]
	}
	all, err := values(cfg, profile)
	if err != nil {
		return err
	}
	hint, known := "zen config list shows what has one", make([]string, len(all))
	for i, v := range all {
		if v.Key == key && v.Value != "" {
			_, err := fmt.Fprintln(c.App.Writer, app.OneLine(v.Value))
			return err
		}
		known[i] = v.Key
	}
	if near := text.Nearest(key, known); near != "" && near != key {
		hint = "did you mean " + strings.TrimSuffix(asked, key) + near + "?"
	}
	return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("%.60q has no value", asked), Hint: hint}
}

func list(c *cli.Context) error {
	cfg, err := config.Load(app.EnvOf(c).Config)
	if err != nil {
		return err
	}
	all, err := values(cfg, "")
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(v value) bool { return v.Value == "" })
	if app.GlobalBool(c, "json") {
		return app.PrintJSON(c, struct {
			SchemaVersion int     `json:"schema_version"`
			File          string  `json:"file"`
			Values        []value `json:"values"`
		}{app.SchemaVersion, cfg.Paths.ConfigFile, all})
	}
	table := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	for _, v := range all {
		fmt.Fprintf(table, "%s\t%s", v.Key, app.OneLine(v.Value))
		if c.Bool("origin") {
			fmt.Fprintf(table, "\t%s", v.Origin)
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}

func edit(c *cli.Context) error {
	path, err := config.UserFile(app.EnvOf(c).Config) // also of a file that has to be mended
	if err != nil {
		return err
	}
	editor := strings.Fields(os.Getenv("VISUAL"))
	if len(editor) == 0 {
		editor = strings.Fields(os.Getenv("EDITOR"))
	}
	if len(editor) == 0 {
		return &provider.Error{Kind: app.ErrUsage, Message: "neither VISUAL nor EDITOR names an editor", Hint: "the file is " + path}
	}
	if err := app.RunChild(c.Context, append(editor, path), os.Environ(), c.App.Reader, c.App.Writer, c.App.ErrWriter); err != nil {
		return err
	}
	_, err = config.Load(app.EnvOf(c).Config)
	return err
}
