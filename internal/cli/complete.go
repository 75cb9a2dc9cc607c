package cli

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/cli/dev"
	"github.com/zen-auth/zen/internal/store"
	"github.com/zen-auth/zen/internal/text"
	"github.com/zen-auth/zen/internal/tokenform"
	"github.com/zen-auth/zen/internal/zen"
)

// completeValue completes the value of the flag that the line ends with, or the name
// of a profile where one is an argument: a line each. ok is false if the line ends
// otherwise. It reads the configuration and the names of files, at most: a key that
// is pressed in a shell starts no provider, waits for no keyring and no network.
func completeValue(a *cli.App, words []string) (values string, ok bool) {
	if len(words) == 0 || slices.Contains(words, "--") {
		return "", false
	}
	flags, commands, path := a.Flags, a.Commands, ""
	for _, word := range words {
		if next := app.CommandNamed(commands, word); next != nil {
			flags, commands, path = next.Flags, next.Subcommands, path+" "+next.Name
		}
	}
	last := words[len(words)-1]
	if strings.HasPrefix(last, "-") && app.TakesValue(flags, last) {
		return aLineEach(flagValues(path, strings.TrimLeft(last, "-"), words)), true
	}
	switch {
	case path == " profiles use" && last == "use", path == " profiles delete" && !strings.HasPrefix(last, "-"):
		return aLineEach(profileNames(words)), true
	case path == " dev fault" && last == "fault":
		return aLineEach(dev.FaultNames()), true
	case path == " dev fault" && slices.Contains(dev.FaultNames(), last):
		return aLineEach([]string{"on", "off"}), true
	case strings.HasPrefix(path, " provider ") && takesProvider[strings.TrimPrefix(path, " provider ")] && strings.HasSuffix(path, " "+last):
		return aLineEach(providerNames(words)), true
	}
	return "", false
}

// takesProvider are the commands below zen provider whose argument is one that is there.
var takesProvider = map[string]bool{"info": true, "trust": true, "verify": true, "rollback": true, "remove": true, "setup": true}

// methods are the sign-in methods of zen's own providers. A provider's own answer would need its
// process.
var methods = map[string][]string{
	"apikey":        {"key"},
	"auth0":         {"browser", "device", "client-credentials"},
	"clerk":         {"bridge", "redirect", "email", "oauth", "device"},
	"oidc":          {"browser", "device", "workload"},
	"openbao":       {"oidc", "token", "approle", "kubernetes"},
	"platformtoken": {"api-token", "browser"},
	"statictoken":   {"token"},
}

// methodNames returns those of the provider that the line names, or else of all.
func methodNames(words []string) []string {
	if i := slices.Index(words, "--provider"); i >= 0 && i+1 < len(words) {
		return methods[words[i+1]]
	}
	return slices.Compact(slices.Sorted(func(yield func(string) bool) {
		for _, names := range methods {
			for _, name := range names {
				if !yield(name) {
					return
				}
			}
		}
	}))
}

func aLineEach(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return strings.Join(values, "\n") + "\n"
}

// flagValues returns the values of a flag of the command at path; nil if it takes anything.
func flagValues(path, name string, words []string) []string {
	switch path + " --" + name {
	case " db query --format", " db shell --format":
		return []string{"table", "csv", "line", "json"}
	case " db import --format":
		return []string{"sql", "csv", "tsv", "jsonl"}
	case " provider trust --env":
		return nil
	}
	switch name {
	case "profile":
		return profileNames(words)
	case "provider":
		return providerNames(words)
	case "format":
		return tokenform.Formats
	case "shell":
		return tokenform.ShellNames
	case "method":
		return methodNames(words)
	case "fault":
		return dev.FaultNames()
	case "mode":
		return text.Strings(libsql.Modes())
	case "access":
		return []string{"ro", "rw"}
	case "role":
		return []string{"admin", "member"}
	case "storage":
		return []string{string(store.StorageKeyring), string(store.StorageFile)}
	case "watch":
		return []string{"restart", "HUP", "USR1", "USR2"}
	case "env":
		return []string{"DATABASE_URL=url", "DATABASE_TOKEN=token"}
	}
	return nil
}

// completingClient returns the client of the line, or nil if its configuration can't be
// read: a completion has no place for an error. It starts nothing.
func completingClient(words []string) *zen.Client {
	var o zen.Options
	if i := slices.Index(words, "--config"); i >= 0 && i+1 < len(words) {
		o.Config.Path = words[i+1]
	}
	client, err := zen.New(o)
	if err != nil {
		return nil
	}
	return client
}

func profileNames(words []string) []string {
	client := completingClient(words)
	if client == nil {
		return nil
	}
	names := client.Config.ProfileNames()
	if stored, err := client.Store.List(); err == nil {
		names = append(names, stored...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func providerNames(words []string) []string {
	client := completingClient(words)
	if client == nil {
		return nil
	}
	var names []string
	for _, found := range client.Providers.List() {
		names = append(names, found.Name)
	}
	return names
}
