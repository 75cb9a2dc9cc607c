package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The methods completed after --method are those of the provider.
func TestCompletedMethodsAreTheProviders(t *testing.T) {
	t.Parallel()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range methods {
		cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "zen"), "provider", "info", name, "--json")
		cmd.Env = append(os.Environ(), "ZEN_CONFIG="+config)
		var said strings.Builder
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("zen provider info %s: %v, %s", name, err, said.String())
			continue
		}
		var info struct {
			Methods []struct {
				Name string `json:"name"`
			} `json:"methods"`
		}
		if err := json.Unmarshal(out, &info); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range info.Methods {
			got = append(got, m.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has methods %q, but %q are completed", name, got, want)
		}
	}
}

// The scripts work in an unconfigured shell.
func TestCompletionScripts(t *testing.T) {
	t.Parallel()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "stray-file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args       []string
		want, lack []string
	}{
		"bash": {[]string{"--norc", "-c", `source <(zen completion bash); COMP_WORDS=(zen login --provider ""); COMP_CWORD=3; _zen; printf '%s\n' "${COMPREPLY[@]}"`}, []string{"clerk"}, []string{"stray-file"}},
		"zsh":  {[]string{"-f", "-c", `source <(zen completion zsh); print -r -- "${_comps[zen]}"`}, []string{"_zen"}, []string{"not found"}},
		"fish": {[]string{"--no-config", "-c", `zen completion fish | source; complete -C 'zen login --provider '; complete -C 'zen dev --fault jwks-s'`}, []string{"clerk", "jwks-stuck"}, []string{"stray-file"}},
		"pwsh": {[]string{"-NoProfile", "-Command", `zen completion powershell | Out-String | Invoke-Expression; (TabExpansion2 'zen login --provider cl').CompletionMatches.CompletionText`}, []string{"clerk"}, []string{"stray-file"}},
	} {
		t.Run(name, func(t *testing.T) {
			shell, err := exec.LookPath(name)
			if err != nil {
				t.Skip(name + " is not installed")
			}
			cmd := exec.CommandContext(t.Context(), shell, test.args...)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+dir, "ZEN_CONFIG="+filepath.Join(dir, "stray-file"))
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			lines := strings.Fields(string(out))
			for _, word := range test.want {
				if !slices.Contains(lines, word) {
					t.Errorf("%q is not completed:\n%s", word, out)
				}
			}
			for _, word := range test.lack {
				if strings.Contains(string(out), word) {
					t.Errorf("the output contains %q:\n%s", word, out)
				}
			}
		})
	}
}
