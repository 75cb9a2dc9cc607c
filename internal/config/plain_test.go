package config

import (
	"fmt"
	"runtime"
	"slices"
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

// Of a profile that isn't used, nothing is kept but its place in the list.
func TestAProfileThatIsNotUsedCostsLittle(t *testing.T) {
	cost := func(n int) uint64 {
		data := manyProfiles(n, false)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := parseDocument(KindUserFile, "/c.toml", data); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	// Its text and its entries in two lists and a map; go-toml took 4 KiB.
	if more := (cost(5000) - cost(1000)) / 4000; more > 800 {
		t.Errorf("a profile more takes %d bytes", more)
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

// documents are the corpus of FuzzPlainSections; those of the first half are plain.
var plainDocuments = []string{
	"", "\n", "# \u00e9", "default_profile = \"a\"\n[profiles.a]\naccess = \"ro\"\n\n # x\n\t[providers.b] # [y.z]\nn = 1\n", "[profiles.a]\r\nb = true # x\r\nc = false\r\n",
	"[a.b]\nc = \"C:\\\\x \\u00e9 \\\"\"\nd = 'C:\\x'\ne = \"\"\nf = ''\n", "a = +7\nb = -0\nc = 0\nd = 123456789012345678", "a=[]\nb = [ \"x\", 'y', ]\nc = [\n \"x\", # y\n\n \"\\t\"\r\n]\n[a-b.c_1]\n",
	"[profiles.a]\n[profiles.b]\n[providers.a]\n", "a = \"\t\u20ac\"",
}

var otherDocuments = []string{
	" [ providers . 'b' ]\nn = 1\n", "[profiles.a]\n[profiles]\nb.access = \"ro\"\n", "profiles.a.access = \"ro\"\n[profiles.b]\n",
	"profiles = {a = {}}\n[profiles.b]\n", "[[profiles.a]]\n[profiles.b]\n", "[profiles.a.b]\n[profiles.a]\n", "[a.b]\nx = '''\n[c.d]\n'''\n[c.d]\r\ny = [\n1,\n]\n",
	"c = [1]\n", "e = 0x1F\n", "h = 1_0\n", "i = 9223372036854775808\n", "j = 1.5\n", "k = 01\n", "[a.b]\nc = [\"\"\"\nx\\\n y\"\"\"]\n", "a = \"\"\"x\"\"\"", "a = 2026-01-02", "a = \"\\x\"",
	"x.y = 1\n\"x\".z = {q = 2}\n", "a = 1\na = 2\n", "[a]\nb = 1\n", "a.b = 1\n", "a = 1\r", "a = 1 2", "a", "a =", "a = [", "a = [\"x\" \"y\"]", "a = [,]", "a = \"x", "[a.b", "[a.b]]", "[a.]", "a = truex",
	"[profiles.a]\n[profiles.b]\nx = 1\nx = 2\n", "\"a\\u0000b\" = 1\n[a.b]\n", "[a.b]\n[a.c]\n\xff", "# \xe2\x82[a.b]\n", "# \x00", "a = \"\x7f\"", "a = '\xff'", "\x00",
}

func TestPlainSections(t *testing.T) {
	for _, text := range plainDocuments {
		if _, ok := plainSections(text); !ok {
			t.Errorf("%q isn't plain", text)
		}
	}
	for _, text := range otherDocuments {
		if _, ok := plainSections(text); ok {
			t.Errorf("%q is plain", text)
		}
	}
}

// FuzzPlainSections compares the sections of a plain document with what go-toml makes of it.
func FuzzPlainSections(f *testing.F) {
	for _, text := range slices.Concat(plainDocuments, otherDocuments) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sections, ok := plainSections(string(data))
		if !ok {
			return
		}
		got, twice := table{}, false
		for _, s := range sections {
			to := got
			if s.key != "" {
				group, isTable := got[s.key].value.(table)
				if _, known := got[s.key]; known && !isTable {
					return // a table that was a value before
				}
				if group == nil {
					group = table{}
					got[s.key] = node{group, s.line}
				}
				_, known := group[s.name]
				twice = twice || known
				to = table{}
				group[s.name] = node{to, s.line}
			}
			for key, n := range s.nodes() {
				to[key] = n
			}
		}
		if twice {
			return
		}
		var values map[string]any
		if err := toml.Unmarshal(data, &values); err != nil {
			t.Fatalf("the document is refused: %v", err)
		}
		want := build(values, linesOf(data), "")
		if diff := cmp.Diff(fmt.Sprintf("%#v", want), fmt.Sprintf("%#v", got)); diff != "" {
			t.Error(diff)
		}
	})
}
