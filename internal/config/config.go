package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"sync"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/names"
)

const defaultProfile = "default"

// Flags are the values of the command line; empty means not given.
type Flags struct {
	Profile, Provider, Database, Access, Storage string
	// DatabaseID is the result of a lookup of Database, where that was a name.
	DatabaseID string
}

// LoadOptions say where to look.
type LoadOptions struct {
	// Path is --config: a file that has to exist. "" means ZEN_CONFIG (which has to
	// exist too) or the usual place (which need not).
	Path string
	// WorkDir is the directory in which the search for a project file begins; "" means the current
	// directory.
	WorkDir string
	// Environ has the form of os.Environ; nil means os.Environ itself.
	Environ []string
	Flags   Flags
}

// Config is everything that was configured. It is immutable and safe for
// concurrent use.
type Config struct {
	Paths Paths
	// Audit is the file of the audit log; "" means none.
	Audit Value[string]

	environ       environment
	selected      Value[string]
	flags, env    values
	project, user *document

	indexOnce sync.Once
	indexed   *index
}

// Load reads the files and the environment. Each file is checked as a whole, so
// that a mistake shows at once; what a provider's settings mean is checked by
// Settings, with the provider's schema.
//
// It reads two files at most and looks for .zen.toml in the parents: about 50 µs.
func Load(o LoadOptions) (*Config, error) {
	c, at, err := begin(o)
	if err != nil {
		return nil, err
	}
	c.user, err = readDocument(KindUserFile, c.Paths.ConfigFile)
	if err != nil && (at.named || !errors.Is(err, fs.ErrNotExist)) {
		return nil, err
	}
	if c.project, err = readProjectFile(at.workDir, at.home); err != nil {
		return nil, err
	}
	if err := c.setOverrides(o.Flags); err != nil {
		return nil, err
	}
	return c, c.setAudit()
}

// surroundings are where Load begins.
type surroundings struct {
	workDir, home string
	// named says that somebody named the user file, which has to be there then.
	named bool
}

// begin finds the places, and reads nothing.
func begin(o LoadOptions) (c *Config, at surroundings, err error) {
	at.workDir, err = filepath.Abs(o.WorkDir) // of "" it is the current directory
	if err != nil {
		return nil, at, &provider.Error{Kind: provider.ErrConfig, Message: "find the working directory: " + err.Error(), Err: err}
	}
	c = &Config{environ: newEnvironment(o.Environ)}
	at.home = c.environ.home()
	c.Paths, at.named, err = c.environ.paths(at.home, o.Path, at.workDir)
	return c, at, err
}

// UserFile returns the place of the user file, whatever is in it.
func UserFile(o LoadOptions) (string, error) {
	c, _, err := begin(o)
	if err != nil {
		return "", err
	}
	return c.Paths.ConfigFile, nil
}

// setOverrides fills the layers above the files, and the selected profile.
func (c *Config) setOverrides(f Flags) error {
	overrides := []struct{ key, flag, variable, fromFlag string }{
		{"profile", "--profile", "ZEN_PROFILE", f.Profile},
		{"provider", "--provider", "ZEN_PROVIDER", f.Provider},
		{"token_provider", "", "ZEN_TOKEN_PROVIDER", ""},
		{"database", "--database", "ZEN_DATABASE", f.Database},
		{"database_id", "--database", "ZEN_DATABASE_ID", f.DatabaseID},
		{"access", "--access", "ZEN_ACCESS", f.Access},
		{"storage", "--storage", "ZEN_STORAGE", f.Storage},
	}
	var flagProfile, envProfile Value[string]
	for _, o := range overrides {
		fromEnv, _ := c.environ.lookup(o.variable)
		for _, layer := range []struct {
			text    string
			to      *values
			profile *Value[string]
			origin  Origin
		}{
			{o.fromFlag, &c.flags, &flagProfile, Origin{Kind: KindFlag, Name: o.flag}},
			{fromEnv, &c.env, &envProfile, Origin{Kind: KindEnvironment, Name: o.variable}},
		} {
			if layer.text == "" {
				continue
			}
			var err error
			if o.key == "profile" {
				err = set(layer.profile, textNode(layer.text), layer.origin, parseProfileName)
			} else {
				err = setters[o.key](layer.to, textNode(layer.text), layer.origin)
			}
			if err != nil {
				return &provider.Error{Kind: provider.ErrConfig, Message: layer.origin.String() + ": " + err.Error(), Hint: provider.Hint(err)}
			}
		}
	}
	c.selected = flagProfile.or(envProfile).or(c.project.defaultProfile).or(c.user.defaultProfile).
		or(Value[string]{defaultProfile, Origin{Kind: KindDefault}})
	return nil
}

func parseProfileName(s string) (string, error) {
	if !names.IsProfile(s) {
		return "", &provider.Error{
			Kind: provider.ErrConfig, Message: fmt.Sprintf("%s is not the name of a profile", shown(s)),
			Hint: "names are up to 63 lower-case letters, digits, - and _",
		}
	}
	return s, nil
}

// Selected returns the name of the profile in use, and what selected it. It need not be
// the name of a profile that exists.
func (c *Config) Selected() Value[string] { return c.selected }

// ProviderNames lists the providers that the user file has settings for.
func (c *Config) ProviderNames() []string { return slices.Sorted(maps.Keys(c.user.providers)) }

// ProfileNames lists the profiles of both files and "default", sorted.
func (c *Config) ProfileNames() []string {
	names := []string{defaultProfile}
	for _, d := range []*document{c.project, c.user} {
		for name := range d.profiles {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
