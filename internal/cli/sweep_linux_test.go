package cli

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/zen-auth/zen/internal/testwait"
)

func init() {
	roles["zen-provider-spill"], roles["zen-sweep"], roles["zen-careless"] = spillMain, sweepMain, carelessMain
}

// nobody is the user of the sweep's processes if the tests run as root, which could read
// everything.
const nobody = 65534

// spillage is a home in which zen runs with the provider spill.
type spillage struct {
	*testing.T
	dir     string
	secrets []string // the credential's and the setting's
	planted time.Time
}

// TestAPlantedSecretIsFoundNowhere passes a secret through a login, tokens, errors, panics,
// logs and prints. Then it searches for the secret as any program of the same user could: in
// the outputs, the files, and the arguments and environment of every process.
func TestAPlantedSecretIsFoundNowhere(t *testing.T) {
	t.Parallel()
	s := newSpillage(t)
	s.run(0, "provider", "trust", "spill")
	if out := s.run(0, "login", "--provider", "spill", "--debug"); !strings.Contains(out, "traced") {
		t.Errorf("the output has no log at level trace:\n%s", out)
	}
	for what, want := range map[string]string{
		"error": "did not like", "panic": "spill crashed in Token (panic; trace in", "crash": "spill crashed in Token (exit status 2; trace in",
		"exit": "spill crashed in Token (exit status 3)",
	} {
		s.write("do", what)
		if out := s.run(-1, "token"); !strings.Contains(out, want) {
			t.Errorf("with %q zen token printed no %q:\n%s", what, want, out)
		}
	}

	// While the provider holds the secret.
	zen, provider := s.hold("hold")
	result := s.sweep()
	for name, pid := range map[string]int{"zen": zen.Process.Pid, "the provider": provider} {
		if !slices.Contains(result.Closed, pid) {
			t.Errorf("the memory or the environment of %s can be read", name)
		}
	}
	s.wantNowhere(result)

	// When a signal makes the provider, and then zen, dump its core.
	s.write("do", "exit") // for the next request
	send(t, provider, syscall.SIGABRT)
	if out := s.wait(zen); !strings.Contains(out, "spill crashed in Token") {
		t.Errorf("after SIGABRT:\n%s", out)
	}
	zen, provider = s.hold("hold")
	send(t, zen.Process.Pid, syscall.SIGQUIT)
	waitGone(t, zen.Process.Pid)
	// The renewal runs on without zen, and would wait for its provider.
	s.write("do", "exit")
	send(t, provider, syscall.SIGKILL)
	if out := s.wait(zen); !strings.Contains(out, "goroutine ") {
		t.Errorf("after SIGQUIT:\n%s", out)
	}
	waitGone(t, provider)
	s.wantNowhere(s.sweep())

	// The control: the sweep has to find secrets that did leak.
	zen, _ = s.hold("leak")
	found := s.sweep().Found
	for _, place := range []string{"/cmdline", "/environ", "/home/leaked"} {
		if !slices.ContainsFunc(found, func(path string) bool { return strings.HasSuffix(path, place) }) {
			t.Errorf("the sweep missed the leak to %s: %v", place, found)
		}
	}
	if err := os.Remove(filepath.Join(s.dir, "home", "leaked")); err != nil {
		t.Fatal(err)
	}

	// Only the printed token and the stored record contain the secret.
	s.write("go", "on")
	stdout := zen.Stdout.(*bytes.Buffer)
	if out := s.wait(zen); zen.ProcessState.ExitCode() != 0 || !strings.Contains(stdout.String(), s.secrets[0]) {
		t.Errorf("zen token:\n%s", out)
	}
	s.wantNowhere(s.sweep())
}

