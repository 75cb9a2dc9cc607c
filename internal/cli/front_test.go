package cli

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/internal/programs"
)

// frontTags are the build tags of bin/zen.
const frontTags = "urfave_cli_no_docs,front"

// TestFrontLinksLittle keeps packages that cost start time out of the front, which may run at
// every shell prompt.
func TestFrontLinksLittle(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "-tags", frontTags, "../../cmd/zen").Output()
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range strings.FieldsSeq(string(out)) {
		for _, heavy := range []string{
			"google.golang.org/", "github.com/hashicorp/", "github.com/tursodatabase/", "modernc.org/", "github.com/urfave/",
			"net/http", "crypto/tls", "flag", "regexp", "encoding/xml", "text/template",
			"github.com/zen-auth/zen/internal/session", "github.com/zen-auth/zen/internal/host", "github.com/zen-auth/zen/internal/cli",
		} {
			if pkg == heavy || strings.HasPrefix(pkg, strings.TrimSuffix(heavy, "/")+"/") {
				t.Errorf("the front links %s", pkg)
			}
		}
	}
}

// TestQueryLinksNoProviders keeps what starts a provider, and the local stack, out of
// zen-query.
func TestQueryLinksNoProviders(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "-tags", "urfave_cli_no_docs,query", "../../cmd/zen").Output()
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range strings.FieldsSeq(string(out)) {
		for _, heavy := range []string{
			"google.golang.org/", "github.com/hashicorp/", "github.com/tursodatabase/", "modernc.org/", "html/template",
			"github.com/zen-auth/zen/devstack", "github.com/zen-auth/zen/internal/host", "github.com/zen-auth/zen/internal/wire",
		} {
			if pkg == heavy || strings.HasPrefix(pkg, strings.TrimSuffix(heavy, "/")+"/") {
				t.Errorf("zen-query links %s", pkg)
			}
		}
	}
}

// TestInitialisers limits what runs before main: the initialisers of all packages together
// take 0.4 ms at most. The minimum of many runs counts, so that a busy machine doesn't
// matter.
func TestInitialisers(t *testing.T) {
	zen := filepath.Join(t.TempDir(), "zen")
	build := exec.Command("go", "build", "-tags", frontTags, "-o", zen, "../../cmd/zen")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	least := make(map[string]time.Duration)
	for range 40 {
		for pkg, d := range initialisers(t, zen) {
			if known, ok := least[pkg]; !ok || d < known {
				least[pkg] = d
			}
		}
	}
	var total time.Duration
	for pkg, d := range least {
		if total += d; d > 100*time.Microsecond {
			t.Errorf("the initialisers of %s take %s, want 100µs at most", pkg, d)
		}
	}
	if len(least) < 10 {
		t.Fatalf("GODEBUG=inittrace=1 listed %d packages, want at least 10", len(least))
	}
	if total > 400*time.Microsecond {
		t.Errorf("all initialisers take %s, want 400µs at most", total)
	}
	t.Logf("%d packages, %s", len(least), total)
}

// initialisers reads the lines "init PACKAGE @0.68 ms, 0.040 ms clock, ...".
func initialisers(t *testing.T, zen string) map[string]time.Duration {
	var stderr bytes.Buffer
	cmd := exec.Command(zen, "token", "--no-such-flag")
	cmd.Env, cmd.Stderr = []string{"GODEBUG=inittrace=1", "HOME=" + t.TempDir()}, &stderr
	_ = cmd.Run() // zen refuses the flag
	found := make(map[string]time.Duration)
	for lines := bufio.NewScanner(&stderr); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 7 || fields[0] != "init" {
			continue
		}
		ms, err := strconv.ParseFloat(fields[4], 64)
		if err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		found[fields[1]] = time.Duration(ms * float64(time.Millisecond))
	}
	return found
}

// TestFrontAnswersAsFull checks that the front's output and exit code are those of zen-full.
func TestFrontAnswersAsFull(t *testing.T) {
	zen, stack := signedIn(t)
	if out, err := zen("token", "--access", "ro").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, line := range [][]string{
		{"token"},
		{"token", "--format", "header"},
		{"token", "--json"},
		{"--profile", "default", "token", "--format", "json"},
		{"token", "--format", "env", "--shell", "fish"},
		{"token", "--format", "exec-credential"},
		{"token", "--access", "ro"},
		{"token", "--access=rw", "--min-ttl", "1s", "-q"},
		{"token", "--database", stack.DatabaseURL()},
		{"token", "--database", "http://127.0.0.1:1"},
		{"token", "--format", "xml"},
		{"token", "--shell", "fish"},
		{"token", "--min-ttl", "-1s"},
		{"token", "--profile", "nobody"},
		{"token", "x"},
		{"exec", "--env", "A=url", "--", "env"},
		{"exec", "env"},
		{"exec", "--", "no-such-command"},
		{"exec", "--env", "1=url", "--", "env"},
		{"db", "query", "SELECT 1 AS a, 'x' AS b"},
		{"db", "query", "--json", "SELECT 1 AS a"},
		{"--quiet", "db", "query", "SELECT ? AS a", "--param", "2", "--format", "csv"},
		{"db", "query", "SELECT :a", "--param", "b"},
		{"db", "query", "SELECT 1; SELECT 2"},
		{"db", "query", "SELEC 1"},
		{"db", "query", "--json", "SELECT * FROM nothing"},
		{"db", "query", "--access", "ro", "CREATE TABLE t (n)"},
		{"db", "query", "--format", "xml", "SELECT 1"},
		{"db", "query", "--database", "http://127.0.0.1:1", "SELECT 1"},
		{"db", "query", "--database", "file:" + filepath.Join(t.TempDir(), "no.db"), "SELECT 1"},
		{"db", "query", "BEGIN"},
		{"db", "query", ""},
		{"db", "query", "--profile", "nobody", "SELECT 1"},
	} {
		var said [2]string
		for i, program := range []string{"zen", "zen-full"} {
			cmd := zen(line...)
			cmd.Path = filepath.Join(filepath.Dir(cmd.Path), program+programs.Exe)
			out, _ := cmd.CombinedOutput()
			said[i] = strconv.Itoa(cmd.ProcessState.ExitCode()) + "\n" + string(out)
		}
		if said[0] != said[1] {
			t.Errorf("%q: the front printed\n%s\nand zen-full\n%s", line, said[0], said[1])
		}
	}
}
