package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/internal/programs"
)

// notes creates a table that pages read.
const notes = `zen login --provider clerk 2>/dev/null
zen db query -q "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT); INSERT INTO notes (body) VALUES ('first light'), ('second thoughts')"
`

// users creates another one.
const users = `zen login --provider clerk 2>/dev/null
zen db query -q "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, seen); INSERT INTO users (name, seen) VALUES ('alice', 1.5), ('007', NULL)"
`

// outside removes the stack's environment, for tests that start stacks of their own.
const outside = `export ZEN_LIVE_TRANSCRIPT=$PWD/transcript
cd "$REPOSITORY"
unset $(env | sed -nE 's/^((ZEN|CLERK|TURSO|AUTH0|ACTIONS|VITE|NEXT)_[A-Z0-9_]*)=.*/\1/p' | grep -vx ZEN_LIVE_TRANSCRIPT)`

// scenario is a stack in which blocks of a page run one after another.
type scenario struct {
	page   string
	args   []string // of zen dev
	blocks []typed
}

// typed identifies a block by its first lines.
type typed struct {
	first   string
	before  string   // runs before the block
	instead []string // pairs: text of the page, and what is run instead
}

// scenarios are the stacks of the pages.
var scenarios = []scenario{
	{"README.md", nil, []typed{
		{`zen db query "SELECT id, body FROM notes"`, notes + "zen dev fault jwks-stuck on >/dev/null", nil},
	}},
	{"docs/apikey.md", nil, []typed{
		{"zen login --provider apikey --secret-fd", `printf %s "$ZEN_APIKEY__KEY" >key`, []string{"/run/secrets/apikey", "key"}},
		{"export ZEN_APIKEY__KEY", "", nil},
	}},
	{"docs/auth0.md", nil, []typed{
		{"zen login --provider auth0\nauth0:", "", nil},
		{"zen jwks template", "", nil},
		{"zen login --provider auth0\n$", "", nil},
	}},
	{"docs/clerk.md", nil, []typed{
		{"zen jwks template", "", nil},
		{"zen provider setup clerk --topic", "", nil},
		{"zen config set providers.clerk.proxy_url", "", nil},
		{"zen init", `: >"$ZEN_CONFIG"
key=$CLERK_PUBLISHABLE_KEY
unset CLERK_PUBLISHABLE_KEY TURSO_DATABASE_URL ACTIONS_ID_TOKEN_REQUEST_URL ACTIONS_ID_TOKEN_REQUEST_TOKEN`, []string{"pk_live_…", "$key", "4xCZYq…", "zenDevClerkOAuth"}},
	}},
	{"docs/cli.md", nil, []typed{
		{"zen version --json", "", nil},
		{"zen token --json --min-ttl 5", "", nil},
		{"zen token --format env", "zen login --provider clerk 2>/dev/null", nil},
		{"zen connect python", "", nil},
		{"zen profiles list", "zen profiles add reports --database $TURSO_DATABASE_URL --provider clerk 2>/dev/null; zen login --provider platformtoken 2>/dev/null; zen login --provider clerk 2>/dev/null", nil},
		{"zen login --provider platformtoken", "", nil},
		{"zen team invite", "zen login --provider clerk --org acme 2>/dev/null; zen dev fault clerk-invitations-limited on >/dev/null", nil},
	}},
	{"docs/clients.md", nil, []typed{{"zen dev -- npm start", "zen login 2>/dev/null", []string{"npm start", "true"}}}},
	{"docs/configuration.md", nil, []typed{
		{"zen token --database", "zen login 2>/dev/null", nil},
		{"zen status", "printf '[profiles.default]\\ndatabse = \"x\"\\n' >\"$ZEN_CONFIG\"", nil},
	}},
	{"docs/database.md", nil, []typed{
		{`zen db query "SELECT * FROM users"`, notes + users, nil},
		{"zen db query --file", "printf 'SELECT id,\\n  colour\\nFROM users' >report.sql", nil},
		{"zen db sync", "", nil},
		{`zen db query "INSERT INTO users`, `zen db query -q "DELETE FROM users"`, nil},
		{"zen db ping", "", nil},
		{"zen db list", "", nil},
		{"zen db import notes.csv\n50000", `zen db query -q "DELETE FROM notes"; { echo id,body; seq 50000 | sed 's/$/,text/'; } >notes.csv`, nil},
		{"zen db import notes.csv\nzen:", `zen db query -q "DELETE FROM notes"; sed -i '40002s/.*/1,again/' notes.csv`, nil},
	}},
	{"docs/devstack.md", nil, []typed{
		{"zen dev --dir", "", nil},
		{"export BROWSER", "", nil},
		{"zen dev\n", "", []string{"zen dev", "{ zen dev 2>&1 & echo $! >pid; } | sed '/^The stack is ready/q'; kill $(cat pid)"}},
	}},
	{"docs/devstack.md", nil, []typed{{"zen dev -- bash", "", nil}}},
	{"docs/devstack.md", []string{"--fault", "jwks-stuck"}, []typed{{"zen dev --fault jwks-stuck", "", nil}}},
	{"docs/devstack.md", []string{"--seed", "devstack/testdata/seed.toml"}, []typed{{"zen dev --seed", "", nil}}},
	{"docs/doctor.md", nil, []typed{
		{"zen jwks list", "zen login 2>/dev/null", nil},
		{"zen token |", "", nil},
		{"zen doctor", "zen dev fault jwks-stuck on >/dev/null", nil},
	}},
	{"docs/network.md", nil, []typed{{"HTTPS_PROXY=", "zen login 2>/dev/null; zen config set profiles.default.database libsql://app-acme.turso.io", nil}}},
	{"docs/oidc.md", nil, []typed{
		{"export ZEN_TOKEN_PROVIDER", "", nil},
		{"zen login --provider oidc --method workload", "zen logout 2>/dev/null", nil},
	}},
	{"docs/organizations.md", []string{"--seed", "devstack/testdata/organizations.toml"}, []typed{
		{"zen login --provider clerk --org acme", "", nil},
		{"zen profiles add globex", "", nil},
		{"zen team list", "zen org use acme 2>/dev/null; zen team invite dan@example.test >/dev/null 2>&1", nil},
		{"cat people.csv", "printf 'email,role\\nerin@example.test,admin\\ncarol@example.test,\\n' >people.csv; zen team invite carol@example.test >/dev/null 2>&1", nil},
	}},
	{"docs/platformtoken.md", nil, []typed{
		{"export TURSO_API_TOKEN", "", nil},
		{"zen login --provider platformtoken --method browser", "unset TURSO_API_TOKEN", nil},
	}},
	{"docs/proxy.md", nil, []typed{
		{"zen proxy -- npm start", "zen login 2>/dev/null", []string{"npm start", "true"}},
		{"zen proxy --env-file", "mkfifo ready", []string{".env.proxy &", ".env.proxy 2>ready & read line <ready"}},
		{"zen proxy --keep", "kill $!; wait $!", []string{"~/.config/app-proxy.env", "app-proxy.env 2>ready & read line <ready"}},
	}},
	{"docs/sessions.md", nil, []typed{
		{"zen db query", notes + "zen config set profiles.default.fallback platformtoken; zen dev fault jwks-stuck on >/dev/null", nil},
	}},
	{"docs/statictoken.md", nil, []typed{
		{"zen login --provider statictoken", "zen login 2>/dev/null; zen token >turso", []string{"/run/secrets/turso", "turso"}},
	}},
	{"docs/storage.md", nil, []typed{
		{"zen login --provider platformtoken\n", "unset ZEN_STORAGE DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR", nil},
		{"zen login --provider platformtoken --storage keyring", "", nil},
	}},
}

