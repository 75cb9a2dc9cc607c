package provider

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/examples"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/names"
	"github.com/zen-auth/zen/proto"
)

//go:embed scaffold
var scaffold embed.FS

// scaffolded are the files of a new provider in Go; each is scaffold/NAME.tmpl.
var scaffolded = []string{"go.mod", "main.go", "provider.go", "provider_test.go", "README.md"}

// languages are the languages in which a provider can be begun without zen's code: with the
// example, under another name.
var languages = map[string]struct {
	files embed.FS
	// called is the example's own name.
	called string
}{
	"node":   {examples.Node, "tokenfile-js"},
	"python": {examples.Python, "tokenfile-py"},
}

func providerNewCommand() *cli.Command {
	return &cli.Command{
		Name:      "new",
		Usage:     "write the source of a new provider",
		ArgsUsage: "NAME",
		Description: `Writes a provider that works: in Go a module, with tests, for a database token that
people paste; in Python and JavaScript one for tokens in a file, without any of zen's
code. NAME consists of lower-case letters, digits and dashes. If one of the files exists
already, nothing is written.

   zen provider new example
   zen provider new --lang python example
   zen provider new --replace ~/src/zen example   against a clone of zen`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "lang", Usage: "write the provider in `LANGUAGE`: go, python or node", Value: "go"},
			&cli.StringFlag{Name: "dir", Usage: "write into `DIR` (default: zen-provider-NAME)"},
			&cli.StringFlag{Name: "module", Usage: "the `PATH` of the module (default: example.com/zen-provider-NAME)"},
			&cli.StringFlag{Name: "replace", Usage: "build against the clone of zen in `DIR`"},
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
	files, err := newFiles(c, name)
	if err != nil {
		return err
	}
	dir := cmp.Or(c.String("dir"), "zen-provider-"+name)
	if err := writeFiles("new provider", dir, files, "choose another directory with --dir"); err != nil {
		return err
	}
	fmt.Fprintln(c.App.Writer, dir)
	fmt.Fprintf(app.Notes(c), "Wrote a provider into %s. See its README.md for how to build and test it.\n", dir)
	return nil
}

// newFiles returns the files of a new provider in the language that was asked for.
func newFiles(c *cli.Context, name string) ([]provider.SetupFile, error) {
	lang := c.String("lang")
	if lang == "go" {
		return goFiles(c, name)
	}
	example, ok := languages[lang]
	if !ok {
		return nil, app.Usage(c, "--lang %.20q is none of go, python and node", lang)
	}
	for _, flag := range []string{"module", "replace"} {
		if c.IsSet(flag) {
			return nil, app.Usage(c, "--%s is for --lang go alone", flag)
		}
	}
	return exampleFiles(example.files, strings.NewReplacer(example.called, name))
}

// exampleFiles returns the files of an example, under another name, and the protocol.
func exampleFiles(example embed.FS, names *strings.Replacer) ([]provider.SetupFile, error) {
	var files []provider.SetupFile
	for _, from := range []struct {
		files embed.FS
		// flat: the files are in a directory of their own, which is left out.
		flat bool
	}{{example, true}, {proto.Files, false}} {
		err := fs.WalkDir(from.files, ".", func(at string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := from.files.ReadFile(at)
			if err != nil {
				return err
			}
			file := provider.SetupFile{Path: at, Text: string(text)}
			if from.flat {
				file.Path, file.Text = names.Replace(path.Base(at)), names.Replace(file.Text)
				file.Program = strings.HasPrefix(file.Text, "#!")
			}
			files = append(files, file)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// goFiles returns the files of a module in Go.
func goFiles(c *cli.Context, name string) ([]provider.SetupFile, error) {
	data := struct{ Name, Type, Module, Version, Replace, Variable string }{
		name, goName(name), cmp.Or(c.String("module"), "example.com/zen-provider-"+name), released(app.Version()), "", config.Variable(name, "token"),
	}
	if strings.ContainsAny(data.Module, " \t\r\n\"'`\\") {
		return nil, app.Usage(c, "module path %.60q is none", data.Module)
	}
	if clone := c.String("replace"); clone != "" {
		module, err := os.ReadFile(filepath.Join(clone, "go.mod"))
		if err != nil || !bytes.HasPrefix(module, []byte("module github.com/zen-auth/zen\n")) {
			return nil, app.Usage(c, "--replace %s is no clone of zen: its go.mod is not zen's", clone)
		}
		if clone, err = filepath.Abs(clone); err != nil {
			return nil, err
		}
		data.Replace = goModPath(clone)
	}
	var files []provider.SetupFile
	for _, name := range scaffolded {
		parsed, err := template.ParseFS(scaffold, "scaffold/"+name+".tmpl")
		if err != nil {
			return nil, fmt.Errorf("new provider: %w", err)
		}
		var text bytes.Buffer
		if err := parsed.Execute(&text, data); err != nil {
			return nil, fmt.Errorf("new provider: %w", err)
		}
		files = append(files, provider.SetupFile{Path: name, Text: text.String()})
	}
	return files, nil
}

// goModPath returns a path as a go.mod has it.
func goModPath(path string) string {
	if strings.ContainsAny(path, " \t\"'`(),") {
		return fmt.Sprintf("%q", path)
	}
	return path
}

// writeFiles writes all of the files or, where one is there already, none. A symbolic
// link in dir that leads out of it isn't followed.
func writeFiles(what, dir string, files []provider.SetupFile, hint string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	defer root.Close()
	for _, f := range files {
		_, err := root.Lstat(filepath.FromSlash(f.Path))
		switch {
		case err == nil:
			path := filepath.Join(dir, filepath.FromSlash(f.Path))
			return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("%s: %s is there already", what, path), Hint: hint}
		case !errors.Is(err, fs.ErrNotExist):
			return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("%s: %v", what, err), Hint: hint, Err: err}
		}
	}
	for _, f := range files {
		if err := writeFile(root, f); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return nil
}

func writeFile(root *os.Root, f provider.SetupFile) error {
	path := filepath.FromSlash(f.Path)
	if err := root.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if f.Program {
		mode = 0o755
	}
	file, err := root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = file.WriteString(f.Text)
	return errors.Join(err, file.Close())
}

// isNewName reports whether name can be a provider's in every place: it becomes part
// of a path, of a variable's name and of an identifier.
func isNewName(name string) bool {
	return names.IsProvider(name) && name[0] >= 'a'
}

// goName returns the identifier for a provider's name: some-thing is someThingProvider.
func goName(name string) string {
	words := strings.Split(name, "-")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "") + "Provider"
}

// released returns a version of zen that can be fetched, or "".
func released(version string) string {
	if !strings.HasPrefix(version, "v") || strings.ContainsAny(version, "-+") {
		return ""
	}
	return version
}
