package config

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
)

// manyProfiles returns a file of n profiles, each of a database of its own or all of one.
func manyProfiles(n int, shared bool) []byte {
	var text strings.Builder
	text.WriteString("default_profile = \"p0\"\n")
	for i := range n {
		database := i
		if shared {
			database = 0
		}
		fmt.Fprintf(&text, "[profiles.p%d]\ndatabase = \"libsql://db%[2]d-acme.turso.io\"\ndatabase_id = \"33057661-834e-4891-9b48-%012[2]d\"\n", i, database)
	}
	return []byte(text.String())
}

// go-toml compares each table of a document with all before it: a file of many has to be
// decoded table by table, also where some of them aren't plain.
func TestManyTablesAreDecodedOneByOne(t *testing.T) {
	const n = 2000
	data := append(manyProfiles(n, false), "[providers.clerk]\nnested.key = 1\nwhen = 2026-01-02\n"...)
	root, ok := sections(data)
	if !ok {
		t.Fatal("it wasn't decoded by sections")
	}
	if profiles := root["profiles"].value.(table); len(profiles) != n || profiles["p7"].line != 2+3*7 {
		t.Errorf("%d profiles, the eighth on line %d", len(profiles), profiles["p7"].line)
	}
	clerk := root["providers"].value.(table)["clerk"].value.(table)
	if nested := clerk["nested"].value.(table)["key"]; nested != (node{int64(1), 3*n + 3}) {
		t.Errorf("nested.key is %v", nested)
	}
	if line := clerk["when"].line; line != 3*n+4 {
		t.Errorf("when is on line %d", line)
	}
}

// What it costs to resolve a profile doesn't depend on how many there are.
func TestResolvingAProfileCostsTheSameAmongMany(t *testing.T) {
	cost := func(n int, shared bool) uint64 {
		user, err := parseDocument(KindUserFile, "/c.toml", manyProfiles(n, shared))
		if err != nil {
			t.Fatal(err)
		}
		c := &Config{user: user, project: &document{}, selected: user.defaultProfile}
		resolve := func() {
			p, err := c.Profile("p7")
			if err != nil || !p.DatabaseID.IsSet() || c.OtherURL(p.DatabaseID.Value, p.Database.Value) != "" {
				t.Fatalf("%v %v", p, err)
			}
		}
		resolve() // which makes the index
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 100 {
			resolve()
		}
		runtime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / 100
	}
	for _, shared := range []bool{false, true} {
		if few, many := cost(10, shared), cost(2000, shared); many > few+few/2+64 {
			t.Errorf("one database %t: a profile of 10 takes %d bytes, one of 2,000 %d", shared, few, many)
		}
	}
}

// FuzzSections compares what is decoded section by section with the whole document.
func FuzzSections(f *testing.F) {
	for _, text := range []string{
		"default_profile = \"a\"\n[profiles.a]\naccess = \"ro\"\n\n # x\n [ providers . 'b' ] # [y.z]\nn = 1\n",
		"[profiles.a]\n[profiles.a]\n", "[profiles.a]\n[profiles]\nb.access = \"ro\"\n", "profiles.a.access = \"ro\"\n[profiles.b]\n",
		"profiles = {a = {}}\n[profiles.b]\n", "[[profiles.a]]\n[profiles.b]\n", "[profiles.a.b]\n[profiles.a]\n", "[a.b]\nx = '''\n[c.d]\n'''\n[c.d]\r\ny = [\n1,\n]\n",
		"a = [\"x\", 'y']\nb = []\nc = [1]\nd = true\ne = +7\nf = 0x1F\ng = -0\nh = 1_0\ni = 9223372036854775808\nj = 1.5\n[a.b]\nc = [\"\"\"\nx\\\n y\"\"\"]\n",
		"# x\n\n[profiles.a]\n\n  x.y = 1\n  \"x\".z = {q = 2}\n# x\n[profiles.b] # x\nz = 1\n", "x.y = 1\n[a.b]\n[x.z]\n", "a = 1\na = 2\n", "[a]\nb = 1\n", "a.b = 1\n",
		"[profiles.a]\n[profiles.b]\nx = 1\nx = 2\n", "\"a\\u0000b\" = 1\n[a.b]\n", "[a.b]\n[a.c]\n\xff", "# \xe2\x82[a.b]\n", "[a.\"b\\u0000c\"]\n[\"a\\u0000b\".c]\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		parts, ok := sections(data)
		if !ok {
			return
		}
		var values map[string]any
		if err := toml.Unmarshal(data, &values); err != nil {
			t.Fatalf("the whole is refused: %v", err)
		}
		whole := build(values, linesOf(data, 1), "")
		want, got := fmt.Sprintf("%#v", whole), fmt.Sprintf("%#v", parts)
		if strings.Contains(want, `\x00`) { // the whole's lines may be those of another key
			line := regexp.MustCompile(`line:\d+`)
			want, got = line.ReplaceAllString(want, ""), line.ReplaceAllString(got, "")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
