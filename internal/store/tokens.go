package store

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// raw is a JSON object whose members are decoded when they are asked for. To decode one
// into a struct, encoding/json first has to learn the struct: for the whole file that
// takes 0.15 ms of a process, more than everything else that is done with it.
type raw map[string]json.RawMessage

// decodeTokens decodes what a reader of tokens needs. The names are exact, as zen writes
// them.
func (f *file) decodeTokens(data []byte) error {
	var top raw
	if err := json.Unmarshal(data, &top); err != nil {
		return err
	}
	d := decoder{}
	d.get(top, "schema_version", &f.SchemaVersion)
	d.get(top, "profile", &f.Profile)
	d.get(top, "key", &f.Key)
	d.get(top, "sealed", &f.Sealed)
	d.get(top, "provider", &f.Provider)
	d.get(top, "detours", &f.Breakers)
	d.get(top, "refusals", &f.Refusals)
	var accounts, tokens map[string]raw
	d.get(top, "accounts", &accounts)
	d.get(top, "tokens", &tokens)
	f.Accounts, f.Tokens = make(map[string]fileAccount, len(accounts)), make(map[string]fileToken, len(tokens))
	for name := range maps.Keys(accounts) {
		var a fileAccount
		d.get(accounts[name], "env_names", &a.EnvNames)
		var claims, organization raw
		d.get(accounts[name], "claims", &claims)
		if d.get(claims, "Organization", &organization); organization != nil {
			a.Claims.Organization = &provider.Organization{}
			d.get(organization, "ID", &a.Claims.Organization.ID)
			d.get(organization, "Slug", &a.Claims.Organization.Slug)
		}
		f.Accounts[name] = a
	}
	for key, token := range tokens {
		t := fileToken{}
		d.get(token, "value", &t.Value)
		t.Issued, t.Expires = d.time(token, "issued"), d.time(token, "expires")
		var v raw
		if d.get(token, "verification", &v); v != nil {
			t.Verification = &provider.Verification{}
			d.get(v, "Issuer", &t.Verification.Issuer)
			d.get(v, "KeySetURL", &t.Verification.KeySetURL)
			d.get(v, "Algorithms", &t.Verification.Algorithms)
		}
		f.Tokens[key] = t
	}
	return d.err
}

// decoder keeps the first error.
type decoder struct{ err error }

func (d *decoder) get(from raw, name string, to any) {
	value, ok := from[name]
	if !ok || d.err != nil {
		return
	}
	d.err = json.Unmarshal(value, to)
}

func (d *decoder) time(from raw, name string) time.Time {
	text := ""
	d.get(from, name, &text)
	if text == "" || d.err != nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	d.err = err
	return t
}
