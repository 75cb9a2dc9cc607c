package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/config"
)

const typical = `default_profile = "work"

[profiles.default]
database = "libsql://app-acme.turso.io"
provider = "clerk"

[profiles.work]
database = "https://Work-Acme.turso.io/"
database_id = "33057661-834e-4891-9b48-802d425d02b9"
provider = "clerk"
token_provider = "platformtoken"
access = "ro"
permissions = ["all:data_read", "notes:data_add,data_update"]

[providers.clerk]
publishable_key = "pk_live_x"
bridge_url = "https://app.example/cli"
port = 7777
pinned = true

[providers.platformtoken]
organization = "acme"
`

// home is a place with a user file and a project, nothing of it the real user's.
type home struct {
	t       *testing.T
	dir     string
	user    string
	project string
	environ []string
	flags   config.Flags
}

func newHome(t *testing.T, userFile string) *home {
	t.Helper()
	h := &home{t: t, dir: t.TempDir()}
	h.environ = []string{"XDG_CONFIG_HOME=" + h.dir, "XDG_STATE_HOME=" + filepath.Join(h.dir, "state"), "USERPROFILE=" + filepath.Join(h.dir, "profile")}
	h.user = filepath.Join(h.dir, "zen", "config.toml")
	h.project = filepath.Join(h.dir, "repo", ".zen.toml")
	h.write(filepath.Join(h.dir, "repo", ".git", "HEAD"), "")
	if userFile != "" {
		h.write(h.user, userFile)
	}
	return h
}

func (h *home) write(path, content string) {
	h.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *home) load() (*config.Config, error) {
	return config.Load(config.LoadOptions{WorkDir: filepath.Join(h.dir, "repo"), Environ: h.environ, Flags: h.flags})
}

