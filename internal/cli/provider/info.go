package provider

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	"github.com/zen-auth/zen/internal/host/pin"
	"github.com/zen-auth/zen/internal/names"
	"github.com/zen-auth/zen/internal/text"
	"github.com/zen-auth/zen/internal/zen"
)

func providerInfoCommand() *cli.Command {
	return &cli.Command{
		Name:         "info",
		Usage:        "show a provider's description: what it does, and its settings",
		ArgsUsage:    "NAME",
		Description:  "Starts the provider, if it may run, and doesn't use the network.",
		Action:       providerInfo,
		BashComplete: completeInstalled,
	}
}

type fieldDocument struct {
	Key       string   `json:"key"`
	Type      string   `json:"type"`
	Required  bool     `json:"required"`
	Sensitive bool     `json:"sensitive"`
	Default   string   `json:"default,omitempty"`
	Env       []string `json:"env,omitempty"`
	Doc       string   `json:"doc,omitempty"`
}

type methodDocument struct {
	Name         string `json:"name"`
	Interaction  string `json:"interaction,omitempty"`
	IdentityOnly bool   `json:"identity_only"`
	Doc          string `json:"doc,omitempty"`
}

// needDocument describes what the provider needs of another one that signed in.
type needDocument struct {
	Kinds           []string `json:"kinds"`
	Audience        string   `json:"audience,omitempty"`
	AudienceSetting string   `json:"audience_setting,omitempty"`
}

func providerInfo(c *cli.Context) error {
	name, err := oneArgument(c, "NAME")
	if err != nil {
		return err
	}
	return client.With(c.Context, app.EnvOf(c), func(client *zen.Client) error {
		description, err := client.Providers.Said(c.Context, name)
		if err != nil {
			return err
		}
		verified, err := verifyProvider(client, name)
		var overridden *errOverridden
		if err != nil && !errors.As(err, &overridden) {
			return err
		}
		verified.Version = description.Version
		services := text.Strings(description.Services)
		methods := []methodDocument{}
		for _, m := range description.Methods {
			methods = append(methods, methodDocument{m.Name, string(m.Interaction), m.IdentityOnly, m.Doc})
		}
		assertions := text.Strings(description.Assertions)
		var needs *needDocument
		if n := description.Needs; n != nil {
			needs = &needDocument{text.Strings(n.Kinds), n.Audience, n.AudienceField}
		}
		fields := []fieldDocument{}
		for _, f := range description.Fields {
			fields = append(fields, fieldDocument{f.Key, string(f.Type), f.Required, f.Sensitive, f.Default, f.Env, f.Doc})
		}
		if app.GlobalBool(c, "json") {
			return app.PrintJSON(c, struct {
				SchemaVersion int `json:"schema_version"`
				binaryDocument
				Services   []string         `json:"services"`
				Methods    []methodDocument `json:"methods"`
				Assertions []string         `json:"assertions"`
				Needs      *needDocument    `json:"needs,omitempty"`
				Fields     []fieldDocument  `json:"settings"`
			}{app.SchemaVersion, verified.binaryDocument, services, methods, assertions, needs, fields})
		}
		noteScript(app.EnvOf(c), verified.Name, verified.Interpreter)
		rows := [][2]string{{"services", strings.Join(services, " ")}}
		if len(assertions) > 0 {
			rows = append(rows, [2]string{"asserts", strings.Join(assertions, " ")})
		}
		if needs != nil {
			rows = append(rows, [2]string{"needs", "an assertion (" + strings.Join(needs.Kinds, ", ") + ") of another provider that signs in"})
		}
		if variables := variablesOf(description.Fields); len(variables) > 0 {
			rows = append(rows, [2]string{"reads", strings.Join(variables, " ")})
			if foreign := foreignOf(verified.binaryDocument, variables); foreign != "" {
				rows = append(rows, [2]string{"of others", foreign})
			}
		}
		return printInfo(c.App.Writer, verified.binaryDocument, rows, methods, fields)
	})
}

// variablesOf returns the variables that the settings may come from, beside ZEN_NAME__KEY.
func variablesOf(fields []provider.Field) []string {
	var variables []string
	for _, f := range fields {
		for _, v := range f.Env {
			if !slices.Contains(variables, v) {
				variables = append(variables, v)
			}
		}
	}
	return variables
}

// foreignOf reports which of the variables are not of the provider's own family, and whether
// it may have them. What zen came with may, and what is being written.
func foreignOf(b binaryDocument, variables []string) string {
	if b.Known == pin.Bundled || b.Known == overrideKnown {
		return ""
	}
	var foreign []string
	for _, v := range variables {
		switch {
		case names.IsOwnVariable(b.Name, v):
		case slices.Contains(b.Env, v):
			foreign = append(foreign, v+" (allowed)")
		default:
			foreign = append(foreign, v+" (needs a yes)")
		}
	}
	return strings.Join(foreign, ", ")
}

// printInfo draws text from the provider: none of it may reach the terminal as it
// is.
func printInfo(w io.Writer, b binaryDocument, more [][2]string, methods []methodDocument, fields []fieldDocument) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	rows := append([][2]string{{"provider", b.Name}, {"version", b.Version}}, more...)
	rows = append(rows, [2]string{"binary", b.Path}, [2]string{"sha256", b.SHA256}, [2]string{"known", b.Known})
	for _, row := range rows {
		fmt.Fprintf(table, "%s\t%s\n", row[0], app.OneLine(row[1]))
	}
	for i, m := range methods {
		if i == 0 {
			fmt.Fprintln(table)
		}
		doc := m.Doc
		if m.IdentityOnly {
			doc += "; another provider has to issue the tokens"
		}
		fmt.Fprintf(table, "--method %s\t%s\n", app.OneLine(m.Name), app.OneLine(doc))
	}
	for i, f := range fields {
		if i == 0 {
			fmt.Fprintln(table)
		}
		var notes []string
		if f.Required {
			notes = append(notes, "required")
		}
		if f.Sensitive {
			notes = append(notes, "secret")
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", app.OneLine(f.Key), f.Type, strings.Join(notes, ", "), app.OneLine(f.Doc))
	}
	return table.Flush()
}
