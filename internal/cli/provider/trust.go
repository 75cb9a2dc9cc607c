package provider

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/host/pin"
	"github.com/zen-auth/zen/internal/zen"
)

func providerTrustCommand() *cli.Command {
	return &cli.Command{
		Name:      "trust",
		Usage:     "trust a provider that you copied there yourself",
		ArgsUsage: "NAME | PATH",
		Description: `Pins the program as it is now, without starting it. If it was pinned before and has
changed, --force is needed. PATH is another copy of a provider, which some other program
finds first; the pin of the copy that zen finds is kept.`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "force", Usage: "replace the pin of another program"},
			&cli.StringSliceFlag{Name: "env", Usage: "let the provider read the variable `NAME`, which isn't one of its own"},
		},
		Action:       providerTrust,
		BashComplete: completeInstalled,
	}
}

func providerTrust(c *cli.Context) error {
	name, err := oneArgument(c, "NAME")
	if err != nil {
		return err
	}
	return client.With(c.Context, app.EnvOf(c), func(client *zen.Client) error {
		if strings.ContainsRune(name, filepath.Separator) {
			return trustCopy(c, client, name)
		}
		binary, err := host.Inspect(client.Providers.Dirs, name)
		if err != nil {
			return err
		}
		known, err := client.Providers.Pins.Known(binary)
		var changed *pin.ChangedError
		var unknown *pin.UnknownError
		if errors.As(err, &unknown) || errors.As(err, &changed) && c.Bool("force") {
			known = pin.Pin{Source: binary.Path, Known: pin.Local}
			err = client.Providers.Pins.Lock.Set(c.Context, binary, known)
		}
		if names := c.StringSlice("env"); err == nil && len(names) > 0 && known.Known != pin.Bundled {
			err = client.Providers.Pins.Lock.AllowEnv(c.Context, binary, names)
		}
		if err != nil {
			return err
		}
		if known.Known != pin.Bundled {
			if known, err = client.Providers.Pins.Known(binary); err != nil {
				return err
			}
			also := ""
			if len(known.Env) > 0 {
				also = ", and " + app.OneLine(strings.Join(known.Env, ", "))
			}
			fmt.Fprintf(app.Notes(c), "It gets variables of its own family alone%s; zen provider info %s starts it, and lists what it asks for.\n", also, name)
		}
		return printBinary(app.EnvOf(c), binary, known)
	})
}

// trustCopy pins the copy of a provider at a path.
func trustCopy(c *cli.Context, client *zen.Client, path string) error {
	name, ok := handshake.ProviderName(filepath.Base(path))
	if !ok {
		return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("%.200q is no provider's binary", path), Hint: "its file is called " + handshake.BinaryName("NAME")}
	}
	path, err := filepath.Abs(path)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return &provider.Error{Kind: provider.ErrNoProvider, Message: fmt.Sprintf("trust provider: %v", err), Err: err}
	}
	binary, err := host.InspectFile(name, path)
	if err != nil {
		return err
	}
	pins := client.Providers.Pins
	known, err := pins.Known(binary)
	if err != nil {
		copied, ok, loadErr := pins.Lock.CopyAt(name, binary.Path)
		switch sum, _ := copied.Here(); {
		case loadErr != nil:
			return loadErr
		case ok && !c.Bool("force"):
			return &pin.ChangedError{Binary: binary, Want: sum.SHA256, ByPath: true}
		}
		known = pin.Pin{Source: binary.Path, Known: pin.Local}
		if err := pins.Lock.SetCopy(c.Context, binary, known); err != nil {
			return err
		}
	}
	return printBinary(app.EnvOf(c), binary, known)
}

// binaryDocument is a provider's program and how it is known.
type binaryDocument struct {
	Name    string `json:"name"`
	Path    string `json:"path"`
	Version string `json:"version,omitempty"`
	SHA256  string `json:"sha256,omitempty"`
	Size    int64  `json:"size,omitempty"`
	Known   string `json:"known"`
	Source  string `json:"source"`
	// Interpreter is set for scripts alone, of which the sum covers only a part.
	Interpreter string `json:"interpreter,omitempty"`
	// Env are the variables that it may have beside those of its own family.
	Env []string `json:"env,omitempty"`
}

func newBinaryDocument(b host.Binary, known pin.Pin) binaryDocument {
	return binaryDocument{b.Name, b.Path, known.Version, b.SHA256, b.Size, known.Known, known.Source, b.Interpreter, known.Env}
}

// noteScript says what the sum of a script doesn't cover.
func noteScript(e *app.Env, name, interpreter string) {
	if interpreter != "" {
		fmt.Fprintf(e.Notes(), "Note: %s is a script for %s. Its sum covers neither that nor what it loads.\n", name, app.OneLine(interpreter))
	}
}

// printBinary answers with one binary.
func printBinary(e *app.Env, b host.Binary, known pin.Pin) error {
	noteScript(e, b.Name, b.Interpreter)
	if e.JSON {
		return e.PrintJSON(struct {
			SchemaVersion int `json:"schema_version"`
			binaryDocument
		}{app.SchemaVersion, newBinaryDocument(b, known)})
	}
	version := known.Version
	if version != "" {
		version = " " + app.OneLine(version)
	}
	_, err := fmt.Fprintf(e.Out, "%s%s  sha256 %s  %s\n", b.Name, version, b.SHA256, known.Known)
	return err
}

// oneArgument returns the only argument of a command.
func oneArgument(c *cli.Context, what string) (string, error) {
	if c.NArg() == 0 {
		return "", app.Usage(c, "%s is missing", what)
	}
	return c.Args().First(), app.NoMoreThan(c, 1)
}
