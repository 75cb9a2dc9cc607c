package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/names"
	"github.com/zen-auth/zen/internal/private"
)

// document is one file, checked as far as it can be without a provider.
type document struct {
	kind           Kind
	path           string
	defaultProfile Value[string]
	audit          Value[string]
	profiles       map[string]*profile
	providers      map[string]section
}

// profile is a profile of a file. It is decoded again whenever somebody asks for its values:
// few of many are.
type profile struct {
	name string
	// database and databaseID are those of its values, by which it is found.
	database, databaseID string
	document             *document
	section              section
	// atPlace and withID are others with the same place or databaseID: see index.
	atPlace, withID *profile
}

// values returns what the file says of the profile; of nil it is nothing.
func (p *profile) values() values {
	var v values
	if p != nil {
		_ = p.document.valuesOf(p.section, &v) // no error: it was checked when it was read
	}
	return v
}

// setting is a provider's setting in a file. The kind of its TOML value is kept,
// to be compared with the provider's schema.
type setting struct {
	text string
	kind provider.FieldType // string, bool or int
	line int
}

// readDocument reads a file; one that does not exist is an empty document.
func readDocument(kind Kind, path string) (*document, error) {
	data, err := readFile(kind, path)
	if err != nil {
		return &document{kind: kind, path: path}, err
	}
	return parseDocument(kind, path, data)
}

// readFile waits for no pipe: a configuration is read more than once, also by the front
// and by zen-full.
func readFile(kind Kind, path string) ([]byte, error) {
	if path == os.DevNull {
		return nil, nil
	}
	f, err := private.OpenRegular(path)
	if err != nil {
		return nil, readError(path, err)
	}
	defer f.Close()
	return readAll(kind, path, f)
}

func readAll(kind Kind, path string, f *os.File) ([]byte, error) {
	data, err := private.ReadAll(f, int64(kind.maxFile())+1)
	if err != nil {
		return nil, readError(path, err)
	}
	return data, nil
}

func readError(path string, err error) error {
	var pathError *fs.PathError
	var fault *private.Fault
	switch { // the path is in the message already
	case errors.As(err, &pathError):
		err = pathError.Err
	case errors.As(err, &fault):
		err = fault
	}
	if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
		err = syscall.EISDIR // Windows calls it an incorrect function
	}
	return &provider.Error{
		Kind: provider.ErrConfig, Err: err,
		Message: fmt.Sprintf("read configuration %s: %v", path, err),
	}
}

