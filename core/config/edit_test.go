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
