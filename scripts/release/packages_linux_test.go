package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// need skips a test that lacks a program, and says so; in CI it fails.
func need(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s is missing: scripts/install-test-tools.sh", name)
			}
			t.Skipf("NOT TESTED: %s is missing: scripts/install-test-tools.sh", name)
		}
	}
}

// packed returns the package of a kind with bin's programs.
func packed(t *testing.T, kind, version, bin string) string {
	t.Helper()
	p := place{t: t, dir: t.TempDir()}
	p.archive(version, bin)
	r := release{out: p.dir}
	stage := t.TempDir()
	u, err := r.unpack(stage, target{"linux", runtime.GOARCH, false})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.pack(t.Context(), stage, kind, u); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(p.dir, "zen-"+version+"-linux-"+runtime.GOARCH+"."+kind)
}

// TestPackagesTwice wants the same bytes of the same files, and one owner of them.
func TestPackagesTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("builds nfpm: make test-all does")
	}
	t.Chdir("../..")
	bin := t.TempDir()
	for _, name := range []string{"zen", "zen-full", "zen-provider-clerk"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []string{"deb", "rpm", "apk"} {
		one, err := os.ReadFile(packed(t, kind, "v0.1.0", bin))
		if err != nil {
			t.Fatal(err)
		}
		other, err := os.ReadFile(packed(t, kind, "v0.1.0", bin))
		if err != nil || !bytes.Equal(one, other) {
			t.Errorf("two packages of a kind (%s) differ, or %v", kind, err)
		}
		if kind == "apk" {
			checkAlpine(t, one)
		}
	}
}

// checkAlpine reads an apk as apk-tools does: three streams of gzip, one after the other,
// whose tar archives have no end but the last one's.
func checkAlpine(t *testing.T, apk []byte) {
	t.Helper()
	zipped, err := gzip.NewReader(bytes.NewReader(apk))
	if err != nil {
		t.Fatal(err)
	}
	modes := make(map[string]int64)
	for archive := tar.NewReader(zipped); ; {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Uid != 0 || header.Gid != 0 {
			t.Errorf("%s belongs to %d:%d", header.Name, header.Uid, header.Gid)
		}
		modes[strings.TrimSuffix(header.Name, "/")] = header.Mode & 0o777
	}
	// The mode of a link is nothing.
	for name, mode := range map[string]int64{"usr/lib/zen": 0o755, "usr/lib/zen/zen-provider-clerk": 0o755, "usr/bin/zen": 0, "usr/share/man/man1/zen.1.gz": 0o644} {
		if got, ok := modes[name]; !ok || got != mode {
			t.Errorf("%s has the mode %o", name, got)
		}
	}
}

// root is a Debian of its own, the smallest that debootstrap makes, and a person in it.
type root struct {
	t   *testing.T
	dir string
}

const person = "1000"

func newRoot(t *testing.T) root {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	smallest := filepath.Join(cache, "zen-test-tools", "debian-"+runtime.GOARCH)
	if _, err := os.Stat(smallest); err != nil {
		fresh := smallest + ".fresh"
		if out, err := exec.Command("debootstrap", "--variant=minbase", "bookworm", fresh).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out[max(0, len(out)-1000):])
		}
		if err := os.Rename(fresh, smallest); err != nil {
			t.Fatal(err)
		}
	}
	r := root{t, filepath.Join(t.TempDir(), "root")}
	if out, err := exec.Command("cp", "-a", smallest, r.dir).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	r.run("mkdir", "-p", "/usr/share/licenses") // which every Red Hat has
	r.run("useradd", "--create-home", "--uid", person, "person")
	return r
}

// command is one that runs in the root, with its own /proc and processes that end with it.
func (r root) command(args ...string) *exec.Cmd {
	within := []string{"--mount", "--pid", "--fork", "--kill-child", "sh", "-c", `mount -t proc proc "$0/proc" && exec chroot "$0" "$@"`, r.dir}
	cmd := exec.CommandContext(r.t.Context(), "unshare", append(within, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/home/person", "LC_ALL=C.UTF-8"}
	return cmd
}

// run does it as root.
func (r root) run(args ...string) {
	r.t.Helper()
	if out, err := r.command(args...).CombinedOutput(); err != nil {
		r.t.Fatalf("%q: %v %s", args, err, out)
	}
}

// files returns all files of the system's, but for the manager's own and the person's.
func (r root) files() (names []string) {
	err := filepath.WalkDir(r.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, r.dir)
		if d.IsDir() && slices.Contains([]string{"/proc", "/home/person", "/tmp", "/var/lib/dpkg", "/root/.rpmdb", "/usr/lib/apk", "/var/log"}, name) {
			return fs.SkipDir
		}
		names = append(names, name)
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return names
}

// shell is a person's, inside zen dev: lines go in, and what they print comes out.
type shell struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Reader
	cmd *exec.Cmd
}

func (r root) shell(args ...string) shell {
	r.t.Helper()
	cmd := r.command(append([]string{"setpriv", "--reuid=" + person, "--regid=" + person, "--clear-groups", "--inh-caps=-all"}, args...)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	return shell{r.t, in, bufio.NewReader(out), cmd}
}

// does returns what a line prints; the test fails where it fails.
func (s shell) does(line string) string {
	s.t.Helper()
	if _, err := io.WriteString(s.in, line+"\necho \"ended $?\"\n"); err != nil {
		s.t.Fatal(err)
	}
	var said strings.Builder
	for {
		text, err := s.out.ReadString('\n')
		if err != nil {
			s.t.Fatalf("%s: %v %s", line, err, said.String())
		}
		if code, ended := strings.CutPrefix(text, "ended "); ended {
			if code != "0\n" {
				s.t.Fatalf("%s: exit code %s %s", line, code, said.String())
			}
			return said.String()
		}
		said.WriteString(text)
	}
}

// ask has the proxy at a URL count the notes.
func ask(url, bearer string) error {
	request, err := http.NewRequest(http.MethodPost, url+"/v2/pipeline", strings.NewReader(
		`{"requests":[{"type":"execute","stmt":{"sql":"SELECT count(*) FROM notes"}},{"type":"close"}]}`))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+bearer)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || !strings.Contains(string(body), `"type":"integer","value":"2"`)) {
		err = errors.New(response.Status + " " + string(body))
	}
	return err
}

