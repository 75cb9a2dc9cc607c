package provider

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"text/template"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/names"
)

//go:embed scaffold
var scaffold embed.FS

// scaffolded are the files of a new provider; each is scaffold/NAME.tmpl.
var scaffolded = []string{"go.mod", "main.go", "provider.go", "provider_test.go", "README.md"}

func providerNewCommand() *cli.Command {
	return &cli.Command{
		Name:      "new",
		Usage:     "write the beginning of a provider in Go",
		ArgsUsage: "NAME",
		Description: `Writes a Go module with a provider that works, for a database token that somebody
pastes, and its tests. NAME is of lower-case letters, digits and dashes. Files that
are there already are left alone: then nothing is written.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "dir", Usage: "write into `DIR` (default: zen-provider-NAME)"},
			&cli.StringFlag{Name: "module", Usage: "the `PATH` of the module (default: example.com/zen-provider-NAME)"},
		},
		Action: providerNew,
	}
}

func providerNew(c *cli.Context) error {
	if c.NArg() != 1 {
		return app.Usage(c, "the name of the provider is needed")
	}
	name := c.Args().First()
	if !isNewName(name) {
		return app.Usage(c, "provider name %.40q is not of lower-case letters, digits and single dashes, at most 32", name)
	}
	data := struct{ Name, Type, Module, Version, Variable string }{
		name, goName(name), c.String("module"), zenVersion(), config.Variable(name, "token"),
	}
	if data.Module == "" {
		data.Module = "example.com/zen-provider-" + name
	}
	if strings.ContainsAny(data.Module, " \t\r\n\"'`\\") {
		return app.Usage(c, "module path %.60q is none", data.Module)
	}
	dir := c.String("dir")
	if dir == "" {
		dir = "zen-provider-" + name
	}
	if err := writeScaffold(dir, data); err != nil {
		return err
	}
	fmt.Fprintln(c.App.Writer, dir)
	fmt.Fprintf(app.Notes(c), "Wrote a provider into %s. See its README.md for how to build and test it.\n", dir)
	return nil
}

// writeScaffold writes all of the files or, where one is there already, none.
func writeScaffold(dir string, data any) error {
	for _, name := range scaffolded {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return &provider.Error{
				Kind: provider.ErrConfig, Message: fmt.Sprintf("new provider: %s is there already", filepath.Join(dir, name)),
				Hint: "choose another directory with --dir",
			}
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("new provider: %w", err)
	}
	for _, name := range scaffolded {
		parsed, err := template.ParseFS(scaffold, "scaffold/"+name+".tmpl")
		if err != nil {
			return fmt.Errorf("new provider: %w", err)
		}
		var text bytes.Buffer
		if err := parsed.Execute(&text, data); err != nil {
			return fmt.Errorf("new provider: %w", err)
		}
		file, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return fmt.Errorf("new provider: %w", err)
		}
		_, err = file.Write(text.Bytes())
		if err := errors.Join(err, file.Close()); err != nil {
			return fmt.Errorf("new provider: %w", err)
		}
	}
	return nil
}

// isNewName reports whether name can be a provider's in every place: it becomes part
// of a path, of a variable's name and of an identifier.
func isNewName(name string) bool {
	return names.IsProvider(name) && name[0] >= 'a'
}

// goName is the identifier for a provider's name: some-thing is someThingProvider.
func goName(name string) string {
	words := strings.Split(name, "-")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "") + "Provider"
}

// zenVersion is the released version that this zen was built from, or "".
func zenVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || !strings.HasPrefix(info.Main.Version, "v") || strings.ContainsAny(info.Main.Version, "-+") {
		return ""
	}
	return info.Main.Version
}
