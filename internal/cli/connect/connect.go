// Package connect has the command that prints a program's first lines.
package connect

import (
	"embed"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/text"
)

//go:embed lines
var lines embed.FS

// language is a way to connect.
type language struct {
	name, comment string
	// install gets the client, and run starts the program.
	install, run string
	// own says that the program gets its tokens by itself.
	own bool
}

var languages = []language{
	{name: "node", comment: "//", install: "npm install @libsql/client", run: "node app.mjs"},
	{name: "drizzle", comment: "//", install: "npm install drizzle-orm @libsql/client", run: "node app.mjs"},
	{name: "python", comment: "#", install: "pip install libsql", run: "python3 app.py"},
	{name: "rust", comment: "//", install: "cargo add libsql tokio --features tokio/full", run: "cargo run"},
	{name: "go", comment: "//", install: "go get github.com/zen-auth/zen/core", run: "go run .", own: true},
}

// Languages returns the languages of zen connect.
func Languages() []string {
	var names []string
	for _, l := range languages {
		names = append(names, l.name)
	}
	return names
}

// Command is zen connect.
func Command() *cli.Command {
	return &cli.Command{
		Name:      "connect",
		Usage:     "print the lines that connect a program to the profile's database",
		ArgsUsage: strings.Join(Languages(), "|"),
		Description: `The lines read the database's URL and its token from the environment, which
zen exec sets; those in Go get their tokens themselves. No secret is printed.

   zen connect node >app.mjs`,
		BashComplete: func(c *cli.Context) {
			for _, name := range Languages() {
				fmt.Fprintln(c.App.Writer, name)
			}
		},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return app.Usage(c, "name one of %s", strings.Join(Languages(), ", "))
			}
			return run(app.EnvOf(c), c.Args().First())
		},
	}
}

func run(e *app.Env, name string) error {
	for _, l := range languages {
		if l.name == name {
			return l.print(e)
		}
	}
	hint := "zen connect knows " + strings.Join(Languages(), ", ")
	if near := text.Nearest(name, Languages()); near != "" {
		hint = "did you mean " + near + "?"
	}
	return &provider.Error{Kind: app.ErrUsage, Message: fmt.Sprintf("there are no lines for %.40q", name), Hint: hint}
}

func (l language) print(e *app.Env) error {
	cfg, err := config.Load(e.Config)
	if err != nil {
		return err
	}
	p, err := cfg.Profile("")
	if err != nil {
		return err
	}
	code, err := fs.ReadFile(lines, "lines/"+l.name)
	if err != nil {
		return err
	}
	start, body := l.run, string(code)
	if !l.own {
		start = "zen exec -- " + l.run
	}
	if chosen := e.Config.Flags.Profile; chosen != "" && l.own {
		body = strings.Replace(body, "core.Database{}", fmt.Sprintf("core.Database{Profile: %q}", p.Name.Value), 1)
	} else if chosen != "" {
		start = "zen exec --profile " + p.Name.Value + " -- " + l.run
	}
	if e.JSON {
		return e.PrintJSON(struct {
			SchemaVersion int    `json:"schema_version"`
			Profile       string `json:"profile"`
			Database      string `json:"database,omitempty"`
			Language      string `json:"language"`
			Install       string `json:"install"`
			Run           string `json:"run"`
			Code          string `json:"code"`
		}{app.SchemaVersion, p.Name.Value, p.Database.Value, l.name, l.install, start, body})
	}
	var head strings.Builder
	if p.Database.Value != "" {
		fmt.Fprintf(&head, "%s Connects to %s.\n", l.comment, app.OneLine(p.Database.Value))
	}
	fmt.Fprintf(&head, "%s %s\n%s %s\n\n", l.comment, l.install, l.comment, start)
	_, err = io.WriteString(e.Out, head.String()+body)
	return err
}
