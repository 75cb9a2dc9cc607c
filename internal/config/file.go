package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"syscall"
	"unsafe"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/names"
	"github.com/zen-auth/zen/internal/private"
	"github.com/zen-auth/zen/internal/text"
)

// document is one file, checked as far as it can be without a provider.
type document struct {
	kind           Kind
	path           string
	defaultProfile Value[string]
	audit          Value[string]
	// list are the profiles in the order of the file, and profiles are the same by their names.
	list      []profile
	profiles  map[string]*profile
	providers map[string]section
}

// profile is a profile of a file. It is decoded whenever somebody asks for its values: few of
// many are.
type profile struct {
	name string
	// database and databaseID are those of its values, by which it is found.
	database, databaseID string
	section              section
}

// values returns what the file says of a profile; of nil it is nothing.
func (d *document) values(p *profile) (v values) {
	if p == nil {
		return v
	}
	for key, n := range p.section.nodes() {
		_ = d.setValue(&v, p.name, key, n) // no error: it was checked when it was read
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
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, fileError(path, 0, "is UTF-16, and TOML is UTF-8", "save it as UTF-8; a > of Windows PowerShell writes UTF-16")
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // Windows editors write one
	d := &document{kind: kind, path: path}
	// The text is not copied, and nobody changes data.
	if plain, err := d.addPlain(unsafe.String(unsafe.SliceData(data), len(data))); plain {
		return d, err
	}
	return d, d.addAny(data)
}

// builder checks what is in a document, and adds it: what is in no table first.
type builder struct {
	*document
	// key and name are those of the section that is being added.
	key, name string
	// values are those of its profile.
	values values
}

// newBuilder makes room for a number of profiles, which are no more.
func newBuilder(d *document, profiles int) *builder {
	d.list, d.profiles, d.providers = make([]profile, 0, profiles), make(map[string]*profile, profiles), map[string]section{}
	return &builder{document: d}
}

// topKeys are the keys of a document, and groups those of them that are tables of tables.
var (
	topKeys = []string{"audit", "default_profile", "profiles", "providers"}
	groups  = topKeys[2:]
)

// errTwice is the error for a table that a plain document has twice, which is no TOML.
var errTwice = errors.New("a table comes twice")

// begin begins a section [key.name].
func (b *builder) begin(key, name string, line int) error {
	b.key, b.name = key, name
	known := false
	switch key {
	case "profiles":
		if !names.IsProfile(name) {
			return b.errorf(line, "names are up to 63 lower-case letters, digits, - and _", "has a profile with the invalid name %s", shown(name))
		}
		b.values = values{}
		known = b.profiles[name] != nil
	case "providers":
		if b.kind == KindProjectFile {
			return b.foreignProviders(line)
		}
		if !names.IsProvider(name) {
			return b.errorf(line, "names are lower-case letters and digits, with - between them", "has a provider with the invalid name %s", shown(name))
		}
		_, known = b.providers[name]
	default:
		b.key = ""
		return b.add(key, node{shape: shapeTable, line: line})
	}
	if known {
		return errTwice
	}
	return nil
}

// add adds a key of the section.
func (b *builder) add(key string, n node) error {
	switch b.key {
	case "profiles":
		return b.setValue(&b.values, b.name, key, n)
	case "providers":
		_, err := b.settingOf(b.name, key, n)
		return err
	}
	switch key {
	case "default_profile":
		return b.setDefaultProfile(n)
	case "audit":
		return b.setAudit(n)
	case "profiles", "providers":
		return b.errorf(n.line, "write ["+key+".NAME]", "has %s, which is not a table of tables", key)
	}
	hint := suggestion(key, topKeys)
	if n.shape == shapeTable && text.Nearest(key, topKeys) == "" {
		hint = "a table is [profiles.NAME] or [providers.NAME]"
	}
	return b.errorf(n.line, hint, unknownKey, shown(key))
}

// end ends the section.
func (b *builder) end(s section) {
	switch b.key {
	case "profiles":
		b.list = append(b.list, profile{name: b.name, database: b.values.database.Value, databaseID: b.values.databaseID.Value, section: s})
		b.profiles[b.name] = &b.list[len(b.list)-1]
	case "providers":
		b.providers[b.name] = s
	}
}

func (d *document) foreignProviders(line int) error {
	return d.errorf(line, "put them into the user file: a project may name a provider, not configure one",
		"has [providers], which a project file may not")
}

func (d *document) errorf(line int, hint, format string, args ...any) error {
	return fileError(d.path, line, fmt.Sprintf(format, args...), hint)
}

const unknownKey = "has an unknown key %s"

// unknown is the error for a key that a profile doesn't have.
func (d *document) unknown(n node, key string) error {
	hint := suggestion(key, profileKeys())
	if n.shape == shapeTable {
		hint = "a profile's name has no dots: [profiles.NAME]"
	} else if isTop(key) {
		hint = topHint
	}
	return d.errorf(n.line, hint, unknownKey, shown(key))
}

// isTop reports whether a key goes above all tables. TOML takes one that is below a header for
// one of that table.
func isTop(key string) bool { return slices.Contains(topKeys, key) && !slices.Contains(groups, key) }

const topHint = "write it above the first table"

func (d *document) origin(line int) Origin {
	return Origin{Kind: d.kind, File: d.path, Line: line}
}

func (d *document) setDefaultProfile(n node) error {
	name := n.text
	if n.shape != shapeText || !names.IsProfile(name) {
		return d.errorf(n.line, "for example default_profile = \"default\"", "has a default_profile that is not a profile name")
	}
	d.defaultProfile = Value[string]{Value: name, Origin: d.origin(n.line)}
	return nil
}

// setValue sets a key of a profile in v.
func (d *document) setValue(v *values, profile, key string, n node) error {
	set, known := setters[key]
	if !known {
		return d.unknown(n, key)
	}
	if key == "organization" && d.kind == KindProjectFile {
		return d.errorf(n.line, "put it into the user file", "has organization of profile %s: which one you sign in to is no matter of a project", profile)
	}
	if key == "storage" && d.kind == KindProjectFile {
		return d.errorf(n.line, "put it into the user file, or set ZEN_STORAGE", "has storage of profile %s: where your credentials rest is no matter of a project", profile)
	}
	err := set(v, n, d.origin(n.line))
	if errors.Is(err, errNotText) {
		return d.errorf(n.line, "strings are quoted: "+key+" = \"value\"", "profile %s: %s is not a string", profile, key)
	}
	if err != nil {
		return &provider.Error{
			Kind:    provider.ErrConfig,
			Message: fmt.Sprintf("configuration %s:%d profile %s: %v", d.path, n.line, profile, err),
			Hint:    provider.Hint(err),
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
	switch n.shape {
	case shapeText:
		return setting{n.text, provider.TypeString, n.line}, nil
	case shapeBool:
		return setting{n.text, provider.TypeBool, n.line}, nil
	case shapeInt:
		return setting{n.text, provider.TypeInt, n.line}, nil
	}
	hint := ""
	if n.shape == shapeOther {
		hint = "durations are strings like \"90s\""
	}
	return setting{}, d.errorf(n.line, hint,
		"has %s of provider %s, which is not a string, a boolean or an integer", key, name)
}

// shown quotes a key or name for an error and cuts what is too long to be one.
func shown(name string) string {
	if len(name) > 40 {
		name = name[:40] + "..."
	}
	return strconv.Quote(name)
}
