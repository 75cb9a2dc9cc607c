package config

import (
	"fmt"
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
// decoded table by table.
func TestManyTablesAreDecodedOneByOne(t *testing.T) {
	const n = 2000
	data := manyProfiles(n, false)
	w := walk(data)
	root, ok := w.unmarshalSections()
	if !ok || len(w.sections) != n {
		t.Fatalf("%d sections, decoded one by one: %t", len(w.sections), ok)
	}
	for i, s := range w.sections {
		to := len(data)
		if i+1 < n {
			to = w.sections[i+1].from
		}
		if headers := strings.Count(string(data[s.from:to]), "["); headers != 1 {
			t.Fatalf("section %d has %d tables", i, headers)
		}
	}
	if profiles := root["profiles"].(map[string]any); len(profiles) != n {
		t.Errorf("%d profiles", len(profiles))
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
		"[profiles.a]\n[profiles.b]\nx = 1\nx = 2\n", "\"a\\u0000b\" = 1\n[a.b]\n", "[a.b]\n[a.c]\n\xff", "# \xe2\x82[a.b]\n", "[a.\"b\\u0000c\"]\n[\"a\\u0000b\".c]\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		parts, ok := walk(data).unmarshalSections()
		if !ok {
			return
		}
		var whole map[string]any
		if err := toml.Unmarshal(data, &whole); err != nil {
			t.Fatalf("the whole is refused: %v", err)
		}
		if diff := cmp.Diff(fmt.Sprintf("%#v", whole), fmt.Sprintf("%#v", parts)); diff != "" {
			t.Error(diff)
		}
	})
}
