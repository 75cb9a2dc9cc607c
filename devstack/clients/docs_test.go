package clients_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// docs/clients.md names the versions that the tests install.
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
	if pins != 14 {
		t.Errorf("%d versions were found", pins)
	}
}
