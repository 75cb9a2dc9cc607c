package main

import (
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/cli/browser"
)

// openBrowser runs what BROWSER says, or what the system opens pages with. BROWSER
// is a command line: words separated by blanks, the URL in place of %s or at the
// end. What the command prints goes to out. It ends when it wants to: it may be the
// browser.
func openBrowser(url string, out io.Writer) error {
	command := strings.Fields(os.Getenv("BROWSER"))
	if len(command) == 0 {
		browser.Stdout, browser.Stderr = io.Discard, io.Discard
		return browser.OpenURL(url)
	}
	placed := false
	for i, word := range command {
		if strings.Contains(word, "%s") {
			command[i], placed = strings.ReplaceAll(word, "%s", url), true
		}
	}
	if !placed {
		command = append(command, url)
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = withoutSecrets(os.Environ())
	return cmd.Run()
}

// withoutSecrets drops the variables that hold credentials: providers' settings
// and whatever calls itself a token, secret, password or key.
func withoutSecrets(environ []string) []string {
	var kept []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(strings.ToUpper(entry), "=")
		if strings.HasPrefix(name, "ZEN_") && strings.Contains(name, "__") {
			continue
		}
		secret := false
		for _, word := range []string{"TOKEN", "SECRET", "PASSWORD", "PASSPHRASE", "API_KEY", "PRIVATE_KEY"} {
			secret = secret || strings.Contains(name, word)
		}
		if !secret {
			kept = append(kept, entry)
		}
	}
	return kept
}