// parseDocument reads a document and checks all of it.
func parseDocument(kind Kind, path string, data []byte) (*document, error) {
	if limit := kind.maxFile(); len(data) > limit {
		return nil, fileError(path, 0, fmt.Sprintf("is larger than %d KiB, and every command would read all of it", limit>>10),
			"keep profiles that are not used together in files of their own, and name one with --config or ZEN_CONFIG")
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // Windows editors write one
	d := &document{kind: kind, path: path}
	sections, plain := plainSections(string(data))
	if plain {
		if err := d.add(sections); !errors.Is(err, errTwice) {
			return d, err
		}
	}
	sections, err := decode(path, data)
	if err == nil {
		err = d.add(sections)
	}
	return d, err
}

// errTwice is the error for a table that a plain document has twice, which is no TOML.
var errTwice = errors.New("a table comes twice")

// add checks the sections and adds them.
func (d *document) add(sections []section) error {
	d.profiles, d.providers = make(map[string]*profile, len(sections)), map[string]section{}
	profiles := make([]profile, 0, len(sections))
	var v values
	for _, s := range sections {
		var err error
		switch s.key {
		case "":
			err = d.addTop(s)
		case "profiles":
			profiles = append(profiles, profile{name: s.name, document: d, section: s})
			err = d.addProfile(&profiles[len(profiles)-1], &v)
		case "providers":
			err = d.addProvider(s)
		default:
			err = d.unknown(s.line, s.key, topKeys)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var topKeys = []string{"audit", "default_profile", "profiles", "providers"}

// addTop adds what is in no table.
func (d *document) addTop(s section) error {
	for key, n := range s.nodes() {
		var err error
		switch key {
		case "default_profile":
			err = d.setDefaultProfile(n)
		case "audit":
			err = d.setAudit(n)
		case "profiles", "providers":
			err = d.errorf(n.line, "write ["+key+".NAME]", "has %s, which is not a table of tables", key)
		default:
			err = d.unknown(n.line, key, topKeys)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *document) errorf(line int, hint, format string, args ...any) error {
	return fileError(d.path, line, fmt.Sprintf(format, args...), hint)
}

func (d *document) unknown(line int, key string, known []string) error {
	return d.errorf(line, suggestion(key, known), "has an unknown key %s", shown(key))
}

func (d *document) origin(line int) Origin {
	return Origin{Kind: d.kind, File: d.path, Line: line}
}

func (d *document) setDefaultProfile(n node) error {
	name, ok := n.value.(string)
	if !ok || !names.IsProfile(name) {
		return d.errorf(n.line, "for example default_profile = \"default\"", "has a default_profile that is not a profile name")
	}
	d.defaultProfile = Value[string]{Value: name, Origin: d.origin(n.line)}
	return nil
}

// addProfile decodes a profile into v, and adds it.
func (d *document) addProfile(p *profile, v *values) error {
	name := p.section.name
	if !names.IsProfile(name) {
		return d.errorf(p.section.line, "names are up to 63 lower-case letters, digits, - and _", "has a profile with the invalid name %s", shown(name))
	}
	if d.profiles[name] != nil {
		return errTwice
	}
	*v = values{}
	err := d.valuesOf(p.section, v)
	p.database, p.databaseID = v.database.Value, v.databaseID.Value
	d.profiles[name] = p
	return err
}

// valuesOf decodes the section of a profile into v, which is empty.
func (d *document) valuesOf(s section, v *values) error {
	for key, n := range s.nodes() {
		set, known := setters[key]
		if !known {
			return d.unknown(n.line, key, profileKeys())
		}
		if key == "organization" && d.kind == KindProjectFile {
			return d.errorf(n.line, "put it into the user file", "has organization of profile %s: which one you sign in to is no matter of a project", s.name)
		}
		if key == "storage" && d.kind == KindProjectFile {
			return d.errorf(n.line, "put it into the user file, or set ZEN_STORAGE", "has storage of profile %s: where your credentials rest is no matter of a project", s.name)
		}
		if err := set(v, n.value, d.origin(n.line)); err != nil {
			return &provider.Error{
				Kind:    provider.ErrConfig,
				Message: fmt.Sprintf("configuration %s:%d profile %s: %v", d.path, n.line, s.name, err),
				Hint:    provider.Hint(err),
			}
		}
	}
	return nil
}

func (d *document) addProvider(s section) error {
	if d.kind == KindProjectFile {
		return d.errorf(s.line, "put them into the user file: a project may name a provider, not configure one",
			"has [providers], which a project file may not")
	}
	if !names.IsProvider(s.name) {
		return d.errorf(s.line, "names are lower-case letters and digits, with - between them", "has a provider with the invalid name %s", shown(s.name))
	}
	if _, known := d.providers[s.name]; known {
		return errTwice
	}
	d.providers[s.name] = s
	for key, n := range s.nodes() {
		if _, err := d.settingOf(s.name, key, n); err != nil {
			return err
		}
	}
	return nil
}

// settings returns what the file says of a provider.
func (d *document) settings(name string) map[string]setting {
	settings := map[string]setting{}
	for key, n := range d.providers[name].nodes() {
		settings[key], _ = d.settingOf(name, key, n) // no error: it was checked when it was read
	}
	return settings
}

func (d *document) settingOf(name, key string, n node) (setting, error) {
	if !names.IsSetting(key) {
		return setting{}, d.errorf(n.line, "keys are lower-case letters, digits and _", "has an invalid key %s of provider %s", shown(key), name)
	}
	switch value := n.value.(type) {
	case string:
		return setting{value, provider.TypeString, n.line}, nil
	case bool:
		return setting{strconv.FormatBool(value), provider.TypeBool, n.line}, nil
	case int64:
		return setting{strconv.FormatInt(value, 10), provider.TypeInt, n.line}, nil
	}
	return setting{}, d.errorf(n.line, "durations are strings like \"90s\"",
		"has %s of provider %s, which is not a string, a boolean or an integer", key, name)
}

// shown quotes a key or name for an error and cuts what is too long to be one.
func shown(name string) string {
	if len(name) > 40 {
		name = name[:40] + "..."
	}
	return strconv.Quote(name)
}
