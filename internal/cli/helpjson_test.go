package cli

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/internal/cli/app"
)

// helped is the part of zen --help-json that programs read.
type helped struct {
	SchemaVersion int `json:"schema_version"`
	Name, Usage   string
	Type          string
	Flags         []helped
	Global        []helped `json:"global_flags"`
	Commands      []helped
}

func named(list []helped, name string) (helped, bool) {
	i := slices.IndexFunc(list, func(h helped) bool { return h.Name == name })
	if i < 0 {
		return helped{}, false
	}
	return list[i], true
}

// TestHelpJSON compares the document with the commands: it contains all that are visible, and
// none that are hidden.
func TestHelpJSON(t *testing.T) {
	t.Parallel()
	var out, errOut strings.Builder
	if code := fullProgram().Run(t.Context(), []string{"zen", "--help-json"}, strings.NewReader(""), &out, &errOut); code != app.ExitOK || errOut.Len() > 0 {
		t.Fatalf("code %d, %q", code, errOut.String())
	}
	var document helped
	if err := json.Unmarshal([]byte(out.String()), &document); err != nil {
		t.Fatal(err)
	}
	if document.SchemaVersion != app.SchemaVersion || document.Name != "zen" {
		t.Errorf("schema version %d, name %q", document.SchemaVersion, document.Name)
	}
	for _, f := range app.GlobalFlags() {
		if _, ok := named(document.Global, f.Names()[0]); !ok {
			t.Errorf("no global flag %s", f.Names()[0])
		}
	}
	checkHelped(t, "zen", fullProgram().Commands, document)
}

func checkHelped(t *testing.T, path string, commands []*cli.Command, document helped) {
	for _, c := range commands {
		path := path + " " + c.Name
		said, ok := named(document.Commands, c.Name)
		if ok == c.Hidden {
			t.Errorf("%s: hidden %v, in the document %v", path, c.Hidden, ok)
		}
		if !ok {
			continue
		}
		if said.Usage == "" {
			t.Errorf("%s has no usage text", path)
		}
		for _, f := range c.Flags {
			visible := f.(cli.VisibleFlag).IsVisible()
			flag, ok := named(said.Flags, f.Names()[0])
			if ok != visible {
				t.Errorf("%s --%s: visible %v, in the document %v", path, f.Names()[0], visible, ok)
			}
			if ok && (flag.Type == "" || flag.Usage == "") {
				t.Errorf("%s --%s: type %q, usage %q", path, f.Names()[0], flag.Type, flag.Usage)
			}
		}
		checkHelped(t, path, c.Subcommands, said)
	}
}
