package cli

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/testwait"
)

// processTree returns a process and all its descendants.
func processTree(t *testing.T, pid int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	children := map[int][]int{}
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // the process has ended
		}
		// proc_pid_stat(5): pid (comm) state ppid; comm may contain any character.
		fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], child)
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// All processes of a zen token are killed at once, including the one that renews, as when
// memory runs out or the power fails. The issuer's response can then be lost with the process
// that waits for it; an issuer that also accepts the previous credential (Auth0's rotation
// overlap) makes up for that. The stored record is never damaged.
func TestKilledFamiliesNeedTheIssuersOverlap(t *testing.T) {
	t.Parallel()
	m := newMachine(t, &issuer{used: true, overlap: true})
	n, killed := rounds(t, 40), 0
	for range n {
		cmd := m.command("token")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		testwait.Moment(t.Context(), 0, 100*time.Millisecond)
		for _, pid := range processTree(t, cmd.Process.Pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
		if cmd.Wait() != nil {
			killed++
		}
		if record, err := m.store.Load("default"); err != nil || len(record.Accounts) != 1 {
			t.Fatalf("the record has %d credentials, %v", len(record.Accounts), err)
		}
	}
	if out, err := m.command("token").CombinedOutput(); err != nil {
		t.Errorf("after %d kills: %v\n%s", killed, err, out)
	}
	m.check(t)
	t.Logf("%d of %d were killed; the issuer exchanged %d times", killed, n, m.issuer.exchanged())
}

// Only zen-full inherits the pipes to the renewing process that the front started: a provider
// and the program of zen exec neither inherit them nor learn of them.
func TestNothingInheritsThePipesOfARenewal(t *testing.T) {
	t.Parallel()
	m := newMachine(t, &issuer{used: true})
	out, err := m.command("exec", "--", "sh", "-c", "env; for f in /proc/self/fd/*; do readlink $f; done; true").Output()
	if err != nil {
		t.Fatal(err)
	}
	own := map[string]bool{} // the test's own pipes, and its ends of the program's output
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		to, _ := os.Readlink(link)
		own[to] = true
	}
	foreign := 0
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "pipe:") && !own[line] {
			foreign++
		}
	}
	if foreign > 2 || strings.Contains(string(out), "ZEN_EARLY") || !strings.Contains(string(out), "TURSO_AUTH_TOKEN=") {
		t.Errorf("the environment and file descriptors of zen exec's program:\n%s", out)
	}
	m.check(t)
	ends := map[string]int{} // a provider has both ends of its own pipes
	for _, pipe := range m.issuer.inherited() {
		if !own[pipe] {
			ends[pipe]++
		}
	}
	for pipe, n := range ends {
		if n != 2 {
			t.Errorf("a provider inherited one end of %s", pipe)
		}
	}
	if m.issuer.exchanged() != 1 {
		t.Errorf("%d exchanges, want 1", m.issuer.exchanged())
	}
}

// The front starts the process that renews, and zen-full sends its request to that process.
// Scripts in place of the programs record each start and whether a request arrives.
func TestFrontStartsTheRenewal(t *testing.T) {
	t.Parallel()
	m := newMachine(t, &issuer{used: true})
	dir := filepath.Join(t.TempDir(), "a b")
	front, err := os.ReadFile(m.zen)
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "list")
	script := `#!/bin/sh
whole='` + filepath.Join(filepath.Dir(m.zen), "zen-full") + `'
case $1 in
renew)
	request=$(cat)
	echo "${request:+asked}" >>'` + list + `'
	printf %s "$request" | "$whole" "$@" ;;
*) exec "$whole" "$@" ;;
esac
`
	m.zen = filepath.Join(dir, "zen")
	config := ""
	for _, entry := range m.environ {
		if path, ok := strings.CutPrefix(entry, "ZEN_CONFIG="); ok {
			config = path
		}
	}
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.Mkdir(dir, 0o700), os.WriteFile(m.zen, front, 0o700), os.WriteFile(m.zen+"-full", []byte(script), 0o700),
		os.WriteFile(filepath.Join(dir, "own config"), text, 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, args := range [][]string{
		{"token"},
		{"--config", "own config", "token"},
		{"token", "--quiet"},
		{"exec", "--", "true"},
	} {
		_ = os.Remove(list) // it doesn't exist before the first command
		cmd := m.command(args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
		if said, _ := os.ReadFile(list); string(said) != "asked\n" {
			t.Errorf("%q: the process that the front started wrote %q, want one request", args, said)
		}
		if m.issuer.exchanged() != i+1 {
			t.Errorf("%q: %d exchanges, want %d", args, m.issuer.exchanged(), i+1)
		}
	}
	m.check(t)
}

// A refused renewal is sent once, also where CI says that it isn't one: the front and zen-full
// agree whether a person is there.
func TestRefusedRenewalAtATerminalIsSentOnce(t *testing.T) {
	t.Parallel()
	for _, ci := range []string{"CI=", "CI=false", "CI=0", "CI=true"} {
		m := newMachine(t, &issuer{})
		m.issuer.mu.Lock()
		m.issuer.current = "another"
		m.issuer.mu.Unlock()
		person, program := openTerminal(t)
		cmd := m.command("token")
		cmd.Env = append(m.environ, ci)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
		err := cmd.Run()
		program.Close()
		if app.ExitStatus(cmd.ProcessState) != app.ExitSignIn {
			said, _ := io.ReadAll(person)
			t.Errorf("%s: %v\n%s", ci, err, said)
		}
		if n := m.issuer.reuses(); n != 1 {
			t.Errorf("%s: sent %d times, want once", ci, n)
		}
	}
}
