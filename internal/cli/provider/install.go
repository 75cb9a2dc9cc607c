package provider

import (
	"fmt"
	"os/exec"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/host/install"
	"github.com/zen-auth/zen/internal/zen"
)

func providerInstallCommand() *cli.Command {
	return &cli.Command{
		Name:      "install",
		Usage:     "install a provider, or another version of one",
		ArgsUsage: "SOURCE",
		Description: `SOURCE is a file, a directory or an https URL: a program zen-provider-NAME, or
a .tar.gz or .zip that contains one. A download needs --sha256, or --checksums with the
--key that signed them. With --allow-path, SOURCE may be the NAME of a program
zen-provider-NAME on the PATH, which zen never searches otherwise. The previous version
is kept for zen provider rollback.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "sha256", Usage: "check that SOURCE has the SHA-256 `SUM`"},
			&cli.StringFlag{Name: "checksums", Usage: "check SOURCE against `CHECKSUMS`, a file or URL in the format of sha256sum"},
			&cli.StringFlag{Name: "key", Usage: "check the signature with `KEY`, the author's Ed25519 public key in base64"},
			&cli.StringFlag{Name: "signature", Usage: "read the signature of the checksums from `FILE`, a file or URL", DefaultText: "CHECKSUMS.sig"},
			&cli.BoolFlag{Name: "allow-path", Usage: "allow SOURCE to be a NAME on the PATH"},
			&cli.BoolFlag{Name: "force", Usage: "install even an older version, or one that isn't signed with the same key"},
		},
		Action: providerInstall,
	}
}

func providerRollbackCommand() *cli.Command {
	return &cli.Command{
		Name:         "rollback",
		Usage:        "go back to the previously installed version",
		ArgsUsage:    "NAME",
		Description:  "Running it again undoes it.",
		BashComplete: completeInstalled,
		Action: func(c *cli.Context) error {
			return withStore(c, "NAME", func(store *install.Store, name string) (install.Installed, error) {
				return store.Rollback(c.Context, name)
			})
		},
	}
}

func providerRemoveCommand() *cli.Command {
	return &cli.Command{
		Name:         "remove",
		Usage:        "remove an installed provider, and its pin",
		ArgsUsage:    "NAME",
		Description:  "Credentials are kept: run zen logout first to revoke them.",
		Action:       providerRemove,
		BashComplete: completeInstalled,
	}
}

func providerInstall(c *cli.Context) error {
	return withStore(c, "SOURCE", func(store *install.Store, source string) (installed install.Installed, err error) {
		if c.Bool("allow-path") {
			if source, err = onPath(source); err != nil {
				return install.Installed{}, err
			}
		}
		err = app.Slowly(c, "installing the provider", func() (err error) {
			installed, err = store.Install(c.Context, install.Request{
				Source: source, SHA256: c.String("sha256"), Checksums: c.String("checksums"),
				Key: c.String("key"), Signature: c.String("signature"), Force: c.Bool("force"),
			})
			return err
		})
		return installed, err
	})
}

// onPath returns the program of the provider on the PATH, and in none of its directories
// that are relative to the working directory.
func onPath(name string) (string, error) {
	file := handshake.BinaryName(name)
	if _, ok := handshake.ProviderName(file); !ok {
		return "", &handshake.NameError{Name: name}
	}
	path, err := exec.LookPath(file)
	if err != nil {
		return "", &provider.Error{
			Kind: provider.ErrNoProvider, Message: fmt.Sprintf("install provider: %v", err), Err: err, Hint: "give the path of the file instead",
		}
	}
	return path, nil
}

func providerRemove(c *cli.Context) error {
	name, err := oneArgument(c, "NAME")
	if err != nil {
		return err
	}
	return client.With(c.Context, app.EnvOf(c), func(client *zen.Client) error {
		if err := providerStore(client).Remove(c.Context, name); err != nil {
			return err
		}
		if app.GlobalBool(c, "json") {
			return app.PrintJSON(c, struct {
				SchemaVersion int    `json:"schema_version"`
				Removed       string `json:"removed"`
			}{app.SchemaVersion, name})
		}
		fmt.Fprintf(app.Notes(c), "Removed %s.\n", name)
		return nil
	})
}

// withStore changes the provider directory and prints what is there then.
func withStore(c *cli.Context, what string, change func(*install.Store, string) (install.Installed, error)) error {
	argument, err := oneArgument(c, what)
	if err != nil {
		return err
	}
	return client.With(c.Context, app.EnvOf(c), func(client *zen.Client) error {
		installed, err := change(providerStore(client), argument)
		if err != nil {
			return err
		}
		recordInstallation(app.EnvOf(c))
		if err := printBinary(app.EnvOf(c), installed.Binary, installed.Pin); err != nil {
			return err
		}
		if variables := variablesOf(installed.Fields); len(variables) > 0 {
			fmt.Fprintf(app.Notes(c), "It asks for the variables %s; those that are not its own need a yes.\n", app.OneLine(strings.Join(variables, ", ")))
		}
		return shadowed(client, installed.Binary)
	})
}

// recordInstallation is client.RecordInstallation, whose package a client hides in places.
func recordInstallation(e *app.Env) { client.RecordInstallation(e) }

// shadowed returns an error if another binary of the name is found first.
func shadowed(client *zen.Client, b host.Binary) error {
	found, err := host.Inspect(client.Providers.Dirs, b.Name)
	if err != nil || found.SHA256 == b.SHA256 {
		return err
	}
	return &provider.Error{
		Kind:    provider.ErrConfig,
		Message: fmt.Sprintf("%s is installed, but %s is found first", b.Path, found.Path),
		Hint:    "move that away, or remove the one that was installed: zen provider remove " + b.Name,
	}
}

func providerStore(client *zen.Client) *install.Store {
	return &install.Store{Dir: client.Config.Paths.ProviderDir, Lock: client.Providers.Pins.Lock}
}
