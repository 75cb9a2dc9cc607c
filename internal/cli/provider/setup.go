package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/text"
	"github.com/zen-auth/zen/internal/zen"
)

// maxTemplate bounds what is read as a template.
const maxTemplate = 64 << 10

func providerSetupCommand() *cli.Command {
	return &cli.Command{
		Name:      "setup",
		Usage:     "show what a provider needs at its issuer, for the profile's database",
		ArgsUsage: "NAME",
		Description: `Prints the steps, and files that do some of them, without using the network. The claims
that Turso requires in tokens for the database come from Turso itself:

   turso org jwks template --database app --scope full-access >rw.json
   turso org jwks template --database app --scope read-only >ro.json
   zen provider setup auth0 --template rw.json --read-only-template ro.json --write setup

A page that lets your app authorise terminals, for one of the listed frameworks:

   zen provider setup clerk --topic bridge-next --write .`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "topic", Usage: "print only what is about `TOPIC`"},
			&cli.StringFlag{Name: "template", Usage: "read the claims of a token for the database from `FILE`, or from standard input if it is -"},
			&cli.StringFlag{Name: "read-only-template", Usage: "read the claims of a read-only token from `FILE`"},
			&cli.StringFlag{Name: "write", Usage: "write the files into `DIR`, which must not contain any of them yet"},
		},
		Action:       providerSetup,
		BashComplete: completeInstalled,
	}
}

func providerSetup(c *cli.Context) error {
	name, err := oneArgument(c, "NAME")
	if err != nil {
		return err
	}
	template, err := readTemplate(c, "template")
	if err != nil {
		return err
	}
	readOnly, err := readTemplate(c, "read-only-template")
	if err != nil {
		return err
	}
	return client.With(c.Context, app.EnvOf(c), func(client *zen.Client) error {
		profile, err := client.Config.Profile("")
		if err != nil {
			return err
		}
		p, err := client.Providers.Open(c.Context, name)
		if err != nil {
			return err
		}
		setup, err := p.Setup(c.Context, provider.SetupRequest{
			Topic: c.String("topic"),
			Purpose: provider.Purpose{
				Target: profile.Target(), Access: profile.Access.Value, Permissions: profile.Permissions.Value,
				Template: template, ReadOnlyTemplate: readOnly,
			},
		})
		if errors.Is(err, errors.ErrUnsupported) {
			return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("provider %s says nothing about its setup", name)}
		}
		if err != nil {
			return err
		}
		if dir := c.String("write"); dir != "" {
			if err := writeFiles("--write", dir, setup.Files, "name another directory, or move that file away"); err != nil {
				return err
			}
		}
		if app.GlobalBool(c, "json") {
			return app.PrintJSON(c, newSetupDocument(setup))
		}
		return printSetup(c.App.Writer, setup, c.String("write"))
	})
}

// readTemplate reads what Turso printed; "" if the flag is not given.
func readTemplate(c *cli.Context, flag string) (string, error) {
	path := c.String(flag)
	if path == "" {
		return "", nil
	}
	in, err := app.Input(c.Context, c.App.Reader, path)
	var content []byte
	if err == nil {
		defer in.Close()
		content, err = io.ReadAll(io.LimitReader(in, maxTemplate+1))
	}
	switch {
	case c.Context.Err() != nil:
		return "", c.Context.Err()
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return "", &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("--%s: %v", flag, err), Err: err}
	}
	var claims map[string]any
	if err != nil || len(content) > maxTemplate || json.Unmarshal(content, &claims) != nil {
		return "", &provider.Error{
			Kind: provider.ErrConfig, Message: fmt.Sprintf("--%s %s is not a JSON object", flag, app.OneLine(path)),
			Hint: "it is what turso org jwks template prints",
		}
	}
	return string(content), nil
}

// printSetup draws text from the provider: none of it may reach the terminal as it is.
func printSetup(w io.Writer, s provider.Setup, written string) error {
	var b strings.Builder
	for i, step := range s.Steps {
		fmt.Fprintf(&b, "%d. %s\n", i+1, app.OneLine(step.Title))
		if step.URL != "" {
			fmt.Fprintf(&b, "   %s\n", app.OneLine(step.URL))
		}
		for line := range strings.Lines(text.Lines(step.Text)) {
			fmt.Fprintf(&b, "   %s\n", strings.TrimRight(line, "\n"))
		}
		b.WriteString("\n")
	}
	for _, f := range s.Files {
		if written != "" {
			fmt.Fprintf(&b, "%s  %s\n", filepath.Join(written, filepath.FromSlash(app.OneLine(f.Path))), app.OneLine(f.Doc))
			continue
		}
		fmt.Fprintf(&b, "--- %s: %s\n%s\n", app.OneLine(f.Path), app.OneLine(f.Doc), strings.TrimRight(text.Lines(f.Text), "\n"))
	}
	for _, t := range s.Topics {
		fmt.Fprintf(&b, "--topic %s  %s\n", app.OneLine(t.Name), app.OneLine(t.Doc))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

type setupDocument struct {
	SchemaVersion int          `json:"schema_version"`
	Issuer        string       `json:"issuer,omitempty"`
	KeySetURL     string       `json:"key_set_url,omitempty"`
	Endpoints     []string     `json:"endpoints"`
	Steps         []setupStep  `json:"steps"`
	Files         []setupFile  `json:"files"`
	Topics        []setupTopic `json:"topics"`
}

type setupStep struct {
	Title string `json:"title"`
	Text  string `json:"text"`
	URL   string `json:"url,omitempty"`
}

type setupFile struct {
	Path    string `json:"path"`
	Doc     string `json:"doc"`
	Text    string `json:"text"`
	Program bool   `json:"program"`
}

type setupTopic struct {
	Name string `json:"name"`
	Doc  string `json:"doc"`
}

func newSetupDocument(s provider.Setup) setupDocument {
	d := setupDocument{SchemaVersion: app.SchemaVersion, Endpoints: append([]string{}, s.Endpoints...), Steps: []setupStep{}, Files: []setupFile{}, Topics: []setupTopic{}}
	if s.Issuer != nil {
		d.Issuer, d.KeySetURL = s.Issuer.Issuer, s.Issuer.KeySetURL
	}
	for _, step := range s.Steps {
		d.Steps = append(d.Steps, setupStep(step))
	}
	for _, f := range s.Files {
		d.Files = append(d.Files, setupFile(f))
	}
	for _, t := range s.Topics {
		d.Topics = append(d.Topics, setupTopic(t))
	}
	return d
}
