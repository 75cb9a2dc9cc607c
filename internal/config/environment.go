package config

import (
	"os"
	"slices"
	"strings"
)

// environment is a snapshot of variables. An empty one counts as unset.
type environment map[string]string

func newEnvironment(environ []string) environment {
	if environ == nil {
		environ = os.Environ()
	}
	e := make(environment, len(environ))
	for _, entry := range environ {
		// Windows has variables without a name, like "=C:=C:\\dir".
		if name, value, _ := strings.Cut(entry, "="); name != "" && value != "" {
			e[name] = value
		}
	}
	return e
}

func (e environment) lookup(name string) (string, bool) {
	value, ok := e[name]
	return value, ok
}

// withPrefix returns the names of variables that begin with prefix, sorted.
func (e environment) withPrefix(prefix string) []string {
	var names []string
	for name := range e {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
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
