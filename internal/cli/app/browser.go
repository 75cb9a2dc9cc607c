package app

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// openers are the programs that open pages on each system; the first that exists is used. Windows'
// is given the URL as one argument of a function, not as words of a shell.
var openers = map[string][][]string{
	"darwin":  {{"open"}},
	"windows": {{"rundll32", "url.dll,FileProtocolHandler"}},
	"":        {{"xdg-open"}, {"x-www-browser"}, {"www-browser"}},
}

// openBrowser runs what BROWSER says, or what the system opens pages with, without
// the secrets of the environment. BROWSER is a list of command lines; see
// browserCommands. What they print goes to out; what the system's opener prints is
// noise. It ends when the browser wants to: it may be the command itself.
func openBrowser(url string, out io.Writer) error {
	commands, err := browserCommands(os.Getenv("BROWSER"))
	if err != nil {
		return err
	}
	if len(commands) == 0 {
		found, err := systemOpener()
		if err != nil {
			return err
		}
		commands, out = [][]string{found}, io.Discard
	}
	var failed []error
	for _, command := range commands {
		err := runBrowser(command, url, out)
		if err == nil {
			return nil
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// runBrowser runs a command with the URL in place of %s, or at its end.
func runBrowser(command []string, url string, out io.Writer) error {
	command = slices.Clone(command)
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

func systemOpener() ([]string, error) {
	candidates, ok := openers[runtime.GOOS]
	if !ok {
		candidates = openers[""]
		if around().name == wsl {
			// Windows' browser, also where Linux could show one.
			candidates = append(slices.Clone(windowsOpeners), candidates...)
		}
	}
	if command := firstOf(candidates); command != nil {
		return command, nil
	}
	return nil, errors.New("this system has no command that opens pages; BROWSER can name one")
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
