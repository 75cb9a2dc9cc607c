package config

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestApply(t *testing.T) {
	const file = `# mine
default_profile = "work" # of the week

[profiles.work]
# the one in Tokyo
database = "libsql://app-acme.turso.io"
provider = "clerk"

[providers.clerk]
bridge_url = "https://app.example/cli"
`
	for _, test := range []struct {
		change Change
		want   string // in place of the first line of was
		was    string
	}{
		{Change{Key: "profiles.work.database", Value: "libsql://other-acme.turso.io"}, `database = "libsql://other-acme.turso.io"`, `database = "libsql://app-acme.turso.io"`},
		{Change{Key: "default_profile", Value: "default"}, `default_profile = "default" # of the week`, `default_profile = "work" # of the week`},
		{Change{Key: "profiles.work.access", Value: "ro"}, "provider = \"clerk\"\naccess = \"ro\"", `provider = "clerk"`},
		{Change{Key: "profiles.work.fallback", Value: "platformtoken"}, "provider = \"clerk\"\nfallback = [\"platformtoken\"]", `provider = "clerk"`},
		{Change{Key: "providers.clerk.template", Value: "turso"}, "bridge_url = \"https://app.example/cli\"\ntemplate = \"turso\"", `bridge_url = "https://app.example/cli"`},
		{Change{Key: "providers.platformtoken.organization", Value: "acme"}, "bridge_url = \"https://app.example/cli\"\n\n[providers.platformtoken]\norganization = \"acme\"", `bridge_url = "https://app.example/cli"`},
		{Change{Key: "profiles.work.provider", Remove: true}, "", "provider = \"clerk\"\n"},
		{Change{Key: "profiles.work.storage", Remove: true}, "# mine", "# mine"},
	} {
		path := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(LoadOptions{Path: path, Environ: []string{"HOME=" + t.TempDir()}})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Apply([]Change{test.change}, false); err != nil {
			t.Errorf("%+v: %v", test.change, err)
			continue
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.Replace(file, test.was, test.want, 1); string(got) != want {
			t.Errorf("%+v:\n%s\nwant\n%s", test.change, got, want)
		}
	}
	for _, bad := range []Change{
		{Key: "profiles.work.nosuch", Value: "x"}, {Key: "nosuch", Value: "x"}, {Key: "profiles.work", Value: "x"}, {Key: "profiles..database", Value: "x"},
		{Key: "profiles.work.database", Value: "not a URL"}, {Key: "profiles.work.access", Value: "all"}, {Key: "profiles.work.provider", Value: "../x"},
		{Key: "providers.clerk.x", Value: "a\nb"}, {Key: "profiles.work.database", Value: "eyJhbGciOi.x.y"},
	} {
		path := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(LoadOptions{Path: path, Environ: []string{"HOME=" + t.TempDir()}})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Apply([]Change{bad}, false); err == nil {
			t.Errorf("%+v was written", bad)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != file {
			t.Errorf("%+v changed the file", bad)
		}
	}
}

// A file of a Windows editor keeps its byte-order mark and its line ends, and audit takes
// a truth and a path.
func TestApplyToAFileOfWindows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte("\xef\xbb\xbf# mine\r\n[profiles.work]\r\naccess = \"ro\"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(LoadOptions{Path: path, Environ: []string{"HOME=" + t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Apply([]Change{
		{Key: "profiles.work.provider", Value: "clerk"}, {Key: "providers.clerk.template", Value: "turso"}, {Key: "audit", Value: "true"},
	}, false); err != nil {
		t.Fatal(err)
	}
	want := "\xef\xbb\xbfaudit = true\r\n\r\n# mine\r\n[profiles.work]\r\naccess = \"ro\"\r\nprovider = \"clerk\"\r\n\r\n[providers.clerk]\r\ntemplate = \"turso\"\r\n"
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%v\ngot  %q\nwant %q", err, got, want)
	}
	if _, _, err := c.Apply([]Change{{Key: "audit", Value: filepath.Join(filepath.Dir(path), "zen.jsonl")}}, false); err != nil {
		t.Error(err)
	}
}

