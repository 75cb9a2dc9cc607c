package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// quotedForm writes a document so that it isn't plain, with each key in the line that it had.
func quotedForm(document string) string {
	return strings.NewReplacer("[profiles.", "[\"profiles\" . ", "[providers.", "['providers'.").Replace(document)
}

// dottedForm does it without tables.
func dottedForm(document string) string {
	table := ""
	var lines []string
	for line := range strings.SplitSeq(document, "\n") {
		switch {
		case strings.HasPrefix(line, "["):
			table = strings.Trim(line, "[]") + "."
			line = "# " + line
		case line != "":
			line = table + line
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// What a project file may do doesn't depend on the form that it is written in, nor on that of
// the user's own file: a cloned repository sends no token elsewhere, whichever reader reads it.
func TestRulesHoldInAnyForm(t *testing.T) {
	const mine, other = `database = "libsql://app-acme.turso.io"`, `database = "libsql://evil-acme.turso.io"`
	projectLines := []string{
		"", mine, other, `database_id = "33057661-834e-4891-9b48-802d425d02b9"`, `provider = "clerk"`, `provider = "evil"`, `token_provider = "platformtoken"`, `token_provider = "evil"`,
		`access = "rw"`, `access = "ro"`, `permissions = ["all:data_read"]`, `permissions = ["a:data_add", "b:data_read"]`, `fallback = ["evil"]`, `storage = "none"`, `organization = "evil"`, `nosuch = 1`,
	}
	userLines := []string{
		"", "provider = \"clerk\"\n", "provider = \"clerk\"\naccess = \"ro\"\n", "provider = \"clerk\"\npermissions = [\"a:data_read,data_add\"]\n", "token_provider = \"platformtoken\"\nstorage = \"none\"\n",
	}
	outcome := func(user, project string, forms func(string) string) string {
		said, err := parseDocument(KindUserFile, "/u.toml", []byte(forms(user)))
		if err != nil {
			t.Fatal(err)
		}
		c := &Config{user: said}
		if c.project, err = parseDocument(KindProjectFile, "/p.toml", []byte(forms(project))); err != nil {
			return err.Error()
		}
		if err := c.setOverrides(Flags{}); err != nil {
			t.Fatal(err)
		}
		p, err := c.Profile("")
		return fmt.Sprintf("%+v\n%v", p, err)
	}
	plain := func(document string) string { return document }
	refused, allowed := 0, 0
	for _, name := range []string{"default", "fresh"} {
		for _, own := range userLines {
			user := "[profiles.default]\n" + mine + "\n" + own + "[profiles.second]\n" + other[:len(other)-1] + "-2\"\nprovider = \"evil\"\n"
			for i, first := range projectLines {
				for _, second := range projectLines[i:] {
					if key, _, _ := strings.Cut(first, " "); second == first || first != "" && strings.HasPrefix(second, key+" ") {
						second = ""
					}
					project := "default_profile = \"" + name + "\"\n[profiles." + name + "]\n" + first + "\n" + second + "\n"
					want := outcome(user, project, plain)
					if strings.HasSuffix(want, "<nil>") {
						allowed++
					} else {
						refused++
					}
					for form, forms := range map[string]func(string) string{"quoted": quotedForm, "dotted": dottedForm} {
						if got := outcome(user, project, forms); got != want && !(form == "dotted" && first+second == "") {
							t.Errorf("%s:\n%s\nwith\n%s\n%s", form, user, project, cmp.Diff(want, got))
						}
					}
				}
			}
		}
	}
	if refused < 100 || allowed < 100 {
		t.Errorf("%d refused, %d allowed", refused, allowed)
	}
	for _, project := range []string{"[providers.clerk]\n", "[providers.clerk]\nbridge_url = \"https://evil.example\"\n", "audit = false\n[profiles.a]\n"} {
		want := outcome("", project, plain)
		if got := outcome("", project, quotedForm); got != want || !strings.Contains(want, "may not") {
			t.Errorf("%s: %s, want %s", project, got, want)
		}
	}
}
