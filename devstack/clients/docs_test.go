package clients_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack/clients/synced"
)

// docs/clients.md has to name the versions that the tests install.
func TestThePageOfClientsNamesVersions(t *testing.T) {
	page, err := os.ReadFile("../../docs/clients.md")
	must(t, err)
	cells := make(map[string]string)
	for _, m := range regexp.MustCompile(`(?m)^\| ([^|]+) \| .+ \| ([^|]+) \|$`).FindAllStringSubmatch(string(page), -1) {
		names, versions := strings.Split(m[1], ", "), strings.Split(m[2], ", ")
		for i, name := range names {
			cells[name] = versions[min(i, len(versions)-1)]
		}
	}
	pins := 0
	for _, pinned := range []struct{ file, pattern, prefix string }{ // the pattern's groups are a name and a version
		{"node/package.json", `"(.+)": "(\d.+)"`, ""},
		{"prisma/package.json", `"(prisma|@prisma/adapter-libsql)": "(\d.+)"`, ""},
		{"python/requirements.txt", `(?m)^(.+)==(.+)$`, "Python "},
		{"synced/node/package.json", `"(@tursodatabase/sync)": "(\d.+)"`, ""},
		{"synced/requirements.txt", `(?m)^(.+)==(.+)$`, "Python "},
		{"rust/Cargo.lock", `name = "(libsql)"\nversion = "(.+)"`, "Rust "},
		{"libsqlclientgo/go.mod", `(libsql-client-go) v0\.0\.0-\d+-(\w+)`, ""},
		{"golibsql/go.mod", `(go-libsql) v0\.0\.0-\d+-(\w+)`, ""},
	} {
		b, err := os.ReadFile(pinned.file)
		must(t, err)
		for _, m := range regexp.MustCompile(pinned.pattern).FindAllStringSubmatch(string(b), -1) {
			pins++
			if name := pinned.prefix + m[1]; cells[name] != m[2] {
				t.Errorf("%s has %s %s, and the page %q", pinned.file, name, m[2], cells[name])
			}
		}
	}
	if pins != 17 {
		t.Errorf("%d versions were found", pins)
	}
}

// The Turso Sync programs in docs/proxy.md work behind the gateway.
func TestThePageOfTheProxySyncs(t *testing.T) {
	page, err := os.ReadFile("../../docs/proxy.md")
	must(t, err)
	_, section, _ := strings.Cut(string(page), "\n## Turso Sync\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for language, fence := range map[string]string{"node": "js", "python": "python"} {
		t.Run(language, func(t *testing.T) {
			_, program, ok := strings.Cut(section, "```"+fence+"\n")
			program, _, _ = strings.Cut(program, "```")
			if !ok {
				t.Fatal("docs/proxy.md has no program")
			}
			installed := synced.Install(t, language, "synced")
			s := newSyncStack(t)
			s.sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)")
			s.sql("INSERT INTO notes (body) VALUES ('of somebody else')")
			o, _ := s.proxy(2*time.Second, false)
			dir := t.TempDir()
			cmd := exec.CommandContext(t.Context(), installed, "program.py")
			name := "program.py"
			if language == "node" {
				must(t, os.Symlink(filepath.Join(installed, "node_modules"), filepath.Join(dir, "node_modules")))
				name = "program.mjs"
				cmd = exec.CommandContext(t.Context(), "node", name)
			}
			must(t, os.WriteFile(filepath.Join(dir, name), []byte(program), 0o600))
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "TURSO_DATABASE_URL="+o.URL, "TURSO_AUTH_TOKEN="+o.Token)
			out, err := cmd.CombinedOutput()
			if err != nil || strings.TrimSpace(string(out)) != "2" {
				t.Errorf("%v\n%s", err, out)
			}
			if got := s.sql("SELECT count(*) FROM notes"); got != "2" {
				t.Errorf("the server has %s", got)
			}
		})
	}
}
