// Package doctor has the command that finds out what is wrong.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/cli/platform"
	"github.com/zen-auth/zen/internal/doctor"
	"github.com/zen-auth/zen/internal/zen"
)

// Command is zen doctor.
func Command() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "find out what is wrong, why, and what to do",
		Description: `zen checks one layer after the other: from the program's files, the sign-in and the token
to Turso's registrations and the database. The first line that isn't ok is the cause.
Nothing is changed, except that a token may be renewed, as with any other command.

   zen doctor
   zen doctor --only jwks
   zen doctor --fix
   zen doctor --report report.md --anonymous

The layers are ` + strings.Join(doctor.Layers(), ", ") + `.
zen explain ID says what a line means. With TURSO_API_TOKEN (the scope read is
enough) the organization's registrations and plan are checked, too.

The exit code is that of the first finding that reaches --fail-on, or else 0.`,
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "only", Usage: "check `LAYER` and the layers that it needs; may be repeated"},
			&cli.BoolFlag{Name: "offline", Usage: "skip what needs the network"},
			&cli.StringFlag{Name: "fail-on", Usage: "exit with an error for findings of this `SEVERITY` and above: error, warn or never", Value: "error"},
			&cli.BoolFlag{Name: "fix", Usage: "offer to repair what can be repaired, and check again"},
			&cli.BoolFlag{Name: "yes", Usage: "with --fix: repair without asking"},
			&cli.StringFlag{Name: "report", Usage: "write a report for a support request to `FILE`, without secrets", TakesFile: true},
			&cli.BoolFlag{Name: "anonymous", Usage: "with --report: replace names, addresses and ids of people and databases"},
			&cli.StringFlag{Name: "origin", Usage: "check as a browser on a page of `ORIGIN` would", Value: "https://app.example"},
		},
		Action: run,
	}
}

type findingDocument struct {
	ID       string `json:"id"`
	Layer    string `json:"layer"`
	Severity string `json:"severity"`
	Class    string `json:"failure_class,omitempty"`
	Observed string `json:"observed"`
	Cause    string `json:"cause,omitempty"`
	Next     string `json:"next,omitempty"`
	Fix      string `json:"fix,omitempty"`
	TookMS   int64  `json:"took_ms"`
}

type document struct {
	SchemaVersion int               `json:"schema_version"`
	Profile       string            `json:"profile"`
	Findings      []findingDocument `json:"findings"`
	Summary       map[string]int    `json:"summary"`
}

func run(c *cli.Context) error {
	failOn := c.String("fail-on")
	switch {
	case !slices.Contains([]string{"error", "warn", "never"}, failOn):
		return app.Usage(c, "--fail-on %q is not error, warn or never", failOn)
	case c.Bool("yes") && !c.Bool("fix"):
		return app.Usage(c, "--yes is for --fix")
	case c.Bool("anonymous") && !c.IsSet("report"):
		return app.Usage(c, "--anonymous is for --report")
	case c.Bool("fix") && !c.Bool("yes") && !app.EnvOf(c).Interactive():
		return app.Usage(c, "--fix asks first, and there is no one to answer: add --yes")
	}
	var only []string
	for _, name := range c.StringSlice("only") {
		layer, ok := doctor.ParseLayer(name)
		if !ok {
			return app.Usage(c, "--only %q is none of %s", name, strings.Join(doctor.Layers(), ", "))
		}
		only = append(only, layer)
	}
	var findings []doctor.Finding
	err := client.With(c.Context, app.EnvOf(c), func(client *zen.Client) error {
		o, err := options(client, only)
		if err != nil {
			return err
		}
		o.Offline, o.Origin = c.Bool("offline"), c.String("origin")
		findings, err = examine(c, o)
		if err != nil || !c.IsSet("report") {
			return err
		}
		return writeReport(c, o, findings)
	})
	if err != nil {
		return err
	}
	return verdict(c.Context, findings, failOn)
}

// providers are the façade's, as the doctor asks them.
type providers struct{ *zen.Providers }

func (p providers) Provider(ctx context.Context, name string) (doctor.Provider, error) {
	return p.Open(ctx, name)
}

func options(client *zen.Client, only []string) (doctor.Options, error) {
	profile, err := client.Config.Profile("")
	if err != nil {
		return doctor.Options{}, err
	}
	session, err := client.Session("")
	if err != nil {
		return doctor.Options{}, err
	}
	o := doctor.Options{
		Config: client.Config, Profile: profile, Session: session, Providers: providers{client.Providers},
		WithCredential: session.WithCredential,
		Only:           only, Environ: os.Environ(), WorkDir: ".",
	}
	api, err := platform.Open(client, "")
	switch {
	case err == nil:
		o.Turso, o.Organization = api.Client, api.Organization
	case !errors.Is(err, platform.ErrNoToken):
		return o, err
	}
	return o, nil
}

