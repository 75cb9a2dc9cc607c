package clients_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack/clients/tursotest"
	"github.com/zen-auth/zen/devstack/turso"
)

// cliScript is a list of turso CLI commands, each with its exit code and a part of its
// output. Arguments with FILES/ are in the test's directory.
var cliScript = []struct {
	line string
	exit int
	want string
}{
	{"auth whoami", 0, "alice"},
	{"auth token", 1, "no user logged in"}, // the token is in the environment
	{"auth api-tokens list", 0, "test"},
	{"auth api-tokens mint ci", 0, "eyJ"},
	{"auth api-tokens mint ci", 1, "already exists"},
	{"auth api-tokens mint scoped --org acme --group default --scope read --scope db:mint-token", 0, "eyJ"},
	{"auth api-tokens mint odd --org acme --group default --scope fly", 1, ""},
	{"auth api-tokens mint odd --group default --scope read", 1, ""},
	{"auth api-tokens mint odd --org nope", 1, "organization nope not found"},
	{"auth api-tokens revoke ci", 0, "evoked"},
	{"auth api-tokens revoke ci", 0, "not found"},
	{"org list", 0, "acme"},
	{"org switch nope", 1, "nope"},
	{"org switch acme", 0, "acme"},
	{"org members list", 0, "alice"},
	{"org members add bob", 0, "bob"},
	{"org members add bob", 1, "already a member"},
	{"org members add nobody", 1, "could not find user"},
	{"org members rm bob", 0, "bob"},
	{"org members rm bob", 1, ""},
	{"org members invite carol@acme.test", 0, "carol@acme.test"},
	{"org members invite carol@acme.test --admin", 0, "carol@acme.test"},
	{"org jwks list", 0, ""},
	{"org jwks save odd/name http://127.0.0.1:1/jwks.json", 1, ""},
	{"org jwks save clerk http://127.0.0.1:1/jwks.json", 0, "saved"},
	{"org jwks list", 0, "clerk"},
	{"org jwks template --database app --scope read-only", 0, `"a":"ro"`},
	{"org jwks template --group default --scope full-access", 0, `"gid"`},
	{"org jwks template --database nope", 1, "nope"},
	{"org jwks remove clerk", 0, "removed"},
	{"org jwks remove clerk", 1, ""},
	{"org audit-logs list", 0, "org-member-add"},
	{"org invites list", 0, "carol@acme.test"},
	{"org invites remove carol@acme.test", 0, ""},
	{"org invites remove carol@acme.test", 1, "not found"},
	{"org invites list", 0, ""},
	{"plan show", 0, "starter"},
	{"org invoice list", 0, ""},
	{"db replicate app fra", 1, ""},
	{"db unarchive app", 0, ""},
	{"group list", 0, "default"},
	{"group show default", 0, "local (primary)"},
	{"group create two --location local", 0, "Created group two"},
	{"group create two --location local", 1, "already exists"},
	{"group create three --location fra", 1, ""},
	{"group create Odd_Name --location local", 1, ""},
	{"group rename two second", 0, "second"},
	{"group rename nope other", 1, ""},
	{"group list", 0, "second"}, // or the CLI doesn't know of it
	{"group config delete-protection enable second", 0, ""},
	{"group destroy second --yes", 1, "protected"},
	{"group config delete-protection disable second", 0, ""},
	{"group config delete-protection show second", 0, ""},
	{"group locations list second", 0, "local"},
	{"group locations add second fra", 1, "'fra' is not a valid one"},
	{"group locations remove second local", 1, ""},
	{"group unarchive second", 0, ""},
	{"group transfer second other --yes", 1, "lacks transfers of groups"},
	{"group tokens create second", 0, "eyJ"},
	{"group tokens create second -e 7d --read-only", 0, "eyJ"},
	{"group tokens create nope", 1, ""},
	{"group tokens create second -e rubbish", 1, ""},
	{"group tokens invalidate second --yes", 0, "invalidated"},
	{"group destroy second --yes", 0, "Destroyed"},
	{"group destroy second --yes", 1, "not found"},
	{"db list", 0, "app"},
	{"db list --group default", 0, "app"},
	{"db create", 0, "Created database"},
	{"db create two", 0, "Created database two"},
	{"db create two", 1, "already exists"},
	{"db create Odd_Name", 1, ""},
	{"db create -- -x", 1, ""},
	{"db create 'with space'", 1, ""},
	{"db create three --group nope", 1, "group nope does not exist"},
	{"db create three --location fra", 1, "not valid for group"},
	{"db show two", 0, "two"},
	{"db show two --url", 0, "libsql://"},
	{"db show two --http-url", 0, "http://"},
	{"db show two --instance-urls", 0, ""},
	{"db show nope", 1, "not found"},
	{"db shell two 'CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)'", 0, ""},
	{"db shell two \"INSERT INTO t (a) VALUES ('x'), (NULL)\"", 0, ""},
	{"db shell two 'SELECT count(*) AS n FROM t'", 0, "2"},
	{"db shell two 'SELECT * FROM nope'", 1, "no such table: nope"},
	{"db shell two 'SELEC'", 1, "syntax error around L1:6"},
	{"db shell two .tables", 0, "t"},
	{"db shell two .schema", 0, "CREATE TABLE t"},
	{"db shell two .dump", 0, "INSERT INTO"},
	{"db shell nope 'SELECT 1'", 1, ""},
	{"db inspect two", 0, "rows written: 4"},
	{"db inspect two --queries", 0, "INSERT INTO t"},
	{"db export two --output-file FILES/two.db", 0, "Exported"},
	{"db export two --output-file FILES/two.db", 1, "already exists"},
	{"db export two --output-file FILES/two.db --overwrite", 0, "Exported"},
	{"db export two --output-file FILES/meta.db --with-metadata", 0, "Exported"},
	{"db export nope --output-file FILES/nope.db", 1, ""},
	{"db create copy --from-db two", 0, "Created database copy"},
	{"db shell copy 'SELECT count(*) AS n FROM t'", 0, "2"},
	{"db create nothing --from-db nope", 1, "nope"},
	{"db show nothing", 1, "not found"},
	{"db create past --from-db two --timestamp 2024-01-01T00:00:00Z", 1, "recovery to a point in time"},
	{"db branch two branch", 0, ""},
	{"db shell branch 'SELECT count(*) AS n FROM t'", 0, "2"},
	{"db branch nope branch2", 1, "nope"},
	{"db show branch", 0, ""},
	{"db create dumped --from-dump FILES/dump.sql", 0, "Created database dumped"},
	{"db shell dumped 'SELECT a FROM d'", 0, "dumped"},
	{"db create broken --from-dump FILES/broken.sql", 1, "invalid"},
	{"db show broken", 1, "not found"},
	{"db create remote --from-dump-url http://127.0.0.1:1/dump.sql", 1, "lacks fetching a dump"},
	{"db create schema --type schema", 1, "lacks the parameter is_schema"},
	{"db create child --schema two", 1, "lacks the parameter schema"},
	{"db create limited --size-limit 1mb", 1, "lacks the parameter size_limit"},
	{"db create sealed --remote-encryption-key MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY= --remote-encryption-cipher aes256gcm", 1, "lacks the parameter remote_encryption"},
	{"db create fromfile --from-file FILES/nothing.db", 1, ""},
	{"db create fromfile --from-file FILES/two.db", 0, "Created database fromfile"},
	{"db shell fromfile 'SELECT count(*) AS n FROM t'", 0, "2"},
	{"db import FILES/meta.db", 0, "Created database meta"},
	{"db shell meta 'SELECT count(*) AS n FROM t'", 0, "2"},
	{"db create fromcsv --from-csv FILES/data.csv --csv-table-name rows", 0, "Created database fromcsv"},
	{"db shell fromcsv 'SELECT b FROM rows'", 0, "2"},
	{"db config attach show two", 0, "not allowed"},
	{"db config attach allow two", 0, ""},
	{"db config attach show two", 0, "Attach"},
	{"db config attach disallow two", 0, ""},
	{"db config delete-protection enable two", 0, ""},
	{"db config delete-protection show two", 0, "on"},
	{"db destroy two --yes", 1, "protected"},
	{"db config delete-protection disable two", 0, ""},
	{"db tokens create two", 0, "eyJ"},
	{"db tokens create two -e 2d", 0, "eyJ"},
	{"db tokens create two -e never --read-only", 0, "eyJ"},
	{"db tokens create two -e 2x", 1, ""},
	{"db tokens create two -p t:data_read", 0, "eyJ"},
	{"db tokens create two --attach copy", 0, "eyJ"},
	{"db tokens create two --attach nope", 1, ""},
	{"db tokens create nope", 1, "not found"},
	{"org db-transfer two other", 1, "lacks transfers of databases"},
	{"db destroy two --yes", 0, "Destroyed"},
	{"db destroy two --yes", 0, ""}, // as in the CLI, which lists existing ones first
	{"db destroy copy branch dumped --yes", 0, "Destroyed"},
	{"org create 'Another One'", 1, ""}, // asks for money
	{"org destroy acme2", 1, ""},
	{"nonsense", 1, "unknown command"},
}

