package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/provider"
)

// Setting is the value of one setting of a provider and where it came from.
type Setting struct {
	Field  provider.Field
	Value  provider.Secret
	Origin Origin
}

// Settings returns the settings of a provider, checked against its schema: the
// environment (ZEN_<PROVIDER>__<KEY>, then the variables of Field.Env), the user
// file, the default. A setting that nothing sets is not in the map.
func (c *Config) Settings(fields []provider.Field, providerName string) (provider.Settings, error) {
	resolved, err := c.Resolve(fields, providerName)
	if err != nil {
		return nil, err
	}
	return SettingsOf(resolved), nil
}

// SettingsOf returns the values of what Resolve returned.
func SettingsOf(resolved []Setting) provider.Settings {
	settings := make(provider.Settings, len(resolved))
	for _, s := range resolved {
		settings[s.Field.Key] = s.Value
	}
	return settings
}

// Resolve is Settings with the origin of each value, in the order of fields.
func (c *Config) Resolve(fields []provider.Field, providerName string) ([]Setting, error) {
	if _, err := parseProviderName(providerName); err != nil {
		return nil, err
	}
	if err := c.refuseUnknown(fields, providerName); err != nil {
		return nil, err
	}
	return c.resolve(fields, providerName)
}

// Some returns the settings of these fields, whatever else is set for the provider: for
// what zen itself asks in the way that a provider would.
func (c *Config) Some(fields []provider.Field, providerName string) (provider.Settings, error) {
	resolved, err := c.resolve(fields, providerName)
	return SettingsOf(resolved), err
}

func (c *Config) resolve(fields []provider.Field, providerName string) ([]Setting, error) {
	resolved := make([]Setting, 0, len(fields))
	inFile := c.user.settings(providerName)
	for _, field := range fields {
		text, origin, err := c.find(field, providerName, inFile)
		if err != nil {
			return nil, err
		}
		if text == "" && field.Required {
			return nil, c.missing(field, providerName)
		}
		if origin.Kind == "" {
			continue
		}
		if err := field.Type.Check(text); err != nil {
			return nil, &provider.Error{
				Kind: provider.ErrConfig, Hint: field.Doc,
				Message: fmt.Sprintf("provider %s: %s %v (%s)", providerName, field.Key, err, origin),
			}
		}
		resolved = append(resolved, Setting{Field: field, Value: provider.NewSecret(text), Origin: origin})
	}
	return resolved, nil
}

func (c *Config) find(field provider.Field, providerName string, inFile map[string]setting) (string, Origin, error) {
	own := Variable(providerName, field.Key)
	for i, name := range append([]string{own}, field.Env...) {
		if i > 0 && strings.HasPrefix(name, "ZEN_") {
			// Or any provider could read another one's secrets.
			return "", Origin{}, &provider.Error{
				Kind:    provider.ErrConfig,
				Message: fmt.Sprintf("provider %s asks for the variable %s, which is not its own", providerName, name),
			}
		}
		if text, ok := c.environ.lookup(name); ok {
			return text, Origin{Kind: KindEnvironment, Name: name}, nil
		}
	}
	if s, ok := inFile[field.Key]; ok {
		origin := c.user.origin(s.line)
		if field.Sensitive {
			return "", Origin{}, &provider.Error{
				Kind: provider.ErrConfig, Hint: "take it out of the file and set " + own,
				Message: fmt.Sprintf("provider %s: %s is a secret, which has no place in a file (%s)", providerName, field.Key, origin),
			}
		}
		if want := tomlType(field.Type); s.kind != want {
			return "", Origin{}, &provider.Error{
				Kind: provider.ErrConfig, Hint: field.Doc,
				Message: fmt.Sprintf("provider %s: %s is of type %s and has to be %s (%s)", providerName, field.Key, s.kind, want, origin),
			}
		}
		return s.text, origin, nil
	}
	if field.Default != "" {
		return field.Default, Origin{Kind: KindDefault}, nil
	}
	return "", Origin{}, nil
}

// tomlType returns the type that a setting has in a file.
func tomlType(t provider.FieldType) provider.FieldType {
	if t == provider.TypeBool || t == provider.TypeInt {
		return t
	}
	return provider.TypeString
}

func (c *Config) missing(field provider.Field, providerName string) error {
	hint := "set " + Variable(providerName, field.Key)
	if !field.Sensitive {
		hint += fmt.Sprintf(", or %s under [providers.%s] in %s", field.Key, providerName, c.Paths.ConfigFile)
	}
	return &provider.Error{
		Kind: provider.ErrConfig, Hint: hint,
		Message: fmt.Sprintf("provider %s: %s is not set", providerName, field.Key),
	}
}

// refuseUnknown finds what is set for a provider that has no such setting.
func (c *Config) refuseUnknown(fields []provider.Field, providerName string) error {
	known := make([]string, len(fields))
	for i, field := range fields {
		known[i] = field.Key
	}
	slices.Sort(known)
	unknown := func(key string, origin Origin) *provider.Error {
		return &provider.Error{
			Kind: provider.ErrConfig, Hint: suggestion(key, known),
			Message: fmt.Sprintf("provider %s has no setting %s (%s)", providerName, shown(key), origin),
		}
	}
	for _, name := range c.environ.withPrefix(variablePrefix(providerName)) {
		key := strings.ToLower(strings.TrimPrefix(name, variablePrefix(providerName)))
		if !slices.Contains(known, key) {
			return unknown(key, Origin{Kind: KindEnvironment, Name: name})
		}
	}
	inFile := c.user.settings(providerName)
	first := ""
	for _, key := range slices.Sorted(maps.Keys(inFile)) {
		if !slices.Contains(known, key) && (first == "" || inFile[key].line < inFile[first].line) {
			first = key
		}
	}
	if first != "" {
		err := unknown(first, c.user.origin(inFile[first].line))
		if isTop(first) {
			err.Hint = topHint
		}
		return err
	}
	return nil
}
