// Package tokenform has the forms in which a token is handed out: the formats of zen
// token, and the environment of zen exec. It links no flag library, so that the front
// can use it.
package tokenform

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/text"
)

// SchemaVersion is in every JSON document that zen prints. It grows when a field
// changes its meaning or goes away.
const SchemaVersion = 1

// Formats are the values of --format, the default first.
var Formats = []string{"raw", "json", "env", "header", "exec-credential"}

// Answer is a token and what it is for.
type Answer struct {
	Profile  string
	Database string // its URL
	// Chosen says that the line names the database.
	Chosen bool
	Access provider.Access
	Token  provider.Token
}

// Choice holds the line's flags about the form.
type Choice struct {
	// Format and Shell are "" where the line has no such flag.
	Format, Shell string
	JSON          bool
	// Getenv is os.Getenv, or another environment's.
	Getenv func(string) string
}

// FlagError is a choice that can't be made, in words for the user.
type FlagError string

func (e FlagError) Error() string { return string(e) }

// Writer returns the writer of the chosen form. A *FlagError is for the line, others for the
// environment.
func (c Choice) Writer() (func(io.Writer, Answer) error, error) {
	format := c.Format
	switch {
	case c.JSON && format != "" && format != "json":
		return nil, FlagError(fmt.Sprintf("--json and --format %s are two answers", format))
	case c.JSON:
		format = "json"
	case format == "":
		format = Formats[0]
	}
	if c.Shell != "" && format != "env" {
		return nil, FlagError("--shell is for --format env")
	}
	switch format {
	case "raw":
		return line(func(t provider.Token) string { return t.Value.Reveal() }), nil
	case "header":
		return line(func(t provider.Token) string { return "Authorization: Bearer " + t.Value.Reveal() }), nil
	case "json":
		return func(w io.Writer, a Answer) error { return WriteJSON(w, newDocument(a)) }, nil
	case "env":
		shell := shellOr(c.Shell, c.Getenv("SHELL"))
		if !slices.Contains(ShellNames, shell) {
			return nil, FlagError(fmt.Sprintf("--shell %q is not %s", shell, strings.Join(ShellNames, ", ")))
		}
		return func(w io.Writer, a Answer) error {
			_, err := w.Write([]byte(shellText(shell, tokenEnvironment(a.Database, a.Token))))
			return err
		}, nil
	case "exec-credential":
		version, err := ExecCredentialVersion(c.Getenv("KUBERNETES_EXEC_INFO"))
		if err != nil {
			return nil, err
		}
		return func(w io.Writer, a Answer) error { return WriteJSON(w, newExecCredential(version, a.Token)) }, nil
	}
	return nil, FlagError(fmt.Sprintf("--format %q is not %s", format, strings.Join(Formats, ", ")))
}

func line(text func(provider.Token) string) func(io.Writer, Answer) error {
	return func(w io.Writer, a Answer) error {
		_, err := w.Write([]byte(text(a.Token) + "\n"))
		return err
	}
}

// WriteJSON writes one document, for people and programs: text.JSON.
func WriteJSON(w io.Writer, document any) error {
	data, err := text.JSON(document, "  ")
	if err == nil {
		_, err = w.Write(data)
	}
	return err
}

type document struct {
	SchemaVersion int        `json:"schema_version"`
	Profile       string     `json:"profile"`
	Database      string     `json:"database"`
	Access        string     `json:"access"`
	Token         string     `json:"token"`
	IssuedAt      *time.Time `json:"issued_at"`
	ExpiresAt     *time.Time `json:"expires_at"`
}

func newDocument(a Answer) document {
	return document{
		SchemaVersion: SchemaVersion, Profile: a.Profile, Database: a.Database, Access: string(a.Access),
		Token: a.Token.Value.Reveal(), IssuedAt: Instant(a.Token.Issued), ExpiresAt: Instant(a.Token.Expires),
	}
}

// Instant is null in JSON for a time that is not known.
func Instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Variables reads --env: names, each with the part of the token that it gets.
func Variables(given []string) (map[string]string, error) {
	variables := map[string]string{}
	for _, text := range given {
		name, what, ok := strings.Cut(text, "=")
		if !ok || !isVariable(name) || !slices.Contains([]string{"url", "token", "expires"}, what) {
			// Without an echo of what may be a secret.
			return nil, FlagError(fmt.Sprintf("--env %.40q is not given url, token or expires, as in NAME=token", name))
		}
		variables[name] = what
	}
	return variables, nil
}

func isVariable(name string) bool {
	return name != "" && (name[0] < '0' || name[0] > '9') &&
		strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// EnvAccessLimit is the most that a zen inside of a zen may ask for.
const EnvAccessLimit = "ZEN_ACCESS_LIMIT"

// Limits returns the variables that hold a zen which the command runs to what this one was
// told: the profile, the database where the line chose it, and the access where that is
// less than all.
func (a Answer) Limits() map[string]string {
	limits := map[string]string{"ZEN_PROFILE": a.Profile}
	if a.Chosen {
		limits["ZEN_DATABASE"] = a.Database
	}
	if a.Access == provider.AccessReadOnly {
		limits[EnvAccessLimit] = string(a.Access)
	}
	return limits
}

// Environment is environ for a command: without what is another account's, or a
// provider's own, and with the token. extra are those of Variables.
func (a Answer) Environment(environ []string, extra map[string]string) []string {
	value := map[string]string{"url": a.Database, "token": a.Token.Value.Reveal(), "expires": expiryText(a.Token)}
	set := map[string]string{
		envURL: value["url"], "LIBSQL_URL": value["url"],
		envToken: value["token"], "LIBSQL_AUTH_TOKEN": value["token"],
		envExpires: value["expires"],
	}
	maps.Copy(set, a.Limits())
	for name, what := range extra {
		set[name] = value[what]
	}
	kept := slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		_, replaced := set[name]
		return replaced || IsCredentialVariable(name)
	})
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if set[name] != "" {
			kept = append(kept, name+"="+set[name])
		}
	}
	return kept
}

// IsCredentialVariable reports whether a variable may name another account, or be a
// provider's setting, which may be a secret: a command never inherits those. What an
// app shares with a provider under a name of its own, CLERK_PUBLISHABLE_KEY say,
// stays the app's.
func IsCredentialVariable(name string) bool {
	if runtime.GOOS == "windows" {
		name = strings.ToUpper(name)
	}
	return strings.HasPrefix(name, "TURSO_") || strings.HasPrefix(name, "LIBSQL_") ||
		strings.HasPrefix(name, "ZEN_") && strings.Contains(name, "__")
}
