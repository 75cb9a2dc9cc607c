package provider

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/host/conformance"
)

func providerTestCommand() *cli.Command {
	return &cli.Command{
		Name:      "test",
		Usage:     "test any provider program against the protocol",
		ArgsUsage: "PATH",
		Description: `Starts the program as zen does, whatever language it is written in, and checks what
it does: the handshake, its description, wrong settings, errors, concurrency,
cancelled logins, tokens, how it exits, and that it reveals no secrets.

Nothing is stored. Unless --network is given, the provider's network is a proxy that
forwards nothing. Credentials are made up.

The exit code is 0 if no check failed, and 1 if one did.`,
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "setting", Usage: "a setting of the provider, `KEY=VALUE`; a secret is KEY=@FILE, or KEY alone for the variable ZEN_NAME__KEY; may be repeated"},
			&cli.StringFlag{Name: "database", Usage: "request tokens for the database at `URL`"},
			&cli.BoolFlag{Name: "network", Usage: "let the provider reach the network"},
		},
		Action: providerTest,
	}
}

// errConformance is a provider that failed.
type errConformance struct{ failed int }

func (e errConformance) Error() string {
	if e.failed == 1 {
		return "1 check failed"
	}
	return fmt.Sprintf("%d checks failed", e.failed)
}

func providerTest(c *cli.Context) error {
	if c.NArg() != 1 {
		return app.Usage(c, "the path of a provider is needed")
	}
	path, err := filepath.Abs(c.Args().First())
	if err != nil {
		return err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return &provider.Error{Kind: provider.ErrNoProvider, Message: fmt.Sprintf("test provider: %v", err), Err: err}
	}
	settings, visible, err := settingFlags(c, path)
	if err != nil {
		return err
	}
	options := conformance.Options{
		Path: path, Settings: settings, Visible: visible, Network: c.Bool("network"), Database: provider.Target{URL: c.String("database")},
	}
	var each func(conformance.Result)
	if !app.GlobalBool(c, "json") {
		each = func(r conformance.Result) { printResult(c.App.Writer, r) }
	}
	report, err := conformance.Run(c.Context, options, each)
	if err != nil {
		return err
	}
	failed, skipped := 0, 0
	for _, r := range report.Results {
		switch r.Status {
		case conformance.Fail:
			failed++
		case conformance.Skip:
			skipped++
		}
	}
	if app.GlobalBool(c, "json") {
		err = printReport(app.EnvOf(c), report)
	} else {
		_, err = fmt.Fprintf(c.App.Writer, "\n%s %s: %d passed, %d failed, %d skipped\n",
			app.OneLine(report.Name), app.OneLine(report.Version), len(report.Results)-failed-skipped, failed, skipped)
	}
	if err == nil && failed > 0 {
		err = errConformance{failed}
	}
	return err
}

func printResult(w io.Writer, r conformance.Result) {
	colour, text := app.Green, r.Detail
	switch r.Status {
	case conformance.Fail:
		colour, text = app.Red, r.Detail+" (rule: "+r.Rule+")"
	case conformance.Skip:
		colour = app.Yellow
	}
	fmt.Fprintf(w, "%s  %-13s  %6s  %s\n", app.Paint(w, colour, string(r.Status)), r.Name, milliseconds(r.Took), app.OneLine(text))
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

type resultDocument struct {
	Check        string `json:"check"`
	Rule         string `json:"rule"`
	Status       string `json:"status"`
	Detail       string `json:"detail,omitempty"`
	Milliseconds int64  `json:"milliseconds"`
}

func printReport(e *app.Env, report conformance.Report) error {
	results := []resultDocument{}
	for _, r := range report.Results {
		results = append(results, resultDocument{r.Name, r.Rule, string(r.Status), r.Detail, r.Took.Milliseconds()})
	}
	return e.PrintJSON(struct {
		SchemaVersion int              `json:"schema_version"`
		Path          string           `json:"path"`
		Name          string           `json:"name"`
		Version       string           `json:"version"`
		Passed        bool             `json:"passed"`
		Checks        []resultDocument `json:"checks"`
	}{app.SchemaVersion, report.Path, report.Name, report.Version, report.Passed(), results})
}

// settingFlags reads KEY=VALUE and, so that a secret need not be an argument that
// everybody on the machine can read, KEY=@FILE and KEY, which is a variable's. visible
// are the keys of the first.
func settingFlags(c *cli.Context, path string) (settings provider.Settings, visible []string, err error) {
	settings = make(provider.Settings)
	name, _ := handshake.ProviderName(filepath.Base(path))
	for _, flag := range c.StringSlice("setting") {
		key, value, inline := strings.Cut(flag, "=")
		file, isFile := strings.CutPrefix(value, "@")
		switch variable := config.Variable(name, key); {
		case key == "":
			return nil, nil, app.Usage(c, "--setting has no KEY")
		case !inline:
			if value, inline = os.LookupEnv(variable); !inline {
				return nil, nil, app.Usage(c, "--setting %s is neither KEY=VALUE nor in %s", key, variable)
			}
		case isFile:
			data, err := provider.ReadFile(file, 64<<10)
			if err != nil {
				return nil, nil, app.Usage(c, "--setting %s: %v", key, err)
			}
			value = strings.TrimRight(string(data), "\r\n")
		default:
			visible = append(visible, key)
		}
		settings[key] = provider.NewSecret(value)
	}
	return settings, visible, nil
}
