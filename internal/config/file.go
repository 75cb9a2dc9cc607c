package config

import (
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
	profiles       map[string]values
	providers      map[string]map[string]setting
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

func parseDocument(kind Kind, path string, data []byte) (*document, error) {
	root, err := decode(kind, path, data)
	if err != nil {
		return nil, err
	}
	d := &document{kind: kind, path: path, profiles: map[string]values{}, providers: map[string]map[string]setting{}}
	for _, key := range root.keys() {
		n := root[key]
		switch key {
		case "default_profile":
			err = d.setDefaultProfile(n)
		case "audit":
			err = d.setAudit(n)
		case "profiles":
			err = d.eachTable(key, n, d.addProfile)
		case "providers":
			if kind == KindProjectFile {
				return nil, d.errorf(n.line, "put them into the user file: a project may name a provider, not configure one",
					"has [providers], which a project file may not")
			}
			err = d.eachTable(key, n, d.addProvider)
		default:
			err = d.unknown(n.line, key, []string{"audit", "default_profile", "profiles", "providers"})
		}
		if err != nil {
			return nil, err
		}
	}
	return d, nil
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

// eachTable calls add for every table [key.NAME].
func (d *document) eachTable(key string, n node, add func(name string, line int, t table) error) error {
	tables, ok := n.value.(table)
	if !ok {
		return d.errorf(n.line, "write ["+key+".NAME]", "has %s, which is not a table of tables", key)
	}
	for _, name := range tables.keys() {
		t, ok := tables[name].value.(table)
		if !ok {
			return d.errorf(tables[name].line, "write ["+key+".NAME]", "has %s.%s, which is not a table", key, shown(name))
		}
		if err := add(name, tables[name].line, t); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) setDefaultProfile(n node) error {
	name, ok := n.value.(string)
	if !ok || !names.IsProfile(name) {
		return d.errorf(n.line, "for example default_profile = \"default\"", "has a default_profile that is not a profile name")
	}
	d.defaultProfile = Value[string]{Value: name, Origin: d.origin(n.line)}
	return nil
}

func (d *document) addProfile(name string, line int, t table) error {
	if !names.IsProfile(name) {
		return d.errorf(line, "names are up to 63 lower-case letters, digits, - and _", "has a profile with the invalid name %s", shown(name))
	}
	var v values
	for _, key := range t.keys() {
		n := t[key]
		set, known := setters[key]
		if !known {
			return d.unknown(n.line, key, profileKeys())
		}
		if key == "organization" && d.kind == KindProjectFile {
			return d.errorf(n.line, "put it into the user file", "has organization of profile %s: which one you sign in to is no matter of a project", name)
		}
		if key == "storage" && d.kind == KindProjectFile {
			return d.errorf(n.line, "put it into the user file, or set ZEN_STORAGE", "has storage of profile %s: where your credentials rest is no matter of a project", name)
		}
		if err := set(&v, n.value, d.origin(n.line)); err != nil {
			return &provider.Error{
				Kind:    provider.ErrConfig,
				Message: fmt.Sprintf("configuration %s:%d profile %s: %v", d.path, n.line, name, err),
				Hint:    provider.Hint(err),
			}
		}
	}
	d.profiles[name] = v
	return nil
}

func (d *document) addProvider(name string, line int, t table) error {
	if !names.IsProvider(name) {
		return d.errorf(line, "names are lower-case letters and digits, with - between them", "has a provider with the invalid name %s", shown(name))
	}
	settings := make(map[string]setting, len(t))
	for _, key := range t.keys() {
		n := t[key]
		if !names.IsSetting(key) {
			return d.errorf(n.line, "keys are lower-case letters, digits and _", "has an invalid key %s of provider %s", shown(key), name)
		}
		s := setting{line: n.line}
		switch value := n.value.(type) {
		case string:
			s.text, s.kind = value, provider.TypeString
		case bool:
			s.text, s.kind = strconv.FormatBool(value), provider.TypeBool
		case int64:
			s.text, s.kind = strconv.FormatInt(value, 10), provider.TypeInt
		default:
			return d.errorf(n.line, "durations are strings like \"90s\"",
				"has %s of provider %s, which is not a string, a boolean or an integer", key, name)
		}
		settings[key] = s
	}
	d.providers[name] = settings
	return nil
}

// shown quotes a key or name for an error and cuts what is too long to be one.
func shown(name string) string {
	if len(name) > 40 {
		name = name[:40] + "..."
	}
	return strconv.Quote(name)
}
