//go:build unix

package config

import (
	"errors"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

// Credentials never go to the root directory or into the working one.
func TestWithoutHOME(t *testing.T) {
	if runtime.GOOS == "darwin" {
		t.Skip("the directories have other names")
	}
	real := lookupAccount
	t.Cleanup(func() { lookupAccount = real })
	const account, state = "/home/of-the-account", "/home/of-the-account/.local/state/zen"
	for name, c := range map[string]struct {
		account, environ string
		state, config    string
		says             string
	}{
		"HOME":                      {account, "HOME=/h", "/h/.local/state/zen", "/h/.config/zen/config.toml", ""},
		"none":                      {account, "", state, account + "/.config/zen/config.toml", ""},
		"empty":                     {account, "HOME=", state, account + "/.config/zen/config.toml", ""},
		"relative":                  {account, "HOME=here", state, account + "/.config/zen/config.toml", ""},
		"XDG":                       {"", "XDG_STATE_HOME=/s", "/s/zen", "/s/zen/config.toml", ""},
		"XDG, relative":             {account, "XDG_STATE_HOME=s", state, account + "/.config/zen/config.toml", ""},
		"a state directory":         {"", "ZEN_STATE_DIR=/s", "/s", "/s/config.toml", ""},
		"neither home nor account":  {"", "", "", "", "HOME is not set"},
		"relative, and no account":  {"", "HOME=here", "", "", `HOME is "here"`},
		"an account without a home": {"relative", "", "", "", "HOME is not set"},
	} {
		t.Run(name, func(t *testing.T) {
			lookupAccount = func(string) (*user.User, error) {
				if c.account == "" {
					return nil, user.UnknownUserIdError(1)
				}
				return &user.User{HomeDir: c.account}, nil
			}
			loaded, err := Load(LoadOptions{WorkDir: t.TempDir(), Environ: []string{c.environ}})
			if c.says != "" {
				if !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), c.says) || !strings.Contains(provider.Hint(err), "ZEN_STATE_DIR") {
					t.Errorf("%v (%s), want %q", err, provider.Hint(err), c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if p := loaded.Paths; p.StateDir != c.state || p.ConfigFile != c.config || !filepath.IsAbs(p.ProviderDir) {
				t.Errorf("%+v", p)
			}
		})
	}
}
