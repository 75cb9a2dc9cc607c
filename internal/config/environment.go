package config

import (
	"os"
	"slices"
	"strings"
)

// environment is a snapshot of variables, NAME=VALUE each. An empty one counts as unset,
// and of two the last one. A map of all would take longer than to look for some.
type environment []string

func newEnvironment(environ []string) environment {
	if environ == nil {
		return os.Environ()
	}
	return slices.Clone(environ)
}

func (e environment) lookup(name string) (string, bool) {
	for _, entry := range slices.Backward(e) {
		if rest, ok := strings.CutPrefix(entry, name); ok && len(rest) > 1 && rest[0] == '=' {
			return rest[1:], name != "" // Windows has variables without a name, like "=C:=C:\\dir"
		}
	}
	return "", false
}

// withPrefix returns the names of variables that begin with prefix, sorted.
func (e environment) withPrefix(prefix string) []string {
	var names []string
	for _, entry := range e {
		if name, value, _ := strings.Cut(entry, "="); value != "" && strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// variablePrefix returns the beginning of the names of a provider's variables.
func variablePrefix(providerName string) string {
	return "ZEN_" + strings.ToUpper(strings.ReplaceAll(providerName, "-", "_")) + "__"
}

// Variable names the variable of one setting: ZEN_<PROVIDER>__<KEY>, in capitals
// and with "-" as "_".
func Variable(providerName, key string) string {
	return variablePrefix(providerName) + strings.ToUpper(key)
}

// HasVariable reports whether a variable is set.
func (c *Config) HasVariable(name string) bool {
	_, ok := c.environ.lookup(name)
	return ok
}