// TestACoreDumpWouldBeFound is the control for core files: a process without zen's protection
// dumps its core with the secret in it, if the system writes core files.
func TestACoreDumpWouldBeFound(t *testing.T) {
	t.Parallel()
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err != nil || strings.ContainsAny(string(pattern), "|/") {
		t.Skipf("this system does not write core files to the working directory: %s, %v", pattern, err)
	}
	s := newSpillage(t)
	cmd := s.command(filepath.Join(s.dir, "bin", "zen-careless"))
	cmd.Stdin = strings.NewReader(s.secrets[0])
	_ = cmd.Run()
	if cores, _ := filepath.Glob(filepath.Join(s.dir, "work", "core*")); len(cores) == 0 {
		t.Skip("this system writes no core files")
	}
	if found := s.sweep().Found; !slices.ContainsFunc(found, func(path string) bool { return strings.Contains(path, filepath.Join(s.dir, "work", "core")) }) {
		t.Errorf("the sweep found the secret only in %v", found)
	}
}

// carelessMain reads a secret into memory and dumps its core.
func carelessMain() {
	secret := make([]byte, 64)
	n, _ := os.Stdin.Read(secret)
	_ = unix.Kill(os.Getpid(), unix.SIGABRT)
	time.Sleep(time.Minute)
	fmt.Println(n, secret)
}

func newSpillage(t *testing.T) *spillage {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "zen-sweep-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &spillage{T: t, dir: dir, secrets: []string{rand.Text() + rand.Text(), rand.Text() + rand.Text()}}
	for _, name := range []string{"home", "state", "providers", "tmp", "work", "bin"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	programs, err := filepath.Glob(filepath.Join(bin, "zen*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range programs {
		if name := filepath.Base(program); !strings.HasPrefix(name, "zen-provider-") {
			copyProgram(t, program, filepath.Join(dir, "bin", name))
		}
	}
	for _, name := range []string{"bin/zen-sweep", "bin/zen-careless", "providers/zen-provider-spill"} {
		copyProgram(t, self, filepath.Join(dir, name))
	}
	s.planted = time.Now().Add(-time.Second) // file systems store coarser times
	s.age(filepath.Join(dir, "bin"), filepath.Join(dir, "providers"))
	s.write("seed", s.secrets[0])
	s.write("config.toml", "[profiles.default]\ndatabase = \"libsql://db.example.invalid\"\ndatabase_id = \"6a1f33c0-9d5e-4a5e-8c1b-3f0d2a7be001\"\nprovider = \"spill\"\n")
	if os.Geteuid() == 0 {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Lchown(path, nobody, nobody))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// age sets the times of the programs in dirs to before the secrets were planted.
func (s *spillage) age(dirs ...string) {
	s.Helper()
	old := s.planted.Add(-time.Hour)
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			s.Fatal(err)
		}
		for _, e := range entries {
			if err := os.Chtimes(filepath.Join(dir, e.Name()), old, old); err != nil {
				s.Fatal(err)
			}
		}
	}
}

func copyProgram(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// write writes a file in the home directory.
func (s *spillage) write(name, text string) {
	s.Helper()
	path := filepath.Join(s.dir, "home", name)
	err := os.WriteFile(path, []byte(text), 0o600)
	if err == nil && os.Geteuid() == 0 {
		err = os.Lchown(path, nobody, nobody)
	}
	if err != nil {
		s.Fatal(err)
	}
}

// command returns a command that may dump its core and doesn't run as root.
func (s *spillage) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(s.Context(), "/bin/sh", append([]string{"-c", `ulimit -c unlimited 2>/dev/null; exec "$@"`, "sh"}, args...)...)
	cmd.Dir = filepath.Join(s.dir, "work")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(s.dir, "home"), "TMPDIR=" + filepath.Join(s.dir, "tmp"),
		"ZEN_CONFIG=" + filepath.Join(s.dir, "home", "config.toml"), "ZEN_STATE_DIR=" + filepath.Join(s.dir, "state"),
		"ZEN_PROVIDER_DIR=" + filepath.Join(s.dir, "providers"), "ZEN_LOG=trace", "ZEN_SPILL__API_KEY=" + s.secrets[1],
		"GOTRACEBACK=crash", // dumps its core after a fatal signal
	}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	cmd.Stdout, cmd.Stderr = new(bytes.Buffer), new(bytes.Buffer)
	return cmd
}