// building are the scenarios that build programs, which are skipped with -short.
var building = []scenario{
	{"README.md", nil, []typed{
		{"bin/zen dev -- bash", `cd "$REPOSITORY"`, []string{"-for 5s", "-for 10ms"}},
	}},
	{"docs/live.md", nil, []typed{
		{"make live", outside, nil},
		{"ZEN_LIVE_DRY_RUN=1", "", nil},
	}},
	{"docs/providers.md", nil, []typed{
		{"zen provider new --lang python", "echo '{}' >tokens.json", []string{"$PWD/tokens.json", "$PWD/../tokens.json"}},
	}},
	{"docs/providers.md", nil, []typed{
		{"zen provider new example", "", []string{"new example", `new example --replace "$REPOSITORY"`}},
		{"zen provider dev override", "export ZEN_EXAMPLE__TOKEN=tok", nil},
		{"ZEN_PROVIDER_DEBUG=1", "", []string{"./zen-provider-example", "./zen-provider-example 2>&1 & echo $! >pid; } | sed '/^Ctrl-C/q'; kill $(cat pid)", "ZEN_PROVIDER", "{ ZEN_PROVIDER"}},
		{"zen provider test", `printf tok >token.txt
sed -i '/ParseDuration/,/^\t}/s/err != nil || minLife < 0/err != nil \&\& minLife < 0/' provider.go
go build -o zen-provider-example .`, nil},
	}},
	{"docs/spike.md", nil, []typed{{"go test", outside, nil}}},
}

