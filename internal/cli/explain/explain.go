// Package explain has the command that says what a token is, and what an id means.
package explain

import (
	"context"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/jwks"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/doctor"
	"github.com/zen-auth/zen/internal/text"
)

// Command is zen explain.
func Command() *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "explain a token and how servers would treat it, or what a finding's id means",
		ArgsUsage: "-|ID",
		Description: `   zen token | zen explain -
   zen explain - < token.txt
   zen explain turso.jwks.key-refused

The token is read from standard input, or at a terminal without being shown: every user
of the machine could read an argument. Nothing is verified or sent, and the token is
never printed.`,
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return app.Usage(c, "give - for a token on standard input, or the id of a finding")
			}
			return run(c.Context, app.EnvOf(c), c.Args().First())
		},
	}
}

func run(ctx context.Context, e *app.Env, what string) error {
	if what == "-" {
		token, err := e.ReadToken(ctx)
		if err != nil {
			return err
		}
		return explainToken(e, token)
	}
	if (provider.Token{Value: provider.NewSecret(what)}).ValidateValue() == nil && len(what) > 60 {
		return e.Usage("a token as an argument can be read by every user of the machine: zen explain - reads it from standard input")
	}
	page, ok := doctor.PageOf(what)
	if !ok {
		hint := "zen doctor prints ids; docs/errors lists them"
		if near := text.Nearest(what, doctor.PageIDs()); near != "" {
			hint = "did you mean " + near + "?"
		}
		return &provider.Error{Kind: app.ErrUsage, Message: fmt.Sprintf("there is no finding %.60q", what), Hint: hint}
	}
	if e.JSON {
		return app.WriteJSON(e.Out, struct {
			SchemaVersion int    `json:"schema_version"`
			ID            string `json:"id"`
			Means         string `json:"means"`
			Do            string `json:"do,omitempty"`
		}{app.SchemaVersion, page.ID, page.Means, page.Do})
	}
	_, err := fmt.Fprint(e.Out, page.Markdown())
	return err
}

type tokenDocument struct {
	SchemaVersion int        `json:"schema_version"`
	Says          string     `json:"says"`
	Signed        string     `json:"signed"`
	Valid         string     `json:"valid"`
	Ended         bool       `json:"ended"`
	Algorithm     string     `json:"algorithm"`
	KeyID         string     `json:"key_id,omitempty"`
	Type          string     `json:"type,omitempty"`
	Issuer        string     `json:"issuer,omitempty"`
	Subject       string     `json:"subject,omitempty"`
	Audience      []string   `json:"audience"`
	IssuedAt      *time.Time `json:"issued_at"`
	ExpiresAt     *time.Time `json:"expires_at"`
	Zen           string     `json:"zen"`
	Turso         string     `json:"turso"`
	Sqld          string     `json:"libsql_server"`
}

func explainToken(e *app.Env, token provider.Secret) error {
	claims, err := jwks.DecodeUnverified(token)
	if err != nil {
		return err
	}
	var target provider.Target
	if cfg, err := config.Load(e.Config); err == nil { // it explains without a configuration, too
		if p, err := cfg.Profile(""); err == nil {
			target = p.Target()
		}
	}
	x := doctor.Explain(claims, target, time.Now())
	d := tokenDocument{
		app.SchemaVersion, app.OneLine(x.Says), app.OneLine(x.Signed), x.Valid, x.Ended, app.OneLine(claims.Algorithm), app.OneLine(claims.KeyID), app.OneLine(claims.Type),
		app.OneLine(claims.Issuer), app.OneLine(claims.Subject), slices.Clone(claims.Audience), app.Instant(claims.Issued), app.Instant(claims.Expires),
		app.OneLine(x.Zen), app.OneLine(x.Turso), app.OneLine(x.Sqld),
	}
	for i := range d.Audience {
		d.Audience[i] = app.OneLine(d.Audience[i])
	}
	if d.Audience == nil {
		d.Audience = []string{}
	}
	if e.JSON {
		return app.WriteJSON(e.Out, d)
	}
	fmt.Fprintf(e.Out, "This token %s.\n\n", d.Says)
	table := tabwriter.NewWriter(e.Out, 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"signed", d.Signed}, {"valid", d.Valid}, {"type", d.Type}, {"issuer", d.Issuer}, {"subject", d.Subject},
		{"zen", d.Zen}, {"Turso", d.Turso}, {"libsql-server", d.Sqld},
	} {
		if row[1] != "" {
			fmt.Fprintf(table, "%s\t%s\n", row[0], row[1])
		}
	}
	return table.Flush()
}
