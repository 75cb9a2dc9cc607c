//go:build !windows

package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zen-auth/zen/internal/cli/app"
)

// devBinary is the zen that is shipped, run as a separate process.
type devBinary struct{ path string }

func shipped(t *testing.T) devBinary {
	t.Helper()
	dir, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	return devBinary{filepath.Join(dir, "zen")}
}

// command returns a command that runs zen with a temporary directory of its own.
func (b devBinary) command(t *testing.T, args ...string) (cmd *exec.Cmd, temporary string) {
	temporary = t.TempDir()
	cmd = exec.CommandContext(t.Context(), b.path, args...)
	cmd.Env = append(os.Environ(), "TMPDIR="+temporary, "ZEN_DEV_URL=")
	cmd.WaitDelay = 20 * time.Second
	return cmd, temporary
}

// run runs zen and checks that it leaves no file behind.
func (b devBinary) run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd, temporary := b.command(t, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		t.Fatal(err)
	}
	checkEmpty(t, temporary)
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

func checkEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range left {
		t.Errorf("file left behind: %s", entry.Name())
	}
}

var pageURL = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// start starts zen dev, and returns its address as soon as it reports that it is ready.
func (b devBinary) start(t *testing.T, args ...string) (cmd *exec.Cmd, url, temporary string) {
	t.Helper()
	cmd, temporary = b.command(t, args...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if err != nil || !strings.Contains(line, "ready") {
		t.Fatalf("the first line is %q, %v, want one that says ready", line, err)
	}
	return cmd, pageURL.FindString(line), temporary
}

func status(t *testing.T, url string) int {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func TestDev(t *testing.T) {
	t.Parallel()
	zen := shipped(t)

	for name, signal := range map[string]syscall.Signal{"Ctrl-C": syscall.SIGINT, "SIGTERM": syscall.SIGTERM, "SIGHUP": syscall.SIGHUP} {
		t.Run(name, func(t *testing.T) {
			cmd, url, temporary := zen.start(t, "dev")
			// Once zen dev reports ready, the page and a key set are served at the first
			// request.
			for _, path := range []string{"/", "/.well-known/jwks.json"} {
				if got := status(t, url+path); got != 200 {
					t.Errorf("%s: status %d, want 200", path, got)
				}
			}
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("zen dev ended with %v", err)
			}
			checkEmpty(t, temporary)
			if conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
				conn.Close()
				t.Error("the stack's port still accepts connections")
			}
		})
	}

	t.Run("exit code", func(t *testing.T) {
		code, stdout, stderr := zen.run(t, "dev", "--", "sh", "-c", `echo "$TURSO_API_BASEURL"; exit 7`)
		if code != 7 || !pageURL.MatchString(stdout) || stderr != "" {
			t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
		}
	})

	t.Run("no browser", func(t *testing.T) {
		for own, want := range map[string]string{"": "zen dev browse --user alice", "true": "true"} {
			cmd, _ := zen.command(t, "dev", "--", "sh", "-c", `echo "$BROWSER"; zen login 2>&1`)
			cmd.Env = append(cmd.Env, "SSH_TTY=/dev/pts/9", "BROWSER="+own)
			if own != "" {
				cmd.Args[len(cmd.Args)-1] = `echo "$BROWSER"`
			}
			out, err := cmd.Output()
			if err != nil || !strings.HasPrefix(string(out), want+"\n") || (own == "") != strings.Contains(string(out), "as alice@example.test") {
				t.Errorf("BROWSER=%s: printed %q, %v, want %q", own, out, err, want)
			}
		}
	})

	t.Run("no such command", func(t *testing.T) {
		code, _, stderr := zen.run(t, "dev", "--", "no-such-command")
		if code != 127 || !strings.Contains(stderr, "no-such-command") {
			t.Errorf("exit code %d, stderr %q", code, stderr)
		}
	})

	t.Run("children of the command", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("orphaned processes are only found on Linux")
		}
		// One child ends on SIGTERM, the other ignores it.
		code, stdout, stderr := zen.run(t, "dev", "--", "sh", "-c",
			`sleep 300 & echo $!; (trap "" TERM; exec sleep 300) & echo $!; exit 3`)
		if code != 3 {
			t.Errorf("exit code %d, stderr %q", code, stderr)
		}
		for _, word := range strings.Fields(stdout) {
			pid, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
				t.Errorf("process %d still runs: %v", pid, err)
			}
		}
	})

	for name, signal := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT} {
		t.Run(name+" with a command", func(t *testing.T) {
			// dash loses a signal that comes while it starts a program.
			cmd, temporary := zen.command(t, "dev", "--", "sh", "-c",
				`sleep 300 >/dev/null 2>&1 & trap 'kill $!; echo told; exit 9' `+strings.TrimPrefix(name, "SIG")+`; echo up; wait`)
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewReader(stdout)
			if line, err := lines.ReadString('\n'); line != "up\n" {
				t.Fatalf("the first line is %q, %v", line, err)
			}
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			rest, _ := io.ReadAll(lines)
			_ = cmd.Wait() // its exit code is checked below
			if code := cmd.ProcessState.ExitCode(); code != 9 || string(rest) != "told\n" {
				t.Errorf("exit code %d, output %q, want those of the command", code, rest)
			}
			checkEmpty(t, temporary)
		})
	}

	t.Run("nohup", func(t *testing.T) {
		cmd, url, temporary := devBinary{"/bin/sh"}.start(t, "-c", `trap "" HUP; exec "$0" dev`, zen.path)
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		if got := status(t, url); got != 200 {
			t.Errorf("the page after SIGHUP: status %d", got)
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		checkEmpty(t, temporary)
	})

	t.Run("environment", func(t *testing.T) {
		cmd, temporary := zen.command(t, "dev", "--json", "--quiet")
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var document struct {
			URL         string
			Environment map[string]string
		}
		if err := json.NewDecoder(stdout).Decode(&document); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"ZEN_CONFIG", "ZEN_DEV_URL", "TURSO_API_BASEURL", "TURSO_API_TOKEN", "TURSO_CONFIG_FOLDER"} {
			if document.Environment[name] == "" {
				t.Errorf("%s is missing", name)
			}
		}
		if got := status(t, document.URL); got != 200 {
			t.Errorf("%s: status %d, want 200", document.URL, got)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		checkEmpty(t, temporary)
	})

	t.Run("ci", func(t *testing.T) {
		for system, script := range map[string]string{
			"github":     `test "${ACTIONS_ID_TOKEN_REQUEST_URL%idtoken*}" != "$ACTIONS_ID_TOKEN_REQUEST_URL" && test -n "$ACTIONS_ID_TOKEN_REQUEST_TOKEN"`,
			"gitlab":     `test -n "$ZEN_OIDC__ID_TOKEN" && test -z "$ACTIONS_ID_TOKEN_REQUEST_URL"`,
			"buildkite":  `test -n "$BUILDKITE_AGENT_ACCESS_TOKEN" && test -n "$BUILDKITE_JOB_ID"`,
			"circleci":   `test -n "$CIRCLE_OIDC_TOKEN_V2"`,
			"google":     `test -n "$GCE_METADATA_HOST"`,
			"kubernetes": `test -s "$ZEN_OIDC__TOKEN_FILE"`,
			"spiffe":     `test -S "${SPIFFE_ENDPOINT_SOCKET#unix://}"`,
			"none":       `test -z "$ACTIONS_ID_TOKEN_REQUEST_URL" && test -z "$ZEN_OIDC__ID_TOKEN"`,
		} {
			if code, stdout, stderr := zen.run(t, "dev", "--ci", system, "--", "sh", "-ec", script); code != 0 {
				t.Errorf("%s: exit code %d, stdout %q, stderr %q", system, code, stdout, stderr)
			}
		}
	})

	t.Run("mail", func(t *testing.T) {
		_, noWget := exec.LookPath("wget")
		_, noCurl := exec.LookPath("curl")
		if noWget != nil && noCurl != nil {
			if os.Getenv("CI") == "true" {
				t.Fatal("wget and curl are missing")
			}
			t.Skip("NOT TESTED: wget and curl are missing")
		}
		// The request with which Clerk's native sign-in sends a code.
		send := `wget -qO /dev/null --post-data "identifier=alice%40example.test&strategy=email_code" "$CLERK_FAPI/v1/client/sign_ins?_is_native=1" ||
			curl -sf -o /dev/null -d "identifier=alice%40example.test&strategy=email_code" "$CLERK_FAPI/v1/client/sign_ins?_is_native=1"`
		code, stdout, stderr := zen.run(t, "dev", "--", "sh", "-c",
			`zen dev mail alice && exit 9; CLERK_FAPI=$ZEN_DEV_URL; `+send+`; zen dev mail alice; zen dev mail bob && exit 9; exit 0`)
		if code != 0 || !regexp.MustCompile(`^\d{6}\n$`).MatchString(stdout) || strings.Count(stderr, "no mail has come") != 2 {
			t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
		}
	})

	t.Run("dir", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "stack")
		echo := []string{"--", "sh", "-c", "echo $ZEN_DEV_URL"}
		_, first, _ := zen.run(t, append([]string{"dev", "--dir", dir}, echo...)...)
		_, second, _ := zen.run(t, append([]string{"dev", "--dir", dir}, echo...)...)
		_, third, _ := zen.run(t, append([]string{"dev", "--dir", dir, "--listen", "127.0.0.1:0"}, echo...)...)
		_, fourth, _ := zen.run(t, append([]string{"dev", "--dir", dir}, echo...)...)
		if !pageURL.MatchString(first) || first != second || third == first || fourth != third {
			t.Errorf("addresses %q and %q, with --listen 127.0.0.1:0 %q, then %q", first, second, third, fourth)
		}
	})

	t.Run("seed and faults", func(t *testing.T) {
		seed := filepath.Join("..", "..", "devstack", "testdata", "seed.toml")
		code, stdout, stderr := zen.run(t, "dev", "--seed", seed, "--fault", "jwks-stuck", "--fault", "clerk-native-disabled", "--",
			"sh", "-c", `"`+zen.path+`" dev fault; cat $ZEN_CONFIG`)
		for _, want := range []string{"jwks-stuck +on ", "clerk-native-disabled +on ", "clerk-unavailable +off ", `/dbs/notes"`, `template = "turso"`, `organization = "initech-data"`} {
			if !regexp.MustCompile(want).MatchString(stdout) {
				t.Errorf("exit code %d, no match of %q in\n%s%s", code, want, stdout, stderr)
			}
		}
	})

	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"unknown fault", []string{"--fault", "nope"}, `zen dev --list-faults explains all`},
		{"no seed file", []string{"--seed", "missing.toml"}, "missing.toml"},
		{"negative lifetime", []string{"--token-lifetime", "-1s"}, "negative"},
		{"unknown CI", []string{"--ci", "jenkins"}, "want buildkite, circleci, github,"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := zen.run(t, append([]string{"dev"}, tt.args...)...)
			if code != app.ExitUsage || stdout != "" || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit code %d, stdout %q, stderr %q, want %d and %q", code, stdout, stderr, app.ExitUsage, tt.want)
			}
		})
	}

	t.Run("list of faults", func(t *testing.T) {
		code, stdout, stderr := zen.run(t, "dev", "--list-faults")
		if code != 0 || stderr != "" || !regexp.MustCompile(`(?m)^jwks-stuck +\S.{20,}$`).MatchString(stdout) {
			t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
		}
	})
}