// byHand is the reason why a block is not in the scenarios; the terminal tests run it.
const byHand = "a person types at a terminal: TestPagesAtATerminal does"

// besideAKeyring is the same for a block that runs with a keyring.
const besideAKeyring = "it needs a keyring that disappears: TestPagesBesideAKeyring has one"

// elsewhere lists the blocks that don't run here, with the reason.
var elsewhere = []struct{ page, first, why string }{
	{"docs/clerk.md", "zen login --provider clerk\nclerk: signing in by email", byHand},
	{"docs/cli.md", "zen login --provider clerk\nThis is an SSH session", byHand},
	{"docs/clients.md", "git clone https://github.com/go-gorm", "it needs access to GitHub"},
	{"docs/clients.md", "git clone https://github.com/libsql", "it needs access to GitHub"},
	{"docs/clients.md", "make test-all", "it runs all tests"},
	{"docs/configuration.md", "zen init", "a person types at a terminal: TestInitAtATerminal does, and holds what it shows"},
	{"docs/database.md", "zen db shell", byHand},
	{"docs/storage.md", "zen login --storage keyring", besideAKeyring},
	{"docs/storage.md", "zen token", besideAKeyring},
}

// standIns maps the names used in pages to those of a stack.
var standIns = []string{
	"libsql://app-acme.turso.io", "STACK/dbs/app",
	"https://login.example.com/realms/staff", "STACK/oidc",
	"https://acme.eu.auth0.com", "STACK",
	"https://clerk.example.com", "STACK",
	"https://api.turso.tech", "STACK",
	"https://app.example", "STACK",
	"app-acme", "app",
	"aws-eu-west-1", "local",
}

// varying replaces what differs between runs, and between a page and a stack.
var varying = []struct {
	form *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`https?://(?:127\.0\.0\.1|localhost)(?::\d+)?`), "STACK"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+|\bclerk\.example\.com\b`), "HOST"},
	{regexp.MustCompile(`\?[a-z_]+=\S*`), "?QUERY"},
	{regexp.MustCompile(`[\w~./-]*/zen/config\.toml`), "CONFIG"},
	{regexp.MustCompile(`[\w~./-]*/zen/(?:state/)?(profiles|replicas)/(?:app-\w+-\w+|app-\w+)?`), "STATE/$1/"},
	{regexp.MustCompile(`\b(user|org|orginv|ins)_[\w…]+`), "${1}_ID"},
	{regexp.MustCompile(`\bpk_(?:live|test)_[\w…]+`), "pk_ID"},
	{regexp.MustCompile(`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`(TURSO_AUTH_TOKEN=)'?[\w.…-]+'?`), "${1}TOKEN"},
	{regexp.MustCompile(`\b(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| UTC)?|\b\d{4}-\d\d-\d\d`), "TIME"},
	{regexp.MustCompile(`\b(?:\d[\d.]*(?:h|m| ?µs| ?ms|s))+\b`), "DURATION"},
	{regexp.MustCompile(`\([\d.]+ to [\d.]+\)`), "(DURATIONS)"},
	{regexp.MustCompile(`\b[\d.]+(?: k?B)? \(the plan`), "SIZE (the plan"},
	{regexp.MustCompile(`\bframe \d+`), "frame N"},
	{regexp.MustCompile(`\b[0-9a-f]{64}\b|\b[0-9a-f]{4}…`), "SHA256"},
	{regexp.MustCompile(`\btrace [0-9a-f]+`), "trace ID"},
	{regexp.MustCompile(`/run/user/\d+`), "/run/user/UID"},
	{regexp.MustCompile(`\bv0\.1\.0\b|\(devel\)`), "VERSION"},
	{regexp.MustCompile(`\bgo1\.\d+[\w.]*`), "GO"},
	{regexp.MustCompile(`\b(?:linux|darwin|windows)/\w+64\b`), "PLATFORM"},
	{regexp.MustCompile(`\S*/zen-provider-example\b`), "PROGRAM"},
	{regexp.MustCompile(`\bzen-live-[0-9a-f]{8}\b`), "zen-live-ID"},
	{regexp.MustCompile(`"iat":\d+`), `"iat":N`},
	{regexp.MustCompile(`/\S*transcript(?:\.md)?\b`), "TRANSCRIPT"},
	{regexp.MustCompile(`/[\w./-]*zen-debug[\w-]*`), "/DEBUG"},
	{regexp.MustCompile(`"[^"]*/zen-provider-(\w+)(?:\.exe)?"`), `"PROGRAM $1"`},
	{regexp.MustCompile(`(sqld \S+)(?: \(devstack\))?`), "$1"},
	{regexp.MustCompile(`(?m)\bcode [A-Z0-9]{4}-[A-Z0-9]{4}|: \d{6}$`), "CODE"},
	{regexp.MustCompile(`(?m)^ +\.\.\.> `), "...> "}, // its indentation depends on the prompt
	{regexp.MustCompile(`(\S)  +`), "$1  "},          // column widths depend on the content
	{regexp.MustCompile(`(?m) +$`), ""},
	{regexp.MustCompile(`(?m)^ +…$`), "…"},
}