// TestPackages goes the way of somebody who has the smallest Debian there is, and no
// network: install, sign in, query, upgrade while a proxy runs, remove. The second version
// is built with the race detector: other bytes of every program, other sums.
func TestPackages(t *testing.T) {
	if os.Getenv("ZEN_TEST_PACKAGES") == "" {
		t.Skip("NOT TESTED: minutes, and roots of its own: make test-packages does")
	}
	need(t, "debootstrap", "rpm", "unshare", "setpriv")
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: only root makes a root")
	}
	first, second := built(t, false), built(t, true)
	t.Chdir("../..")
	for kind, manager := range map[string]struct {
		program string
		// The commands that begin, that put a package in, and that remove it again.
		begin, put, remove []string
	}{
		"deb": {"dpkg", nil, []string{"--install"}, []string{"--purge", "zen"}},
		// The root's libc came by dpkg: rpm knows of none.
		"rpm": {"rpm", nil, []string{"--nodeps", "-U"}, []string{"-e", "zen"}},
		// Nor does apk know of certificates. Where Alpine isn't, it has to be built.
		"apk": {"apk", []string{"--initdb", "--no-network", "add", "--virtual", "ca-certificates-bundle"},
			[]string{"--no-network", "--allow-untrusted", "add"}, []string{"--no-network", "del", "zen"}},
	} {
		t.Run(kind, func(t *testing.T) {
			if _, err := exec.LookPath(manager.program); err != nil {
				t.Skipf("NOT TESTED: %s is missing", manager.program)
			}
			r := newRoot(t)
			manage := func(args ...string) {
				t.Helper()
				args = slices.Concat([]string{"--root=" + r.dir}, args)
				if out, err := exec.Command(manager.program, args...).CombinedOutput(); err != nil {
					t.Fatalf("%s %q: %v %s", manager.program, args, err, out)
				}
			}
			put := func(version, bin string) {
				t.Helper()
				manage(append(slices.Clone(manager.put), packed(t, kind, version, bin))...)
			}
			if manager.begin != nil {
				manage(manager.begin...)
			}
			before := r.files()
			put("v0.1.0", first)
			s := r.shell("zen", "dev", "--token-lifetime", "2s", "--", "sh")
			s.does("zen version --verify && id -u")
			s.does(`BROWSER="zen dev browse --user alice" zen login`)
			s.does(`zen db query "CREATE TABLE notes (id INTEGER)" && zen db query "INSERT INTO notes VALUES (1), (2)"`)
			s.does(`zen db query --database file:$HOME/local.db --create "SELECT 1"`)
			s.does(`mkfifo $HOME/told; zen proxy --env-file $HOME/proxy.env --json >$HOME/told & read line <$HOME/told`)
			text, err := os.ReadFile(filepath.Join(r.dir, "home", "person", "proxy.env"))
			if err != nil {
				t.Fatal(err)
			}
			variables := make(map[string]string)
			for line := range strings.Lines(string(text)) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
				variables[name] = value
			}
			asks := func() {
				t.Helper()
				if err := ask(variables["TURSO_DATABASE_URL"], variables["TURSO_AUTH_TOKEN"]); err != nil {
					t.Fatal(err)
				}
			}
			asks()

			put("v0.2.0", second)
			upgraded := time.Now()
			// The proxy is the version before. It needs tokens that it has none of yet.
			for issued := (time.Time{}); !issued.After(upgraded.Add(4 * time.Second)); {
				asks()
				var status struct {
					Token struct {
						IssuedAt time.Time `json:"issued_at"`
					}
				}
				if err := json.Unmarshal([]byte(s.does("zen status --json || true")), &status); err != nil {
					t.Fatal(err)
				}
				issued = status.Token.IssuedAt
			}
			s.does("zen version --verify && zen db query 'SELECT count(*) FROM notes'")
			s.does("kill $! && wait $! || true")
			if err := errors.Join(s.in.Close(), s.cmd.Wait()); err != nil {
				t.Error(err)
			}

			manage(manager.remove...)
			for _, name := range r.files() {
				if !slices.Contains(before, name) {
					t.Errorf("left: %s", name)
				}
			}
		})
	}
}
