package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/zen-auth/zen/core/libsql/replica"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/programs"
	"github.com/zen-auth/zen/internal/testwait"
)

// roles are the other programs of this test binary, by their file names.
var roles = map[string]func(){
	"zen-provider-tiny": tinyMain,
	"deliver":           deliverMain, // a misbehaving browser
	"interrupt":         interruptMain,
	"unseal":            unsealMain,
	"socket":            socketMain, // a client over a WebSocket
}

func TestMain(m *testing.M) {
	if role, ok := roles[strings.TrimSuffix(filepath.Base(os.Args[0]), programs.Exe)]; ok {
		role()
		syscall.Exit(0) // os.Exit takes a second under the race detector
	}
	// Signals that nohup(1) or a shell's background job ignores are not inherited as ignored
	// by the programs that the tests start.
	for _, ignored := range []os.Signal{syscall.SIGHUP, os.Interrupt, syscall.SIGQUIT} {
		if signal.Ignored(ignored) {
			signal.Notify(make(chan os.Signal, 1), ignored)
		}
	}
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// built is the directory that binaries creates.
var built string

// builtSums are the checksums of the built providers, for the tests that embed zen.
var builtSums map[string]string

// racePrograms also builds the programs with the race detector. Each start takes several
// times as long then, and the scripts have thousands.
var racePrograms = raceEnabled && os.Getenv("ZEN_TEST_RACE") != ""

// binaries puts the programs under test into one directory, and this test binary as deliver,
// interrupt, unseal and socket.
var binaries = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "zen-test-")
	if err != nil {
		return "", err
	}
	built = dir
	if err := programs.Install(dir, racePrograms); err != nil {
		return "", err
	}
	if builtSums, err = programs.Sums(dir); err != nil {
		return "", err
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	for _, name := range []string{"deliver", "interrupt", "unseal", "socket"} {
		if err := become(self, filepath.Join(dir, name+programs.Exe)); err != nil {
			return "", err
		}
	}
	return dir, nil
})

// become links path to the program self.
func become(self, path string) error {
	if runtime.GOOS != "windows" {
		return os.Symlink(self, path)
	}
	data, err := os.ReadFile(self) // links need a privilege there
	if err == nil {
		err = os.WriteFile(path, data, 0o755)
	}
	return err
}

// TestScripts runs the scripts, each against a stack of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	p := scripts(bin)
	p.Dir = "testdata/script"
	testscript.Run(t, p)
}

// condition implements the scripts' conditions: own mounts, and replicas and local databases,
// which need cgo.
func condition(name string) (bool, error) {
	switch name {
	case "mounts":
		return exec.Command("unshare", "-rm", "sh", "-c", "mount --bind /etc/passwd /etc/passwd").Run() == nil, nil
	case "embedded":
		return replica.Linked, nil
	}
	return false, fmt.Errorf("unknown condition %s", name)
}

// scripts returns the environment and the commands of the scripts.
func scripts(bin string) testscript.Params {
	return testscript.Params{
		Condition: condition,
		Setup: func(env *testscript.Env) error {
			stack, err := devstack.Start(devstack.Options{})
			if err != nil {
				return err
			}
			env.Defer(func() { _ = stack.Close() })
			env.Values["stack"] = stack
			variables, err := stack.Environment(env.WorkDir)
			if err != nil {
				return err
			}
			for _, v := range variables {
				env.Setenv(v.Name, v.Value)
			}
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("BROWSER", "zen dev browse --user alice")
			env.Setenv("DATABASE_URL", stack.DatabaseURL())
			env.Setenv("STACK_ADDRESS", strings.TrimPrefix(stack.URL(), "http://"))
			env.Setenv("CI", "")
			env.Setenv("BIN", bin)
			root, err := filepath.Abs(repository)
			if err != nil {
				return err
			}
			env.Setenv("REPOSITORY", root)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":    runForCode,
			"oneline": wantOneLine,
			"mint":    mint,
			"stop":    stopStack,
			"gone":    wantGone,
			"example": buildExample,
			"needs":   needTools,
			"appears": waitForFile,
			"tiny":    makeTiny,
			"shape":   addShape,
		},
	}
}

// runForCode is the command "code N COMMAND [ARGUMENT...]". It expects exactly the exit code
// N.
func runForCode(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND [ARGUMENT...]")
	}
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exited *exec.ExitError
	switch {
	case errors.As(err, &exited):
		got = app.ExitStatus(exited.ProcessState)
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// waitForFile is the command "appears PATTERN". It waits for a file that a background program
// creates.
func waitForFile(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: appears PATTERN")
	}
	ts.Check(testwait.Done(context.Background(), func() bool {
		found, err := filepath.Glob(ts.MkAbs(args[0]))
		return err != nil || len(found) > 0
	}))
}

// wantOneLine expects one line of error, and at most one of hint.
func wantOneLine(ts *testscript.TestScript, _ bool, _ []string) {
	var errorsSeen, hints int
	for line := range strings.Lines(ts.ReadFile("stderr")) {
		switch {
		case strings.HasPrefix(line, "zen: "), strings.HasPrefix(line, `{"schema_version":1,"error":`):
			errorsSeen++
		case strings.HasPrefix(line, "hint: "):
			hints++
		}
	}
	if errorsSeen != 1 || hints > 1 {
		ts.Fatalf("%d error lines and %d hints, want 1 and at most 1", errorsSeen, hints)
	}
}

// mint stores a token of the given kind for the browser "deliver token".
func mint(ts *testscript.TestScript, _ bool, args []string) {
	token, err := oddToken(ts.Value("stack").(*devstack.Stack), args[0])
	ts.Check(err)
	ts.Setenv("DELIVERY", token)
}

func stopStack(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(ts.Value("stack").(*devstack.Stack).Close())
}

// deliverMain is the browser "deliver WHAT URL", which sends requests to the loopback
// callback instead of visiting the page.
func deliverMain() {
	page, err := url.Parse(os.Args[len(os.Args)-1])
	if err == nil {
		err = deliver(os.Args[1], page)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "deliver:", err)
		os.Exit(1)
	}
}