// normalForm returns a text with the varying parts replaced.
func normalForm(text string) string {
	text = strings.NewReplacer(standIns...).Replace(text)
	for _, v := range varying {
		text = v.form.ReplaceAllString(text, v.with)
	}
	return text
}

// shown is a block of a page: commands after "$ ", and their output.
type shown struct {
	page  string
	line  int
	text  string // without indentation
	known bool
}

func (s *shown) String() string {
	first, _, _ := strings.Cut(s.text, "\n")
	return fmt.Sprintf("%s:%d: %s", s.page, s.line, first)
}

// blocksIn returns the blocks of a page, which are indented or fenced. A command after an
// empty line begins a new block.
func blocksIn(page, text string) (blocks []*shown) {
	var now *shown
	fence, empty := false, ""
	for i, line := range strings.Split(text, "\n") {
		indented := false
		if !fence {
			line, indented = strings.CutPrefix(line, "    ")
		}
		switch {
		case strings.HasPrefix(line, "```"):
			now, fence = nil, !fence
		case line == "":
			empty += "\n"
			continue
		case !fence && !indented:
			now = nil
		case strings.HasPrefix(line, "$ ") && (now == nil || empty != ""):
			now = &shown{page: page, line: i + 1, text: line + "\n"}
			blocks = append(blocks, now)
		case now != nil:
			now.text += empty + line + "\n"
		}
		empty = ""
	}
	return blocks
}

var (
	// stackLine matches the command that starts a shell in a stack, and the shell's greeting.
	stackLine = regexp.MustCompile(`^\$ (?:bin/)?zen dev.* -- (?:sh|bash)\n(?:Inside the stack.*\n)?`)
	// hidden matches a variable whose value the page omits and the stack sets.
	hidden = regexp.MustCompile(`\b([A-Z][A-Z_]+)=…`)
	// command matches a command, including its continuation lines.
	command = regexp.MustCompile(`(?m)^\$ ((?:.*\\\n)*.*\n)`)
)

// script returns a shell script that prints each command of a block and runs it. If a block
// only lists commands, the output of those that succeed is dropped.
func (s *shown) script(instead []string) (script, want string) {
	want = stackLine.ReplaceAllString(s.text, "")
	lists := command.ReplaceAllString(want, "") == ""
	for _, found := range command.FindAllStringSubmatch(want, -1) {
		line := strings.NewReplacer(instead...).Replace(found[1])
		line = strings.ReplaceAll(strings.NewReplacer(standIns...).Replace(line), "STACK", "$ZEN_DEV_URL")
		line = hidden.ReplaceAllString(line, `$1="$$$1"`)
		script += "status=$?\ncat <<'LINE'\n" + found[0] + "LINE\n(exit $status)\n"
		if lists {
			script += "exec 4>&1 >\"$out\" 2>&1\n" + line + "failed=$?\nexec >&4 2>&1\n[ $failed = 0 ] || cat \"$out\"\n"
		} else {
			script += line
		}
	}
	return script, want
}