func (s *spillage) zen(args ...string) *exec.Cmd {
	return s.command(append([]string{filepath.Join(s.dir, "bin", "zen")}, args...)...)
}

// run runs zen and returns its output; code -1 means any exit code but 0.
func (s *spillage) run(code int, args ...string) string {
	s.Helper()
	cmd := s.zen(args...)
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	out := s.wait(cmd)
	if got := cmd.ProcessState.ExitCode(); got != code && (code != -1 || got == 0) {
		s.Fatalf("zen %v: exit code %d\n%s", args, got, out)
	}
	return out + cmd.Stdout.(*bytes.Buffer).String()
}

// wait waits for zen and returns its standard error, which must not contain a secret.
func (s *spillage) wait(zen *exec.Cmd) string {
	s.Helper()
	_ = zen.Wait() // the caller checks the state
	out := zen.Stderr.(*bytes.Buffer).String()
	for _, secret := range s.secrets {
		if at := strings.Index(out, secret); at >= 0 {
			s.Errorf("%v: a secret in %.300q", zen.Args[4:], out[max(0, at-100):])
		}
	}
	return out
}

// hold starts zen token and waits until the provider holds the secret.
func (s *spillage) hold(what string) (zen *exec.Cmd, provider int) {
	s.Helper()
	holding := filepath.Join(s.dir, "home", "holding")
	_ = os.Remove(holding)
	s.write("do", what)
	zen = s.zen("token")
	if err := zen.Start(); err != nil {
		s.Fatal(err)
	}
	err := testwait.Done(s.Context(), func() bool {
		data, _ := os.ReadFile(holding)
		provider, _ = strconv.Atoi(string(data))
		return provider != 0
	})
	if err != nil {
		_ = zen.Process.Kill()
		s.Fatalf("the provider didn't start:\n%s", s.wait(zen))
	}
	return zen, provider
}

func (s *spillage) sweep() swept {
	s.Helper()
	cmd := s.command(filepath.Join(s.dir, "bin", "zen-sweep"))
	cmd.Env = nil
	input, err := json.Marshal(sweep{Secrets: s.secrets, Dirs: []string{s.dir}, Since: s.planted})
	if err != nil {
		s.Fatal(err)
	}
	cmd.Stdin = bytes.NewReader(input)
	if err := cmd.Run(); err != nil {
		s.Fatalf("sweep: %v\n%v", err, cmd.Stderr)
	}
	var result swept
	if err := json.Unmarshal(cmd.Stdout.(*bytes.Buffer).Bytes(), &result); err != nil {
		s.Fatal(err)
	}
	return result
}

// wantNowhere checks that the secrets are only in the provider's own file and the store.
func (s *spillage) wantNowhere(result swept) {
	s.Helper()
	seed := false
	for _, path := range result.Found {
		seed = seed || path == filepath.Join(s.dir, "home", "seed")
		if !strings.HasPrefix(path, filepath.Join(s.dir, "state", "profiles")+"/") && path != filepath.Join(s.dir, "home", "seed") {
			s.Errorf("a secret is in %s", path)
		}
	}
	if !seed {
		s.Error("the sweep missed the seed")
	}
	if cores, _ := filepath.Glob(filepath.Join(s.dir, "*", "core*")); len(cores) > 0 {
		s.Errorf("core files: %v", cores)
	}
}

func send(t *testing.T, pid int, which syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, which); err != nil {
		t.Fatal(err)
	}
}

func waitGone(t *testing.T, pid int) {
	t.Helper()
	testwait.Until(t, fmt.Sprint("the end of process ", pid), func() bool { return !running(strconv.Itoa(pid)) })
}