func (h *home) mustLoad() *config.Config {
	h.t.Helper()
	c, err := h.load()
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func TestPrecedence(t *testing.T) {
	const user = "default_profile = \"user\"\n[profiles.user]\nprovider = \"fromuser\"\n[profiles.env]\n[profiles.flag]\n"
	const project = "default_profile = \"project\"\n\n[profiles.project]\nprovider = \"fromproject\"\n[profiles.user]\nprovider = \"fromproject\"\n"
	tests := map[string]struct {
		user, project string
		environ       []string
		flags         config.Flags
		name          string
		origins       [2]string
	}{
		"nothing": {origins: [2]string{"default default", " not set"}},
		"user file": {
			user:    user,
			origins: [2]string{"user user file USER:1", "fromuser user file USER:3"},
		},
		"project file": {
			user: user, project: project,
			origins: [2]string{"project project file PROJECT:1", "fromproject project file PROJECT:4"},
		},
		"project file over user file in one profile": {
			user: user, project: project, name: "user",
			origins: [2]string{"user argument", "fromproject project file PROJECT:6"},
		},
		"environment": {
			user: user, project: project, environ: []string{"ZEN_PROFILE=env", "ZEN_PROVIDER=fromenv"},
			origins: [2]string{"env environment ZEN_PROFILE", "fromenv environment ZEN_PROVIDER"},
		},
		"empty variables count as unset": {
			user: user, environ: []string{"ZEN_PROFILE=", "ZEN_PROVIDER=", "ZEN_CONFIG=", "ZEN_STATE_DIR="},
			origins: [2]string{"user user file USER:1", "fromuser user file USER:3"},
		},
		"flag": {
			user: user, project: project, environ: []string{"ZEN_PROFILE=env", "ZEN_PROVIDER=fromenv"},
			flags:   config.Flags{Profile: "flag", Provider: "fromflag"},
			origins: [2]string{"flag flag --profile", "fromflag flag --provider"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := newHome(t, test.user)
			if test.project != "" {
				h.write(h.project, test.project)
			}
			h.environ, h.flags = append(h.environ, test.environ...), test.flags
			p, err := h.mustLoad().Profile(test.name)
			if err != nil {
				t.Fatal(err)
			}
			places := strings.NewReplacer(h.user, "USER", h.project, "PROJECT")
			got := [2]string{
				places.Replace(p.Name.Value + " " + p.Name.Origin.String()),
				places.Replace(p.Provider.Value + " " + p.Provider.Origin.String()),
			}
			if diff := cmp.Diff(test.origins, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestProfileHasEveryValueWithItsLine(t *testing.T) {
	h := newHome(t, "\ufeff"+typical) // with the byte order mark of Windows editors
	got, err := h.mustLoad().Profile("")
	if err != nil {
		t.Fatal(err)
	}
	at := func(line int) config.Origin {
		return config.Origin{Kind: config.KindUserFile, File: h.user, Line: line}
	}
	want := config.Profile{
		Name:          config.Value[string]{Value: "work", Origin: at(1)},
		Database:      config.Value[string]{Value: "https://work-acme.turso.io", Origin: at(8)},
		DatabaseID:    config.Value[string]{Value: "33057661-834e-4891-9b48-802d425d02b9", Origin: at(9)},
		Own:           true,
		Provider:      config.Value[string]{Value: "clerk", Origin: at(10)},
		TokenProvider: config.Value[string]{Value: "platformtoken", Origin: at(11)},
		Access:        config.Value[provider.Access]{Value: provider.AccessReadOnly, Origin: at(12)},
		Permissions: config.Value[[]provider.Permission]{Origin: at(13), Value: []provider.Permission{
			{Actions: []provider.Action{"data_read"}},
			{Tables: []string{"notes"}, Actions: []provider.Action{"data_add", "data_update"}},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if target := got.Target(); target.URL != "https://work-acme.turso.io" || target.DatabaseID != got.DatabaseID.Value {
		t.Errorf("target = %+v", target)
	}
}

func TestLinesOfInlineAndDottedKeys(t *testing.T) {
	const file = "profiles.a.provider = \"x\"\n\n# comment\nprofiles.b = { access = \"ro\", \"provider\" = \"\\u0079\" }\n\n[profiles . c]\naccess = \"\"\"\nro\"\"\"\nprovider = 'z'\n"
	c := newHome(t, file).mustLoad()
	for name, line := range map[string]int{"a": 1, "b": 4, "c": 9} {
		p, err := c.Profile(name)
		if err != nil {
			t.Fatal(err)
		}
		if p.Provider.Origin.Line != line {
			t.Errorf("%s: provider %q is on line %d, want %d", name, p.Provider.Value, p.Provider.Origin.Line, line)
		}
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "default"}, c.ProfileNames()); diff != "" {
		t.Error(diff)
	}
}

func TestUnknownProfile(t *testing.T) {
	h := newHome(t, typical)
	h.environ = append(h.environ, "ZEN_PROFILE=wrok")
	_, err := h.mustLoad().Profile("")
	wantConfigError(t, err, `no profile "wrok" (from environment ZEN_PROFILE)`, "did you mean work?")
}

func TestWhereTheFilesAre(t *testing.T) {
	h := newHome(t, "")
	c := h.mustLoad()
	if c.Paths.ConfigFile != h.user || c.Paths.CacheDir() != filepath.Join(h.dir, "state", "zen", "cache") {
		t.Errorf("paths = %+v", c.Paths)
	}
	named := filepath.Join(h.dir, "other.toml")
	h.write(named, "[profiles.other]")
	h.environ = append(h.environ, "ZEN_CONFIG=../other.toml", "ZEN_STATE_DIR="+h.dir+"/s/", "ZEN_PROVIDER_DIR="+h.dir)
	c = h.mustLoad()
	if want := (config.Paths{ConfigFile: named, StateDir: filepath.Join(h.dir, "s"), ProviderDir: h.dir}); c.Paths != want {
		t.Errorf("paths = %+v, want %+v", c.Paths, want)
	}
	if _, err := c.Profile("other"); err != nil {
		t.Error(err)
	}

	_, err := config.Load(config.LoadOptions{Path: "missing.toml", WorkDir: h.dir, Environ: h.environ})
	wantConfigError(t, err, "read configuration "+filepath.Join(h.dir, "missing.toml")+": ", "")
	_, err = config.Load(config.LoadOptions{Path: h.dir, WorkDir: h.dir, Environ: h.environ})
	wantConfigError(t, err, "is a directory", "")
	for _, name := range []string{"ZEN_STATE_DIR", "ZEN_PROVIDER_DIR"} {
		_, err = config.Load(config.LoadOptions{WorkDir: h.dir, Environ: []string{name + "=./here"}})
		wantConfigError(t, err, name+" is not an absolute path", "")
	}
}

func TestProjectFileIsSoughtInsideOfTheRepository(t *testing.T) {
	h := newHome(t, "")
	deep := filepath.Join(h.dir, "repo", "a", "b")
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	selected := func(dir string) string {
		t.Helper()
		c, err := config.Load(config.LoadOptions{WorkDir: dir, Environ: h.environ})
		if err != nil {
			t.Fatal(err)
		}
		p, err := c.Profile("")
		if err != nil {
			t.Fatal(err)
		}
		return p.Name.Value
	}
	named := func(name string) string { return "default_profile = \"" + name + "\"\n[profiles." + name + "]\n" }
	h.write(filepath.Join(h.dir, ".zen.toml"), named("outside"))
	if got := selected(deep); got != "default" {
		t.Errorf("the file above the repository was used: %s", got)
	}
	h.write(h.project, named("root"))
	if got := selected(deep); got != "root" {
		t.Errorf("the file of the repository's root was not used: %s", got)
	}
	h.write(filepath.Join(h.dir, "repo", "a", ".zen.toml"), named("nearest"))
	if got := selected(deep); got != "nearest" {
		t.Errorf("the nearest file was not used: %s", got)
	}
	// Outside of a repository and of home, only the working directory itself counts.
	if err := os.RemoveAll(filepath.Join(h.dir, "repo", ".git")); err != nil {
		t.Fatal(err)
	}
	if got := selected(deep); got != "default" {
		t.Errorf("a parent outside of a repository was used: %s", got)
	}
	if got := selected(h.dir); got != "outside" {
		t.Errorf("the file of the working directory was not used: %s", got)
	}
}

func TestProjectFileOfAnotherUser(t *testing.T) {
	h := newHome(t, "")
	h.write(h.project, "")
	if err := os.Chown(h.project, 12345, 12345); err != nil {
		t.Skip("only root can give files away: ", err)
	}
	_, err := h.load()
	wantConfigError(t, err, "belongs to another user", "chown")
}

// A file that is swapped for another user's between two looks gets through neither.
func TestProjectFileThatFlips(t *testing.T) {
	h := newHome(t, "[profiles.mine]\n[profiles.theirs]\n")
	mine, theirs := filepath.Join(h.dir, "mine"), filepath.Join(h.dir, "theirs")
	h.write(mine, "default_profile = \"mine\"\n")
	h.write(theirs, "default_profile = \"theirs\"\n")
	if err := os.Chown(theirs, 12345, 12345); err != nil {
		t.Skip("only root can give files away: ", err)
	}
	stop, flipped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(flipped)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			next := filepath.Join(h.dir, "next")
			_ = os.Symlink([]string{mine, theirs}[n%2], next)
			_ = os.Rename(next, h.project)
		}
	}()
	read, refused := 0, 0
	for range 2000 {
		switch c, err := h.load(); {
		case err != nil:
			refused++
		case c.Selected().Value == "theirs":
			t.Fatal("another user's file was read")
		case c.Selected().Value == "mine":
			read++
		}
	}
	close(stop)
	<-flipped
	if read == 0 || refused == 0 {
		t.Errorf("read %d times and refused %d times: the two never met", read, refused)
	}
}

func wantConfigError(t *testing.T, err error, text, hint string) {
	t.Helper()
	if !errors.Is(err, provider.ErrConfig) {
		t.Fatalf("error %v is not ErrConfig", err)
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("error %q\ndoes not say %q", err, text)
	}
	if got := provider.Hint(err); !strings.Contains(got, hint) {
		t.Errorf("hint %q\ndoes not say %q", got, hint)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(typical)
	f.Add("[profiles]\na = { provider = \"x\" }\n")
	f.Add("[[profiles]]\n[providers.\"a\\u0000b\"]\nx = 1979-05-27\n")
	f.Add("profiles.a.b.c = [[],{}]\r\n#\n[\"\"]\n'' = nan")
	dir := f.TempDir()
	path := filepath.Join(dir, "config.toml")
	f.Fuzz(func(t *testing.T, content string) {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(config.LoadOptions{Path: path, WorkDir: dir, Environ: []string{"A=b"}})
		if err != nil {
			if !errors.Is(err, provider.ErrConfig) || len(err.Error()) > 1000 {
				t.Fatalf("error %q", err)
			}
			return
		}
		lines := strings.Count(content, "\n") + 1
		for _, name := range c.ProfileNames() {
			p, err := c.Profile(name)
			if err != nil {
				t.Fatal(err)
			}
			if line := p.Provider.Origin.Line; p.Provider.IsSet() && (line < 1 || line > lines) {
				t.Fatalf("line %d of %d", line, lines)
			}
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	dir := b.TempDir()
	path := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(path, []byte(typical), 0o600); err != nil {
		b.Fatal(err)
	}
	environ := append(os.Environ(), "ZEN_CLERK__PUBLISHABLE_KEY=pk_test_x")
	b.ReportAllocs()
	for b.Loop() {
		c, err := config.Load(config.LoadOptions{Path: path, WorkDir: dir, Environ: environ})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.Profile(""); err != nil {
			b.Fatal(err)
		}
		_ = c.SettingsHash("clerk", []string{"CLERK_PUBLISHABLE_KEY"})
	}
}