// compare checks that a block printed what the page shows.
func (s *shown) compare(t *testing.T, want, got string) {
	t.Helper()
	want, got = normalForm(want), normalForm(got)
	pattern := strings.ReplaceAll("\n"+regexp.QuoteMeta(want), "\n…\n", "\n(?:.*\n)*?")
	pattern = strings.ReplaceAll(pattern, "…", ".*")
	if !regexp.MustCompile("^" + pattern + "$").MatchString("\n" + got) {
		t.Errorf("%s: the page (-) and the output (+) differ:\n%s", s, cmp.Diff(want, got))
	}
}

// pageBlocks returns the blocks of README.md and docs.
func pageBlocks(t *testing.T) (blocks []*shown) {
	for page, text := range pages(t) {
		if page == "README.md" || strings.HasPrefix(page, "docs/") {
			blocks = append(blocks, blocksIn(page, text)...)
		}
	}
	return blocks
}

// find returns the first block of a page that begins with these lines and was not found
// before.
func find(t *testing.T, blocks []*shown, page, first string) *shown {
	t.Helper()
	for _, s := range blocks {
		if s.page == page && !s.known && strings.HasPrefix(s.text, "$ "+first) {
			s.known = true
			return s
		}
	}
	t.Fatalf("%s has no block %q", page, first)
	return nil
}

// TestPagesBlocks runs the blocks of the pages in stacks, and compares their output with the
// page, except for addresses, ids and times. A line of "…" stands for omitted lines, and "…"
// within a line for an omitted part of it.
func TestPagesBlocks(t *testing.T) {
	t.Parallel()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	all := pageBlocks(t)
	for _, e := range elsewhere {
		find(t, all, e.page, e.first)
	}
	for i, sc := range slices.Concat(scenarios, building) {
		script := "exec 2>&1\nout=$PWD/out\n"
		var blocks []*shown
		var wants []string
		for _, b := range sc.blocks {
			s := find(t, all, sc.page, b.first)
			run, want := s.script(b.instead)
			script += b.before + "\necho; echo BLOCK\n" + run + "echo; echo NEXT\n"
			blocks, wants = append(blocks, s), append(wants, want)
		}
		t.Run(blocks[0].String(), func(t *testing.T) {
			t.Parallel()
			if sc.page == "docs/storage.md" && runtime.GOOS != "linux" {
				t.Skip("the page describes a machine without a keyring")
			}
			if i >= len(scenarios) && testing.Short() {
				t.Skip("builds programs; make test-all runs it")
			}
			args := []string{"dev"}
			for _, arg := range sc.args {
				if strings.HasSuffix(arg, ".toml") {
					arg = filepath.Join(root, arg)
				}
				args = append(args, arg)
			}
			cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "zen"+programs.Exe), append(args, "--", "sh", "-c", script)...)
			cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "BROWSER=zen --quiet dev browse --user alice", "CI=",
				"REPOSITORY="+root)
			out, err := cmd.CombinedOutput()
			if _, ran := err.(*exec.ExitError); err != nil && !ran {
				t.Fatal(err)
			}
			printed := strings.Split(string(out), "\nBLOCK\n")[1:]
			if len(printed) != len(blocks) {
				t.Fatalf("%d of %d blocks ran:\n%s", len(printed), len(blocks), out)
			}
			for i, s := range blocks {
				got, between, _ := strings.Cut(printed[i], "\nNEXT\n")
				if between != "" {
					t.Errorf("the preparation of the block after %s printed:\n%s", s, between)
				}
				s.compare(t, wants[i], got)
			}
		})
	}
	for _, s := range all {
		if !s.known && !strings.HasPrefix(s.page, "docs/tutorials/") { // those are run by TestTutorials
			t.Errorf("%s: this block is neither run nor listed in elsewhere", s)
		}
	}
}
