package cli

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/internal/programs"
)

// signedIn returns a function that makes commands of the real zen, signed in to a stack of
// its own.
func signedIn(t *testing.T) (zen func(args ...string) *exec.Cmd, stack *devstack.Stack) {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	stack = devstacktest.Start(t, devstack.Options{})
	variables, err := stack.Environment(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	environment := append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"BROWSER=zen dev browse --user alice", "CI=", "TERM=xterm")
	for _, v := range variables {
		environment = append(environment, v.Name+"="+v.Value)
	}
	zen = func(args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, "zen"+programs.Exe), args...)
		cmd.Env = environment
		return cmd
	}
	if out, err := zen("login", "--provider", "clerk").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return zen, stack
}

// TestDatabaseBadInput checks that each bad input prints one line that says what is wrong,
// with the right exit code, and that a misplaced secret isn't repeated.
func TestDatabaseBadInput(t *testing.T) {
	t.Parallel()
	zen, stack := signedIn(t)
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const secret = "eyJhbGciOiJSUzI1NiJ9"
	if out, err := zen("db", "query", "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL CHECK (n > 0), parent REFERENCES t (id))").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, test := range map[string]struct {
		args   []string
		stdin  string
		env    []string
		code   int
		stderr string
	}{
		// The database.
		"URL without a host":                  {args: []string{"db", "query", "--database", "libsql://", "SELECT 1"}, code: 2, stderr: "database URL"},
		"mode for a server, a file":           {args: []string{"db", "query", "--mode", "remote", "--database", "file:local.db", "SELECT 1"}, code: 2, stderr: "mode remote"},
		"file in a missing directory":         {args: []string{"db", "query", "--database", "file:" + filepath.Join(dir, "none", "local.db"), "SELECT 1"}, code: 2, stderr: "there is no file"},
		"directory as a database":             {args: []string{"db", "query", "--database", "file:" + dir, "SELECT 1"}, code: 2, stderr: dir},
		"directory as a replica":              {args: []string{"db", "query", "--mode", "replica", "--path", dir, "SELECT 1"}, code: 2, stderr: dir},
		"file that isn't a database":          {args: []string{"db", "query", "--database", "file:" + file("no.db", strings.Repeat("no database\n", 1000)), "SELECT * FROM t"}, code: 2, stderr: "not a database"},
		"URL is a path":                       {args: []string{"db", "ping", "--database", dir}, code: 2, stderr: "database URL"},
		"scheme of WebSockets":                {args: []string{"db", "query", "--database", "wss://app-acme.turso.io", "SELECT 1"}, code: 2, stderr: "scheme wss"},
		"unknown scheme":                      {args: []string{"db", "query", "--database", "gopher://app", "SELECT 1"}, code: 2, stderr: "unknown scheme"},
		"plain HTTP to a remote host":         {args: []string{"db", "shell", "--database", "http://db.example"}, code: 2, stderr: "database URL"},
		"token in the URL":                    {args: []string{"db", "query", "--database", "libsql://app?authToken=" + secret, "SELECT 1"}, code: 2, stderr: "carries a token"},
		"password in the URL":                 {args: []string{"db", "query", "--database", "libsql://me:" + secret + "@app", "SELECT 1"}, code: 2, stderr: "user name or a password"},
		"token instead of a URL":              {args: []string{"db", "ping", "--database", secret}, code: 2, stderr: "is a token"},
		"control character":                   {args: []string{"db", "query", "--database", "libsql://app\x1b[31m", "SELECT 1"}, code: 2, stderr: "control character"},
		"URL of 3 KB":                         {args: []string{"db", "query", "--database", "libsql://" + strings.Repeat("a", 3000), "SELECT 1"}, code: 2, stderr: "longer than"},
		"invalid port":                        {args: []string{"db", "query", "--database", "libsql://app:99999", "SELECT 1"}, code: 2, stderr: "database URL"},
		"nothing listens":                     {args: []string{"db", "query", "SELECT 1"}, env: []string{"ZEN_DATABASE=http://127.0.0.1:1", "ZEN_DATABASE_ID=" + stack.DatabaseID()}, code: 4, stderr: "127.0.0.1:1"},
		"another database than the profile's": {args: []string{"db", "query", "--database", "http://127.0.0.1:1", "SELECT 1"}, code: 2, stderr: "is not the database of profile"},
		"another database's name":             {args: []string{"db", "query", "--database", strings.Replace(stack.DatabaseURL(), "/dbs/app", "/dbs/nowhere", 1), "SELECT 1"}, code: 2, stderr: "nowhere"},
		"empty URL":                           {args: []string{"db", "query", "--database", "", "SELECT 1"}, code: 2, stderr: "--database is empty"},
		"unknown access":                      {args: []string{"db", "query", "--access", "root", "SELECT 1"}, code: 2, stderr: "root"},

		// Tokens.
		"API token with a line feed": {args: []string{"login", "--provider", "platformtoken"}, env: []string{"TURSO_API_TOKEN=" + secret + "\nX"}, code: 2, stderr: "token"},
		"API token of 20 KB":         {args: []string{"login", "--provider", "platformtoken"}, env: []string{"TURSO_API_TOKEN=" + strings.Repeat("a", 20_000)}, code: 2, stderr: "no token"},

		// Flags and arguments.
		"unknown mode":               {args: []string{"db", "query", "--mode", "telepathy", "SELECT 1"}, code: 2, stderr: "mode"},
		"unknown format":             {args: []string{"db", "query", "--format", "xml", "SELECT 1"}, code: 2, stderr: "table, csv, line or json"},
		"two formats":                {args: []string{"db", "query", "--format", "csv", "--json", "SELECT 1"}, code: 2, stderr: "exclude each other"},
		"unknown flag":               {args: []string{"db", "query", "--parm", "1", "SELECT ?"}, code: 2, stderr: "parm"},
		"two texts":                  {args: []string{"db", "query", "SELECT 1", "SELECT 2"}, code: 2, stderr: "one SQL text"},
		"file and text":              {args: []string{"db", "query", "--file", file("a.sql", "SELECT 1"), "SELECT 2"}, code: 2, stderr: "exclude each other"},
		"directory as a file":        {args: []string{"db", "query", "--file", dir}, code: 1, stderr: "is a directory"},
		"missing file":               {args: []string{"db", "query", "--file", filepath.Join(dir, "none.sql")}, code: 1, stderr: "none.sql"},
		"directory as a blob":        {args: []string{"db", "query", "SELECT ?", "--blob", dir}, code: 2, stderr: "is a directory"},
		"no pings":                   {args: []string{"db", "ping", "--count", "0"}, code: 2, stderr: "--count 0"},
		"pings that aren't a number": {args: []string{"db", "ping", "--count", "many"}, code: 2, stderr: "many"},
		"negative interval":          {args: []string{"db", "ping", "--interval", "-1s"}, code: 2, stderr: "negative"},
		"shell with SQL":             {args: []string{"db", "shell", "SELECT 1"}, code: 2, stderr: "unexpected argument"},

		// SQL text.
		"nothing on standard input": {args: []string{"db", "query"}, code: 2, stderr: "no statement"},
		"a NUL byte":                {args: []string{"db", "query", "-"}, stdin: "SELECT '\x00'", code: 2, stderr: "NUL"},
		"not UTF-8":                 {args: []string{"db", "query", "-"}, stdin: "SELECT '\xff'", code: 2, stderr: "UTF-8"},
		"a program as SQL":          {args: []string{"db", "query", "--file", os.Args[0]}, code: 2, stderr: "NUL"},
		"huge SQL":                  {args: []string{"db", "query", "-"}, stdin: "SELECT '" + strings.Repeat("x", (64<<20)) + "'", code: 1, stderr: "larger than 64 MiB"},
		"a syntax error":            {args: []string{"db", "query", "SELEC 1"}, code: 1, stderr: "1 | SELEC 1\n  | ^"},
		"unknown table":             {args: []string{"db", "query", "SELECT * FROM nowhere"}, code: 1, stderr: "no such table: nowhere"},
		"unterminated string":       {args: []string{"db", "query", "SELECT 'open"}, code: 1, stderr: "zen: "},
		"escapes in the error":      {args: []string{"db", "query", "SELECT [\x1b[31m] FROM t"}, code: 1, stderr: "no such column"},

		// Parameters.
		"too few parameters":                {args: []string{"db", "query", "SELECT ?, ?", "--param", "1"}, code: 2, stderr: "wants 2, got 1"},
		"too many parameters":               {args: []string{"db", "query", "SELECT 1", "--param", "1"}, code: 2, stderr: "wants 0, got 1"},
		"a parameter without its name":      {args: []string{"db", "query", "SELECT :a", "--param", "1"}, code: 2, stderr: "NAME=VALUE, for example --param a=VALUE"},
		"a parameter of another name":       {args: []string{"db", "query", "SELECT :a", "--param", "b=1"}, code: 2, stderr: "no argument for parameter :a"},
		"a blob with half a byte":           {args: []string{"db", "query", "SELECT ?", "--param", "x'0'"}, code: 2, stderr: "hexadecimal"},
		"parameters for several statements": {args: []string{"db", "query", "SELECT ?; SELECT ?", "--param", "1"}, code: 2, stderr: "one statement"},
		"number too large":                  {args: []string{"db", "query", "INSERT INTO t (id, n) VALUES (?, 1)", "--param", "9223372036854775808"}, code: 1, stderr: "datatype mismatch"},
		"value too large":                   {args: []string{"db", "query", "SELECT length(?)", "--blob", file("huge", strings.Repeat("x", 20<<20))}, code: 1, stderr: "zen: "},

		// What the database refuses.
		"NOT NULL":       {args: []string{"db", "query", "INSERT INTO t (n) VALUES (NULL)"}, code: 1, stderr: "NOT NULL constraint failed: t.n"},
		"CHECK":          {args: []string{"db", "query", "INSERT INTO t (n) VALUES (0)"}, code: 1, stderr: "CHECK constraint failed"},
		"write with ro":  {args: []string{"db", "query", "--access", "ro", "DELETE FROM t"}, code: 5, stderr: "write"},
		"infinite float": {args: []string{"db", "query", "SELECT 9e999"}, code: 1, stderr: "infinite float"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := zen(test.args...)
			var stdout, stderr bytes.Buffer
			cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(test.stdin), &stdout, &stderr
			cmd.Env = append(cmd.Env[:len(cmd.Env):len(cmd.Env)], test.env...)
			err := cmd.Run()
			var exited *exec.ExitError
			if err != nil && !errors.As(err, &exited) {
				t.Fatal(err)
			}
			if code := cmd.ProcessState.ExitCode(); code != test.code || !strings.Contains(stderr.String(), test.stderr) {
				t.Errorf("exit code %d, want %d and %q in\n%s", code, test.code, test.stderr, stderr.String())
			}
			if n := strings.Count("\n"+stderr.String(), "\nzen: ") + strings.Count("\n"+stderr.String(), "\n{\"schema_version\":1,\"error\":"); n != 1 || len(stderr.String()) > 2000 {
				t.Errorf("%d error lines, want 1:\n%.2000s", n, stderr.String())
			}
			if all := stdout.String() + stderr.String(); strings.Contains(all, secret) || strings.Contains(all, "\x1b") {
				t.Errorf("a secret or a control character is in the output:\n%q", all)
			}
		})
	}
}