// A profile that is written without a header is left to the person: with one more it would be
// there twice, in a line that the file doesn't have.
func TestApplyToATableWithoutAHeader(t *testing.T) {
	for _, test := range []struct{ file, refused, taken string }{
		{"profiles.a = {access = \"ro\"}\n", "profiles.a", "profiles.b"},
		{"profiles.a.access = \"ro\"\n", "profiles.a", "profiles.b"},
		{"[profiles]\na.access = \"ro\"\n", "profiles.a", "profiles.b"},
		{"profiles = {a = {access = \"ro\"}}\n", "profiles.b", "providers.a"},
		{"[profiles . \"b\"]\naccess = \"ro\"\n", "", "profiles.b"},
		{"providers.a = {x = 1}\n[profiles.b]\n", "providers.a", "profiles.b"},
	} {
		path := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(path, []byte(test.file), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(LoadOptions{Path: path, Environ: []string{"HOME=" + t.TempDir()}})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Apply([]Change{{Key: test.taken + ".provider", Value: "clerk"}}, true); err != nil {
			t.Errorf("%q: %s: %v", test.file, test.taken, err)
		}
		if test.refused == "" {
			continue
		}
		_, _, err = c.Apply([]Change{{Key: test.refused + ".provider", Value: "clerk"}}, true)
		if want := "[" + test.refused + "] can't be added"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", test.file, err, want)
		}
	}
}

var lineNumbers = regexp.MustCompile(`:\d+|Line:\d+`)

func FuzzApply(f *testing.F) {
	f.Add("[profiles.a]\ndatabase = \"libsql://a.turso.io\"\n", "profiles.a.access", "ro")
	f.Add("", "default_profile", "a")
	f.Add("profiles.b.access = 'ro'\n[profiles]\n", "profiles.a.access", "ro")
	f.Add("[profiles]\nb = {access = 'ro'}\n[providers.x]\na = \"\"\"\nx\"\"\" # y\n[profiles.'a'] # z", "providers.x.a", "ro")
	f.Add("[providers.clerk]\nx = [1, 2]\n[profiles.a]\n", "providers.clerk.x", "1")
	f.Fuzz(func(t *testing.T, file, key, value string) {
		if _, err := parseDocument(KindUserFile, "f", []byte(file)); err != nil {
			return
		}
		table, name, err := splitKey(key)
		if err != nil {
			return
		}
		after, err := edit([]byte(file), table, name, Change{Key: key, Value: value})
		if err != nil || slices.Contains(listKeys, name) {
			return // a list is left to an editor
		}
		if _, err := parseDocument(KindUserFile, "f", after); err != nil {
			return // it isn't written
		}
		said := func(data []byte) (string, error) {
			d, err := parseDocument(KindUserFile, "f", data)
			if err != nil {
				return "", err
			}
			text := fmt.Sprintf("%v %v\n", d.defaultProfile, d.audit)
			for _, name := range slices.Sorted(maps.Keys(d.profiles)) {
				if v := d.values(d.profiles[name]); !reflect.DeepEqual(v, values{}) {
					text += fmt.Sprintf("%s %+v\n", name, v)
				}
			}
			for _, name := range slices.Sorted(maps.Keys(d.providers)) {
				for _, key := range slices.Sorted(maps.Keys(d.settings(name))) {
					s := d.settings(name)[key]
					text += fmt.Sprintf("%s %s %q %s\n", name, key, s.text, s.kind)
				}
			}
			return lineNumbers.ReplaceAllString(text, ""), nil
		}
		// What it says of anything else, it says afterwards.
		without, err := edit([]byte(file), table, name, Change{Key: key, Remove: true})
		if err != nil {
			t.Fatalf("%q: remove %s: %v", file, key, err)
		}
		again, err := edit(after, table, name, Change{Key: key, Remove: true})
		if err != nil {
			t.Fatalf("%q: remove %s: %v", after, key, err)
		}
		want, err := said(without)
		if err != nil {
			t.Fatalf("%q without %s became %q: %v", file, key, without, err)
		}
		if got, err := said(again); err != nil || got != want {
			t.Fatalf("%q with %s = %q became %q, and without it %q: %v", file, key, value, after, again, err)
		}
	})
}
