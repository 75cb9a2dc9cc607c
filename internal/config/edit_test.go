package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSetDefaultProfile(t *testing.T) {
	for name, test := range map[string]struct{ before, after string }{
		"no file":        {"", "default_profile = \"work\"\n"},
		"another":        {"default_profile = 'home'  # mine\n[profiles.work]\n", "default_profile = \"work\"  # mine\n[profiles.work]\n"},
		"already":        {"default_profile = \"work\"\n", "default_profile = \"work\"\n"},
		"tables alone":   {"# My file.\n\n[profiles.work] # the office\naccess = \"ro\"\n", "default_profile = \"work\"\n\n# My file.\n\n[profiles.work] # the office\naccess = \"ro\"\n"},
		"of a table":     {"[profiles.default_profile]\naccess = \"ro\"\n", "default_profile = \"work\"\n\n[profiles.default_profile]\naccess = \"ro\"\n"},
		"Windows":        {"\xef\xbb\xbf[profiles.work]\r\naccess = \"ro\"\r\n", "\xef\xbb\xbfdefault_profile = \"work\"\r\n\r\n[profiles.work]\r\naccess = \"ro\"\r\n"},
		"Windows, known": {"\xef\xbb\xbf\"default_profile\"\t=\t\"\"\"home\"\"\"\r\n", "\xef\xbb\xbf\"default_profile\"\t=\t\"work\"\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "zen", "config.toml")
			if test.before != "" {
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(test.before), 0o640); err != nil {
					t.Fatal(err)
				}
			}
			c, err := Load(LoadOptions{WorkDir: dir, Environ: []string{"XDG_CONFIG_HOME=" + dir}})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.SetDefaultProfile("work"); err != nil {
				t.Fatal(err)
			}
			after, err := os.ReadFile(path)
			if err != nil || string(after) != test.after {
				t.Errorf("%v\ngot  %q\nwant %q", err, after, test.after)
			}
			if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
				t.Errorf("%d files", len(entries))
			}
		})
	}
}

// The file of a dotfiles repository stays where it is, and what can't be written
// says so.
func TestSetDefaultProfileOfALink(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real.toml"), filepath.Join(dir, "link.toml")
	if err := os.WriteFile(real, []byte("[profiles.work]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Skip("SKIPPED: no symbolic links here")
	}
	c, err := Load(LoadOptions{Path: link, WorkDir: dir, Environ: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetDefaultProfile("work"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	if err := os.WriteFile(real, []byte("[profiles.work\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.SetDefaultProfile("work"); err == nil {
		t.Errorf("a damaged file: %v", err)
	}
}

// Whatever the file says, it says afterwards, but for the one key.
func FuzzDefaultProfile(f *testing.F) {
	for _, text := range []string{
		"", "default_profile = 'home'  # mine\n", "[profiles.work]\n", "\xef\xbb\xbf[profiles.work]\r\naccess = \"ro\"\r\n",
		"# a\n\"default_profile\" = \"\"\"x\"\"\"\n[providers.acme]\nkey = 1\n", "profiles.work.access = 'ro'", "default_profile\t=\t\"a\"", "default_profile.x = 1",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before, err := parseDocument(KindUserFile, "before", data)
		if err != nil {
			return
		}
		edited, err := edit(data, nil, "default_profile", Change{Value: "work"})
		if err != nil {
			t.Fatalf("%q: %v", data, err)
		}
		after, err := parseDocument(KindUserFile, "after", edited)
		if err != nil || after.defaultProfile.Value != "work" || len(after.profiles) != len(before.profiles) || len(after.providers) != len(before.providers) {
			t.Errorf("%q became %q: %v", data, edited, err)
		}
		again, err := edit(edited, nil, "default_profile", Change{Value: "work"})
		if err != nil || string(again) != string(edited) {
			t.Errorf("%q became %q the second time: %v", edited, again, err)
		}
	})
}
