package provider

import "context"

// Provider is what every provider serves.
//
// Methods may be called concurrently once Configure has returned.
type Provider interface {
	// Describe says who the provider is. It is static: no network, no settings,
	// below 100 ms, the same answer every time. Description.Services is filled in
	// by the serving side from what the value implements.
	Describe(ctx context.Context) (Description, error)
	// Configure takes the settings, before any call but Describe. The host has
	// checked them against Description.Fields; what it can't check, the provider
	// does, with ErrConfig. No network.
	Configure(ctx context.Context, settings Settings) ([]Note, error)
	// Check looks for everything that can be wrong (network included) and calls
	// report for each finding, good ones too.
	Check(ctx context.Context, report func(Finding) error) error
}

// Service names a service of the contract, as it is called on the wire.
type Service string

// The services beside Provider itself.
const (
	ServiceIdentity    Service = "zen.provider.v1.Identity"
	ServiceTokenSource Service = "zen.provider.v1.TokenSource"
	ServiceTeam        Service = "zen.provider.v1.Team"
)

// Description is a provider's static self-portrait.
type Description struct {
	// Name is the NAME in zen-provider-NAME.
	Name    string
	Version string
	// Summary is one line for lists.
	Summary  string
	Homepage string
	Services []Service
	Fields   []Field
	// Methods are the ways to sign in, the default first.
	Methods []Method
}

// Method is one way to sign in.
type Method struct {
	Name string
	Doc  string
}

// FieldType is the type of a setting.
type FieldType string

// The types of settings. Durations are Go's ("90s", "12h").
const (
	TypeString   FieldType = "string"
	TypeURL      FieldType = "url"
	TypeBool     FieldType = "bool"
	TypeInt      FieldType = "int"
	TypeDuration FieldType = "duration"
)

// Field describes one setting.
type Field struct {
	Key      string
	Type     FieldType
	Required bool
	// Sensitive settings come from the environment or the store only, never from
	// a configuration file, and are redacted everywhere.
	Sensitive bool
	// Env names variables that are read where ZEN_<PROVIDER>__<KEY> is unset, in
	// this order. The host passes no other variable's value.
	Env     []string
	Default string
	Doc     string
}

// Settings are the validated values of a provider's fields by key. All are held
// as secrets, so that none can be printed by accident.
type Settings map[string]Secret

// Get returns the value of key, or "".
func (s Settings) Get(key string) string { return s[key].Reveal() }

// Note is something worth telling about a configuration that is not an error.
type Note struct{ Text string }

// Severity grades a finding.
type Severity string

// The grades.
const (
	SeverityOK    Severity = "ok"
	SeverityWarn  Severity = "warn"
	SeverityError Severity = "error"
)

// Finding is one result of Check.
type Finding struct {
	// Name is short and stable: "jwks", "native-api".
	Name     string
	Severity Severity
	Text     string
	Hint     string
}
