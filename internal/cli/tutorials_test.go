package cli

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/zen-auth/zen/internal/programs"
)

// tutorialFile matches a block that is a file, with the name after the language.
var tutorialFile = regexp.MustCompile("(?ms)^```[a-z]+ (\\S+)\n(.*?)^```\n")

// TestTutorials follows the tutorials in a stack: it writes their files, runs their commands,
// and compares the output.
func TestTutorials(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds apps and installs packages; make test-all runs it")
	}
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	checkout, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	// started returns a shell command that runs a server, with its output up to where it is
	// ready.
	started := func(command string) string {
		return "mkfifo ready; { " + command + " >ready 2>&1 & }; echo $! >pid; exec 5<ready; while read -r line <&5; do echo \"$line\"; case $line in *Ready*|*Notes*) break;; esac; done"
	}
	for _, c := range []struct {
		page    string
		needs   []string
		instead []string // pairs: text of the page, and what is run instead
		after   string   // what a user does in the browser; prints nothing
	}{
		{"docs/tutorials/go.md", []string{"curl"}, []string{
			// The downloads happen before the shown command.
			"go mod tidy", "cp go.mod before; go mod tidy >tidy.log 2>&1; mv before go.mod; rm -f go.sum; go mod tidy || cat tidy.log",
			"go run . &", "go build -trimpath -o app . && " + started("./app"),
		}, ""},
		{"docs/tutorials/nextjs.md", []string{"curl", "npm", "node"}, []string{
			"zen proxy -- npx next dev --port 3000 &", started("zen proxy -- npx next dev --hostname 127.0.0.1 --port $PORT"),
			"http://127.0.0.1:3000", "http://127.0.0.1:$PORT",
		}, `action=$(curl --silent http://127.0.0.1:$PORT/ | grep -o '$ACTION_ID_[0-9a-f]*' | head -n 1)
curl --silent --form "$action=" --form "body=second thoughts" http://127.0.0.1:$PORT/ >added
curl --silent http://127.0.0.1:$PORT/ | grep -q "<li>second thoughts</li>" || { echo "no second note:"; cat added; }`},
		{"docs/tutorials/python.md", []string{"curl", "python3"}, []string{
			"zen proxy -- .venv/bin/python notes.py &", started("zen proxy -- .venv/bin/python notes.py"),
		}, ""},
	} {
		t.Run(filepath.Base(c.page), func(t *testing.T) {
			t.Parallel()
			for _, tool := range c.needs {
				if _, err := exec.LookPath(tool); err == nil {
					continue
				}
				if os.Getenv("CI") == "true" {
					t.Fatalf("%s is missing: scripts/install-test-tools.sh installs it", tool)
				}
				t.Skipf("SKIPPED: %s is missing, so %s can't be tested", tool, c.page)
			}
			port := freePort(t)
			text := pages(t)[c.page]
			instead := append(slices.Clone(c.instead), "curl ", "curl --silent --show-error ", "http://127.0.0.1:8080", "http://127.0.0.1:$PORT")
			script := "exec 2>&1\nout=$PWD/out\ntrap 'kill $(cat pid)' EXIT\n"
			blocks := blocksIn(c.page, text)
			files := tutorialFile.FindAllStringSubmatchIndex(text, -1)
			var wants []string
			for _, s := range blocks {
				for len(files) > 0 && strings.Count(text[:files[0][0]], "\n") < s.line {
					name, content := text[files[0][2]:files[0][3]], text[files[0][4]:files[0][5]]
					script += "mkdir -p \"$(dirname " + name + ")\"; cat >" + name + " <<'FILE'\n" + content + "FILE\n"
					files = files[1:]
				}
				run, want := s.script(instead)
				script += "echo; echo BLOCK\n" + run + "echo; echo NEXT\n"
				wants = append(wants, want)
			}
			if len(files) > 0 {
				t.Fatalf("%s: no command runs after its last file", c.page)
			}
			script += "echo; echo BLOCK\n" + c.after + "\n"
			dir := t.TempDir()
			if err := os.Symlink(checkout, filepath.Join(dir, "zen")); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "zen"+programs.Exe), "dev", "--", "sh", "-c", script)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "BROWSER=zen --quiet dev browse --user alice", "CI=", "PORT="+port,
				"GOFLAGS=-buildvcs=false", "NEXT_TELEMETRY_DISABLED=1", "npm_config_prefer_offline=true", "npm_config_update_notifier=false", "PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_ROOT_USER_ACTION=ignore")
			out, err := cmd.CombinedOutput()
			printed := strings.Split(string(out), "\nBLOCK\n")[1:]
			if err != nil || len(printed) != len(blocks)+1 {
				t.Fatalf("%v, %d of %d blocks ran:\n%s", err, len(printed), len(blocks), out)
			}
			for i, s := range blocks {
				got, _, _ := strings.Cut(printed[i], "\nNEXT\n")
				s.compare(t, wants[i], strings.ReplaceAll(got, ":"+port, ":8080"))
			}
			if after := printed[len(blocks)]; after != "" {
				t.Errorf("the form doesn't add a note:\n%s", after)
			}
		})
	}
}

// freePort returns a port that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}
