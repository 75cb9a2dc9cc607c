// Package house tests the order of the packages. It has no code of its own.
package house

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const module = "github.com/zen-auth/zen/"

// rooms are the packages under cmd, core and internal from top to bottom, and at last those
// without code. A package imports only packages below it. A package that isn't listed belongs
// to the listed one with the longest prefix of its path.
var rooms = []string{
	"cmd/zen",
	"internal/front",
	"internal/cli",
	"internal/cli/client",
	"internal/cli/app",
	"internal/doctor",
	"core",
	"internal/zen",
	"core/libsql/replica",
	"core/libsql",
	"internal/link",
	"core/libsql/hrana",
	"internal/gateway",
	"internal/transport",
	"internal/session/team",
	"internal/session",
	"internal/cache",
	"internal/lend",
	"internal/keyring",
	"internal/store",
	"internal/audit",
	"internal/breaker",
	"internal/config",
	"internal/tokenform",
	"internal/host/install",
	"internal/host/pin",
	"internal/host/conformance",
	"core/plugin/plugintest",
	"internal/host",
	"core/plugin",
	"internal/wire",
	"internal/handshake",
	"internal/early",
	"internal/replace",
	"internal/harden",
	"internal/http2quiet",
	"internal/leftover",
	"core/clerk",
	"core/jwks/keyset",
	"core/jwks",
	"core/oauth",
	"core/loopback",
	"core/turso",
	"core/httpclient",
	"core/provider",
	"internal/private",
	"internal/sqlite",
	"internal/jsonobject",
	"internal/text",
	"internal/names",
	"internal/strangers",
	"internal/peer",
	"internal/terminal",
	"examples",
	"proto",
}

// aside are helpers for tests, which may import everything.
var aside = []string{"internal/house", "internal/programs", "internal/soak", "core/jwks/internal/keytest", "internal/keyring/keyringtest", "internal/testwait", "internal/picture"}

// listed is go list's output for a package.
type listed struct {
	ImportPath                         string
	Standard                           bool
	Imports, TestImports, XTestImports []string
	Deps                               []string
}

// list runs go list for packages of this module.
func list(t *testing.T, patterns ...string) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-tags", "urfave_cli_no_docs", "-json=ImportPath,Standard,Imports,TestImports,XTestImports,Deps"}, patterns...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// room returns the index of the room that a package of this module belongs to, counted from
// the top, or -1.
func room(path string) int {
	best := -1
	for i, name := range rooms {
		if (path == name || strings.HasPrefix(path, name+"/")) && (best < 0 || len(name) > len(rooms[best])) {
			best = i
		}
	}
	if best >= 0 && rooms[best] == "core" && path != "core" {
		return -1 // package core doesn't cover its subdirectories
	}
	return best
}

func TestArrowsPointDown(t *testing.T) {
	for _, p := range list(t, "./cmd/...", "./core/...", "./internal/...") {
		from := strings.TrimPrefix(p.ImportPath, module)
		if slices.Contains(aside, from) {
			continue
		}
		at := room(from)
		if at < 0 {
			t.Errorf("%s is not in this test's list of rooms", from)
			continue
		}
		for _, to := range p.Imports {
			to, ours := strings.CutPrefix(to, module)
			if !ours {
				continue
			}
			switch below := room(to); {
			case strings.HasPrefix(to, "devstack"):
				if from != "internal/cli/dev" {
					t.Errorf("%s imports %s: the stand-in is for zen dev and for tests", from, to)
				}
			case below < 0:
				t.Errorf("%s imports %s, which is not in this test's list of rooms", from, to)
			case below < at:
				t.Errorf("%s imports %s, which is above it", from, to)
			}
		}
	}
}

// The providers here get no privileges: they import only what a third party can.
func TestProvidersImportNothingInternal(t *testing.T) {
	for _, p := range list(t, "./plugins/...") {
		for _, path := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if strings.HasPrefix(path, module+"internal/") {
				t.Errorf("%s imports %s, which a third party could not", p.ImportPath, path)
			}
		}
	}
}

// These packages must not link some others, directly or indirectly.
func TestUnwantedDependencies(t *testing.T) {
	for path, unwanted := range map[string]func(string) bool{
		"core/provider": func(p string) bool { return strings.Contains(strings.SplitN(p, "/", 2)[0], ".") },
		"core/libsql/hrana": func(p string) bool {
			return strings.Contains(strings.SplitN(p, "/", 2)[0], ".") && !strings.HasPrefix(p, module)
		},
		"core/jwks": func(p string) bool { return p == "net/http" },
		"internal/front": func(p string) bool {
			return p == "net/http" || strings.HasPrefix(p, "google.golang.org/") || strings.HasPrefix(p, "github.com/hashicorp/") || strings.HasPrefix(p, "github.com/urfave/")
		},
		"core/plugin": func(p string) bool { return strings.HasPrefix(p, module+"internal/host") || p == module+"core/jwks" },
	} {
		for _, p := range list(t, "./"+path) {
			if len(p.Deps) == 0 {
				t.Errorf("go list shows no dependencies of %s", path)
			}
			for _, dep := range p.Deps {
				if !strings.HasPrefix(dep, "vendor/") && unwanted(dep) {
					t.Errorf("%s links %s", path, dep)
				}
			}
		}
	}
}

// The build tags front and query choose between three programs, and only in these files.
func TestOnlyTheChoiceHasATag(t *testing.T) {
	var tagged []string
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		for line := range strings.Lines(string(text)) {
			if constraint, ok := strings.CutPrefix(line, "//go:build "); ok && slices.ContainsFunc(strings.FieldsFunc(constraint, func(r rune) bool { return !unicode.IsLetter(r) }), func(tag string) bool { return tag == "front" || tag == "query" }) {
				tagged = append(tagged, strings.TrimPrefix(filepath.ToSlash(path), "../../"))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"cmd/zen/front.go", "cmd/zen/full.go", "cmd/zen/query.go", "cmd/zen/signals.go"}; !slices.Equal(tagged, want) {
		t.Errorf("files with the tags: %v, want %v", tagged, want)
	}
}
