package provider

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Provider is implemented by every provider.
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
	// Check looks for everything that can be wrong (network included), changes nothing,
	// and calls report for each finding, good ones too. What needs something that is
	// missing is a finding of SeveritySkipped. credential, if not nil, replaces the
	// one of the request, beside an error too.
	Check(ctx context.Context, req CheckRequest, report func(Finding) error) (credential *Credential, err error)
}

// Service names a service of the contract, as it is called on the wire.
type Service string

// The services beside Provider itself.
const (
	ServiceIdentity      Service = "zen.provider.v1.Identity"
	ServiceTokenSource   Service = "zen.provider.v1.TokenSource"
	ServiceAssertion     Service = "zen.provider.v1.Assertion"
	ServiceLookup        Service = "zen.provider.v1.Lookup"
	ServiceSetup         Service = "zen.provider.v1.Setup"
	ServiceTeam          Service = "zen.provider.v1.Team"
	ServiceOrganizations Service = "zen.provider.v1.Organizations"
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
	// Assertions are the kinds that the provider's AssertionSource makes.
	Assertions []AssertionKind
	// Needs describes what its TokenSource needs where another provider signed in; nil if
	// that one's claims are enough.
	Needs *AssertionNeed
}

// Method is one way to sign in.
type Method struct {
	Name        string
	Doc         string
	Interaction Interaction
	// IdentityOnly is true if the credential of this method yields no token for a
	// database: another provider has to make those.
	IdentityOnly bool
}

// Interaction says what a sign-in needs a person to do.
type Interaction string

// The kinds of interaction. The zero value is not known.
const (
	// InteractionNone needs no person: a machine can do it.
	InteractionNone Interaction = "none"
	// InteractionTerminal asks in the terminal, unless a setting has the answer.
	InteractionTerminal Interaction = "terminal"
	// InteractionBrowser needs a browser on this machine, InteractionDevice one
	// anywhere.
	InteractionBrowser Interaction = "browser"
	InteractionDevice  Interaction = "device"
)

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

// Check returns an error if text is no value of the type: "is not an integer", to be written
// behind the setting's name. It doesn't repeat the text, which may be a secret that was
// pasted into the wrong place.
func (t FieldType) Check(text string) error {
	switch t {
	case TypeString:
		return nil
	case TypeBool:
		if text != "true" && text != "false" {
			return errors.New("is not true or false")
		}
	case TypeInt:
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return errors.New("is not an integer")
		}
	case TypeDuration:
		if d, err := time.ParseDuration(text); err != nil || d < 0 {
			return errors.New("is not a duration like 90s or 12h")
		}
	case TypeURL:
		return checkURL(text)
	default:
		return fmt.Errorf("has the type %.40q, which this version does not know", string(t))
	}
	return nil
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme == "" || u.Host == "":
		return errors.New("is not a whole URL like https://example.com")
	case u.User != nil:
		return errors.New("is a URL with a user name or a password")
	case strings.EqualFold(u.Scheme, "http") && !IsLoopback(strings.ToLower(u.Hostname())):
		return errors.New("is http:// on a host that is not this machine: write https://")
	}
	return nil
}

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
	// Example shows the form of a value: "pk_live_...".
	Example string
	// FoundAs names variables under which applications keep this value in their .env
	// files ("NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY"). zen init offers what it finds there;
	// nothing else reads them.
	FoundAs []string
}

// Settings are the validated values of a provider's fields by key. All are held
// as secrets, so that none can be printed by accident.
type Settings map[string]Secret

// Get returns the value of key, or "".
func (s Settings) Get(key string) string { return s[key].Reveal() }

// Note is something worth telling about a configuration that is not an error.
type Note struct{ Text string }