// TestTursoCLIScript runs the commands of cliScript in order.
func TestTursoCLIScript(t *testing.T) {
	s := tursotest.New(t, turso.Options{})
	must(t, s.CreateUser("bob", "bob@acme.test"))
	c := newCLI(t, s)
	files := t.TempDir()
	for name, content := range map[string]string{
		"dump.sql":   "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE d (a TEXT);\nINSERT INTO d VALUES ('dumped');\nCOMMIT;\n",
		"broken.sql": "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE d (a TEXT);\nINSERT INTO nope VALUES (1);\nCOMMIT;\n",
		"data.csv":   "a,b\n1,2\n",
	} {
		must(t, os.WriteFile(filepath.Join(files, name), []byte(content), 0o600))
	}
	_, noShell := exec.LookPath("sqlite3")
	for _, tt := range cliScript {
		if noShell != nil && (strings.Contains(tt.line, "FILES/two.db") && strings.Contains(tt.line, "from-file") || strings.Contains(tt.line, "fromfile") || strings.Contains(tt.line, "meta")) {
			t.Logf("SKIPPED: turso %s: the CLI needs sqlite3 for it", tt.line)
			continue
		}
		out, err := c.run(split(strings.ReplaceAll(tt.line, "FILES", files))...)
		code := 0
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if code != tt.exit || !strings.Contains(out, tt.want) {
			t.Errorf("turso %s: exit code %d, want %d with %q\n%s", tt.line, code, tt.exit, tt.want, out)
		}
	}
	t.Logf("%d commands", len(cliScript))
}

// split splits a command line at unquoted spaces.
func split(line string) []string {
	var words []string
	var word strings.Builder
	quote, some := rune(0), false
	for _, r := range line {
		switch {
		case r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, some = r, true
		case quote == 0 && r == ' ':
			if word.Len() > 0 || some {
				words = append(words, word.String())
			}
			word.Reset()
			some = false
		default:
			word.WriteRune(r)
		}
	}
	if word.Len() > 0 || some {
		words = append(words, word.String())
	}
	return words
}