// examine looks, shows what it finds, and repairs it where that is asked for.
func examine(c *cli.Context, o doctor.Options) ([]doctor.Finding, error) {
	asJSON := app.GlobalBool(c, "json")
	show := func(f doctor.Finding) {
		if !asJSON {
			printFinding(c.App.Writer, f)
		}
	}
	o.Report = show
	findings := doctor.Run(c.Context, o)
	if err := c.Context.Err(); err != nil {
		return findings, err
	}
	if c.Bool("fix") {
		repaired, found := fix(c, findings)
		for _, f := range found {
			show(f)
		}
		if repaired {
			fmt.Fprintln(app.Notes(c), "looking again")
			findings = doctor.Run(c.Context, o)
		}
		findings = append(findings, found...)
	}
	if asJSON {
		return findings, app.PrintJSON(c, documentOf(o.Profile.Name.Value, findings))
	}
	counts := countBySeverity(findings)
	fmt.Fprintf(app.Notes(c), "%d ok, %s, %s, %d skipped\n", counts["ok"], counted(counts["warn"], "warning"), counted(counts["error"], "error"), counts["skipped"])
	return findings, nil
}

// Prove looks at the profile of a client as zen doctor does, shows what isn't ok, and
// repairs what can be repaired where that is wanted: asking, unless the flag --yes says
// otherwise.
func Prove(c *cli.Context, client *zen.Client, repair bool) ([]doctor.Finding, error) {
	o, err := options(client, nil)
	if err != nil {
		return nil, err
	}
	o.Report = func(f doctor.Finding) {
		if f.Failed(provider.SeverityWarn) && f.ID != "signin.none" { // which is asked next
			printFinding(app.Notes(c), f)
		}
	}
	findings := doctor.Run(c.Context, o)
	if repair {
		repaired, failed := fix(c, findings)
		if repaired {
			findings = doctor.Run(c.Context, o)
		}
		findings = append(findings, failed...)
	}
	return findings, c.Context.Err()
}

func documentOf(profile string, findings []doctor.Finding) document {
	d := document{SchemaVersion: app.SchemaVersion, Profile: profile, Findings: []findingDocument{}, Summary: countBySeverity(findings)}
	for _, f := range findings {
		one := findingDocument{
			ID: f.ID, Layer: f.Layer, Severity: string(f.Severity), Class: f.Class(),
			Observed: app.OneLine(f.Observed), Cause: app.OneLine(f.Cause), Next: app.OneLine(f.Next), TookMS: f.Took.Milliseconds(),
		}
		if f.Fix != nil {
			one.Fix = app.OneLine(f.Fix.Text)
		}
		d.Findings = append(d.Findings, one)
	}
	return d
}

func countBySeverity(findings []doctor.Finding) map[string]int {
	counts := map[string]int{"ok": 0, "warn": 0, "error": 0, "skipped": 0}
	for _, f := range findings {
		counts[string(f.Severity)]++
	}
	return counts
}

var colours = map[provider.Severity]string{provider.SeverityOK: app.Green, provider.SeverityWarn: app.Yellow, provider.SeverityError: app.Red}

// printFinding prints a line, and where something is to be done, what.
func printFinding(out io.Writer, f doctor.Finding) {
	word := fmt.Sprintf("%-7s", f.Severity)
	if colour := colours[f.Severity]; colour != "" {
		word = app.Paint(out, colour, word)
	}
	width := app.Width(out)
	id := fmt.Sprintf("%-24s", f.ID)
	fmt.Fprintf(out, "%s %s %s\n", word, id, folded(app.OneLine(f.Observed), width, len(id)+9, 33))
	if f.Severity == provider.SeverityOK {
		return
	}
	if f.Cause != "" {
		fmt.Fprintf(out, "        because: %s\n", folded(app.OneLine(f.Cause), width, 17, 17))
	}
	if f.Next != "" {
		fmt.Fprintf(out, "        next:    %s\n", folded(app.OneLine(f.Next), width, 17, 17))
	}
}

// folded breaks a text between its words, so that a terminal of that width doesn't break
// it within them. It begins at a column, and its further lines are indented. Where there
// is no terminal, or little room in it, the text stays as it is.
func folded(text string, width, at, indent int) string {
	if width < indent+30 {
		return text
	}
	var b strings.Builder
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i > 0 && at+1+n > width:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			at = indent
		case i > 0:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += n
	}
	return b.String()
}

// counted returns a number of things.
func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// verdict returns the exit code: that of the first finding that reaches a severity.
func verdict(ctx context.Context, findings []doctor.Finding, failOn string) error {
	if failOn == "never" {
		return nil
	}
	for _, f := range findings {
		if f.Failed(provider.Severity(failOn)) {
			return app.ChildExit{Code: app.ExitCode(ctx, &provider.Error{Kind: f.Kind, Message: f.Observed})}
		}
	}
	return nil
}
