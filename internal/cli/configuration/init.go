package configuration

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/client"
	examination "github.com/zen-auth/zen/internal/cli/doctor"
	"github.com/zen-auth/zen/internal/cli/signin"
	"github.com/zen-auth/zen/internal/config"
	"github.com/zen-auth/zen/internal/doctor"
	"github.com/zen-auth/zen/internal/zen"
)

// InitCommand is zen init.
func InitCommand() *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "write a profile for a database and a way to sign in",
		Description: `   zen init
   zen init --yes --database app --provider clerk
   zen init --dry-run

zen first looks for settings: in .env files and the environment (TURSO_DATABASE_URL,
CLERK_PUBLISHABLE_KEY and AUTH0_DOMAIN, also under the names that frameworks use), in
go.mod and package.json, in the environment of a CI job that can prove its identity,
and, if you agree, in the turso CLI's settings. It then asks a few questions, with a
default for each; --yes takes the defaults. The database may be given by its name if
TURSO_API_TOKEN is set or the turso CLI is signed in.

Finally it checks the profile as zen doctor does, and says how to sign in if you haven't.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "database", Usage: "the database's `URL`, or its name"},
			&cli.StringFlag{Name: "org", Usage: "use the organization `SLUG` at Turso"},
			&cli.StringFlag{Name: "provider", Usage: "sign in with `PROVIDER`"},
			&cli.StringFlag{Name: "token-provider", Usage: "have `PROVIDER` issue the tokens, where the one that signs in can't"},
			&cli.StringFlag{Name: "fallback", Usage: "fall back to `PROVIDER`"},
			&cli.StringFlag{Name: "access", Usage: "ask for `ACCESS`: ro or rw"},
			&cli.StringFlag{Name: "publishable-key", Usage: "Clerk's publishable `KEY`"},
			&cli.StringFlag{Name: "bridge-url", Usage: "the `URL` of the page that authorises terminals, for Clerk"},
			&cli.BoolFlag{Name: "turso-settings", Usage: "read the organization and the token, which lists databases, from the turso CLI's settings"},
			&cli.BoolFlag{Name: "login", Usage: "sign in once the profile is written"},
			&cli.BoolFlag{Name: "fix", Usage: "repair what zen doctor --fix can repair"},
			&cli.BoolFlag{Name: "no-check", Usage: "skip the check at the end"},
			&cli.BoolFlag{Name: "yes", Usage: "ask nothing"},
			&cli.BoolFlag{Name: "dry-run", Usage: "show the file, and write nothing"},
		},
		Action: initialise,
	}
}

// initialise writes a profile, signs in where that is wanted, proves what is there, and
// says what comes next.
func initialise(c *cli.Context) error {
	e := app.EnvOf(c)
	e.Config.Flags.Database, e.Config.Flags.Access = "", ""
	asking := e.Interactive() && !c.Bool("yes")
	if !asking && !c.Bool("yes") && !c.Bool("dry-run") {
		return app.Usage(c, "there is no one to answer its questions: add --yes, and what the defaults lack")
	}
	q := &asker{c: c, ui: app.NewUI(e), asking: asking}
	there := lookAround(".")
	there.tell(c)
	done := outcome{next: there}
	err := client.With(c.Context, e, func(z *zen.Client) error {
		changes, err := settle(c, z, q, there)
		if err != nil {
			return err
		}
		_, after, err := z.Config.Apply(changes, c.Bool("dry-run"))
		if err != nil {
			return err
		}
		if c.Bool("dry-run") {
			_, err := c.App.Writer.Write(after)
			return err
		}
		done.file, done.changes = z.Config.Paths.ConfigFile, changes
		done.tellWritten(c)
		return nil
	})
	if err != nil || c.Bool("dry-run") {
		return err
	}
	if err := done.prove(c, q); err != nil {
		return err
	}
	if err := done.tell(c); err != nil {
		return err
	}
	return done.verdict(c.Context)
}

// settle asks what the profile shall be.
func settle(c *cli.Context, z *zen.Client, q *asker, there *surroundings) ([]config.Change, error) {
	old, err := z.Config.Profile("")
	if err != nil {
		return nil, err
	}
	account, err := openAccount(c, z, q, there)
	if err != nil {
		return nil, err
	}
	database := q.ask("database", "The database's URL, or its name at Turso", cmp.Or(old.Database.Value, there.value("database"), account.only()))
	name := q.ask("provider", "Sign in with (clerk, auth0, oidc, apikey, platformtoken, statictoken)", cmp.Or(old.Provider.Value, there.provider(account)))
	usual := old.TokenProvider.Value
	if usual == "" && name == "oidc" { // whose tokens no database takes
		usual = there.issuing()
	}
	issuing := q.ask("token-provider", "Have the tokens made by (empty is the same)", usual)
	fallback := q.ask("fallback", "Fall back to (empty is none)", strings.Join(old.Fallback.Value, ","))
	if q.err != nil {
		return nil, q.err
	}
	if database == "" {
		return nil, &provider.Error{Kind: app.ErrUsage, Message: "which database?", Hint: "--database libsql://HOST, or its name with TURSO_API_TOKEN set"}
	}
	target, err := account.resolve(c.Context, z, database)
	if err != nil {
		return nil, err
	}
	profile := "profiles." + z.Config.Selected().Value + "."
	changes := []config.Change{{Key: profile + "database", Value: target.URL}}
	set := func(key, value string) {
		if value != "" {
			changes = append(changes, config.Change{Key: key, Value: value})
		}
	}
	id := target.DatabaseID
	if id == "" && old.Database.Value == target.URL {
		id = old.DatabaseID.Value
	}
	set(profile+"database_id", id)
	if id == "" && old.DatabaseID.IsSet() {
		changes = append(changes, config.Change{Key: profile + "database_id", Remove: true}) // another database's
	}
	set(profile+"provider", name)
	set(profile+"token_provider", issuing)
	set(profile+"fallback", fallback)
	set(profile+"access", c.String("access"))
	switch name {
	case "clerk":
		set("providers.clerk.publishable_key", q.ask("publishable-key", "Clerk's publishable key", there.value("publishable_key")))
		set("providers.clerk.proxy_url", there.value("proxy_url"))
		set("providers.clerk.bridge_url", q.ask("bridge-url", "The page of your app that authorises terminals (empty is none)", ""))
	case "auth0":
		set("providers.auth0.domain", there.value("auth0_domain"))
		set("providers.auth0.client_id", there.value("auth0_client_id"))
	}
	// The doctor and zen jwks ask it, too.
	set("providers.platformtoken.organization", account.organization)
	return changes, q.err
}

// outcome is the result of a step.
type outcome struct {
	file     string
	changes  []config.Change
	next     *surroundings
	findings []doctor.Finding
}

// prove signs in where that is wanted, and looks as zen doctor does.
func (o *outcome) prove(c *cli.Context, q *asker) error {
	name := ""
	for _, ch := range o.changes {
		if strings.HasSuffix(ch.Key, ".provider") {
			name = ch.Value
		}
	}
	e := app.EnvOf(c)
	look := func(repair bool) error {
		return client.With(c.Context, e, func(z *zen.Client) (err error) {
			o.findings, err = examination.Prove(c, z, repair)
			return err
		})
	}
	if !c.Bool("no-check") {
		if err := look(c.Bool("fix") || q.asking); err != nil {
			return err
		}
	}
	wanted := c.Bool("login")
	if !wanted && name != "" && o.has("signin.none") {
		wanted = strings.HasPrefix(strings.ToLower(q.ask("", "Sign in now (yes, no)", map[bool]string{true: "yes", false: "no"}[q.asking])), "y")
	}
	if q.err != nil || !wanted {
		return q.err
	}
	if err := (signin.LoginOptions{Provider: name, Method: o.next.method(name), SecretFD: -1, Timeout: 5 * time.Minute}).Run(c.Context, e); err != nil {
		return err
	}
	if c.Bool("no-check") {
		return nil
	}
	return look(false)
}

func (o *outcome) has(id string) bool {
	return slices.ContainsFunc(o.findings, func(f doctor.Finding) bool { return f.ID == id })
}

// verdict returns the exit code of the first thing that is wrong; that there is no sign-in
// yet isn't.
func (o *outcome) verdict(ctx context.Context) error {
	for _, f := range o.findings {
		if f.Failed(provider.SeverityError) && f.ID != "signin.none" {
			return app.ChildExit{Code: app.ExitCode(ctx, &provider.Error{Kind: f.Kind, Message: f.Observed})}
		}
	}
	return nil
}

func (o *outcome) tellWritten(c *cli.Context) {
	if app.GlobalBool(c, "json") {
		return
	}
	out := app.Notes(c)
	fmt.Fprintf(out, "Wrote %s:\n", app.OneLine(o.file))
	for _, ch := range o.changes {
		if !ch.Remove {
			fmt.Fprintf(out, "  %s = %s\n", ch.Key, app.OneLine(ch.Value))
		}
	}
}

// tell says what was proved, and the next three commands.
func (o *outcome) tell(c *cli.Context) error {
	next := o.commands()
	if app.GlobalBool(c, "json") {
		type check struct {
			ID       string `json:"id"`
			Severity string `json:"severity"`
			Observed string `json:"observed"`
			Next     string `json:"next,omitempty"`
		}
		written, checks := map[string]string{}, []check{}
		for _, ch := range o.changes {
			written[ch.Key] = ch.Value
		}
		for _, f := range o.findings {
			checks = append(checks, check{f.ID, string(f.Severity), app.OneLine(f.Observed), app.OneLine(f.Next)})
		}
		return app.PrintJSON(c, struct {
			SchemaVersion int               `json:"schema_version"`
			File          string            `json:"file"`
			Written       map[string]string `json:"written"`
			Checks        []check           `json:"checks"`
			Next          []string          `json:"next"`
		}{app.SchemaVersion, o.file, written, checks, next})
	}
	out := app.Notes(c)
	for _, f := range o.findings {
		if f.ID == "database.ok" {
			fmt.Fprintf(out, "It works: %s.\n", app.OneLine(f.Observed))
		}
	}
	fmt.Fprintf(out, "Next:\n")
	for _, command := range next {
		fmt.Fprintf(out, "  %s\n", command)
	}
	return nil
}

// commands returns the next three.
func (o *outcome) commands() []string {
	query := `zen db query "SELECT 1"`
	switch {
	case o.has("database.ok") && o.next.goModule:
		return []string{query, "zen connect go", "zen exec -- go run ."}
	case o.has("database.ok") && o.next.packages != nil:
		return []string{query, "zen connect node", "zen exec -- npm run dev"}
	case o.has("database.ok"):
		return []string{query, "zen db shell", "zen connect node"}
	}
	login := "zen login"
	for _, ch := range o.changes {
		if strings.HasSuffix(ch.Key, ".provider") {
			login += " --provider " + ch.Value
		}
	}
	return []string{login, "zen doctor", query}
}

// asker takes the answers from the flags, from a person, or from the defaults.
type asker struct {
	c      *cli.Context
	ui     *app.UI
	asking bool
	err    error
}

// ask asks one question. Without a flag's name it has none.
func (q *asker) ask(flag, question, usual string) string {
	switch {
	case flag != "" && q.c.IsSet(flag):
		return q.c.String(flag)
	case !q.asking || q.err != nil:
		return usual
	}
	if usual != "" {
		question += " [" + usual + "]"
	}
	answer, err := q.ui.Ask(q.c.Context, question)
	q.err = errors.Join(q.err, err)
	return cmp.Or(answer, usual)
}
