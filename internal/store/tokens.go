package store

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/jsonobject"
)

// decodeTokens decodes what a reader of tokens needs, but for the tokens: of these it
// wants one, and looks for it when it knows which (findToken). The names are exact, as zen
// writes them.
func (f *file) decodeTokens(data []byte) error {
	top, err := jsonobject.Read(data)
	if err != nil {
		return err
	}
	d := decoder{}
	if version := top.Raw("schema_version"); !version.IsNull() {
		f.SchemaVersion, err = strconv.Atoi(string(version))
		d.note(err)
	}
	f.Profile, f.Key, f.Provider = d.text(top, "profile"), d.text(top, "key"), d.text(top, "provider")
	if sealed := d.text(top, "sealed"); sealed != "" {
		f.Sealed, err = base64.StdEncoding.DecodeString(sealed)
		d.note(err)
	}
	d.decode(top, "detours", &f.Breakers)
	d.decode(top, "refusals", &f.Refusals)
	f.undecoded = top.Raw("tokens")
	f.Accounts = make(map[string]fileAccount)
	for _, account := range d.object(top, "accounts") {
		fields := d.of(account.Raw)
		a := fileAccount{Credential: d.text(fields, "credential"), EnvNames: d.texts(fields, "env_names")}
		if organization := d.object(d.object(fields, "claims"), "Organization"); organization != nil {
			a.Claims.Organization = &provider.Organization{ID: d.text(organization, "ID"), Slug: d.text(organization, "Slug")}
		}
		f.Accounts[account.Name] = a
	}
	return d.err
}

// findToken decodes the token of a key, and returns nil if there is none. The others are
// read over.
func (f *file) findToken(key string) (*fileToken, error) {
	if !f.undecoded.IsNull() && f.undecoded[0] != '{' {
		return nil, errOtherType
	}
	d := decoder{}
	var found jsonobject.Value
	for name, value := range f.undecoded.Members() {
		if name == key {
			found = value
		}
	}
	fields := d.of(found)
	if fields == nil {
		return nil, d.err
	}
	t := &fileToken{Value: d.text(fields, "value"), Issued: d.time(fields, "issued"), Expires: d.time(fields, "expires")}
	if v := d.object(fields, "verification"); v != nil {
		t.Verification = &provider.Verification{Issuer: d.text(v, "Issuer"), KeySetURL: d.text(v, "KeySetURL"), Algorithms: d.texts(v, "Algorithms")}
	}
	return t, d.err
}

// decoder keeps the first error. A member that is not there, or null, is empty.
type decoder struct{ err error }

func (d *decoder) note(err error) {
	d.err = cmp.Or(d.err, err)
}

var errOtherType = errors.New("a value is of another type")

// of returns a value as an object.
func (d *decoder) of(value jsonobject.Value) jsonobject.Object {
	if value.IsNull() {
		return nil
	}
	o, err := value.Object()
	d.note(err)
	return o
}

func (d *decoder) object(from jsonobject.Object, name string) jsonobject.Object {
	return d.of(from.Raw(name))
}

func (d *decoder) text(from jsonobject.Object, name string) string {
	text, ok := from.Raw(name).Text()
	if !ok && from.Has(name) {
		d.note(errOtherType)
	}
	return text
}

func (d *decoder) texts(from jsonobject.Object, name string) []string {
	elements, ok := from.Raw(name).Elements()
	if !ok && from.Has(name) {
		d.note(errOtherType)
	}
	var texts []string
	for _, element := range elements {
		text, ok := element.Text()
		if !ok {
			d.note(errOtherType)
		}
		texts = append(texts, text)
	}
	return texts
}

func (d *decoder) time(from jsonobject.Object, name string) time.Time {
	text := d.text(from, name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	d.note(err)
	return t
}

// decode is for what is rarely there.
func (d *decoder) decode(from jsonobject.Object, name string, to any) {
	if raw := from.Raw(name); raw != "" {
		d.note(json.Unmarshal([]byte(raw), to))
	}
}
