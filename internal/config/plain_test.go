package config

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
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

// documents are the corpus of FuzzPlain that are plain.
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

// readPlain returns a document as tables; ok is false if it isn't plain. It may have a table or
// key twice.
func readPlain(text string) (root table, twice, ok bool) {
	root = table{}
	to := root
	r := plainReader{text: text, line: 1}
	for r.next() {
		if !r.isHeader {
			_, known := to[r.key]
			twice = twice || known
			n := r.node()
			to[r.key] = &n
			continue
		}
		group, known := root[r.key]
		if !known {
			group = newTable(r.keyLine, madeAbove)
			root[r.key] = group
		}
		if group.table == nil {
			return nil, true, true // it was a value before
		}
		_, known = group.table[r.name]
		twice = twice || known
		below := newTable(r.keyLine, madeHeader)
		group.table[r.name], to = below, below.table
	}
	return root, twice, r.i == len(text)
}

func TestPlainDocuments(t *testing.T) {
	for _, text := range plainDocuments {
		if _, twice, ok := readPlain(text); !ok || twice {
			t.Errorf("%q isn't plain", text)
		}
	}
	for _, text := range otherDocuments {
		if _, twice, ok := readPlain(text); ok && !twice {
			t.Errorf("%q is plain", text)
		}
	}
}

// FuzzPlain compares a plain document with the tree that any document is read as, and what
// becomes of it.
func FuzzPlain(f *testing.F) {
	for _, text := range slices.Concat(plainDocuments, otherDocuments) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, twice, ok := readPlain(string(data))
		if !ok || twice {
			return
		}
		want, err := readTree("f", data)
		if err != nil {
			t.Fatalf("the document is refused: %v", err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(node{}), cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
		plain, whole := &document{kind: KindUserFile, path: "f"}, &document{kind: KindUserFile, path: "f"}
		if ok, err := plain.addPlain(string(data)); !ok || err != nil {
			return // of two mistakes, they may tell of another one
		}
		if err := whole.addAny(data); err != nil {
			t.Fatalf("%q is refused as a whole: %v", data, err)
		}
		if len(plain.list) != len(whole.list) || len(plain.providers) != len(whole.providers) || plain.defaultProfile != whole.defaultProfile || plain.audit != whole.audit {
			t.Fatalf("%q: %v, want %v", data, plain, whole)
		}
		for name, p := range plain.profiles {
			if diff := cmp.Diff(fmt.Sprintf("%#v", whole.values(whole.profiles[name])), fmt.Sprintf("%#v", plain.values(p))); diff != "" {
				t.Error(diff)
			}
		}
		for name := range plain.providers {
			if diff := cmp.Diff(fmt.Sprintf("%#v", whole.settings(name)), fmt.Sprintf("%#v", plain.settings(name))); diff != "" {
				t.Error(diff)
			}
		}
	})
}
