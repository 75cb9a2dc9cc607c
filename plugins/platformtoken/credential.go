package main

import (
	"cmp"
	"encoding/json"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/provider"
)

// stored is the content of a credential. An API token from the environment is not copied
// into it: the user decides where to keep a secret.
type stored struct {
	Source   source `json:"source"`
	APIToken string `json:"api_token,omitempty"`
	// Name identifies an API token that zen created, for its revocation.
	Name string `json:"name,omitempty"`
	// Organization is the one that zen login --org named; it takes precedence over the
	// setting.
	Organization string `json:"organization,omitempty"`
}

type source string

const (
	sourceEnvironment source = "env"
	sourceTyped       source = "typed"
	sourceMinted      source = "minted"
)

func (s stored) secret() (provider.Secret, error) {
	data, err := json.Marshal(s)
	return provider.NewSecret(string(data)), err
}

func readCredential(c provider.Credential) (stored, error) {
	var s stored
	err := json.Unmarshal([]byte(c.Data.Reveal()), &s)
	if err != nil || s.Source != sourceEnvironment && s.Source != sourceTyped && s.Source != sourceMinted ||
		(s.Source == sourceEnvironment) != (s.APIToken == "") || (s.Source == sourceMinted) != (s.Name != "") {
		// err is left out, because it may quote the data.
		return stored{}, &provider.Error{
			Kind: provider.ErrNoCredential, Hint: loginHint,
			Message: "platformtoken: the stored credential is not one of this provider",
		}
	}
	return s, nil
}

const loginHint = "zen login --provider platformtoken, or set " + ownTokenVariable + " or " + tursoTokenVariable

// account is the API token to use, and the organization whose databases it is for.
type account struct {
	apiToken     provider.Secret
	organization string
	source       source
}

// account chooses the API token: the environment takes precedence over one that was typed
// in, as everywhere in zen and in turso-cli. One that zen created has fewer rights than
// the environment's, and takes precedence over it.
func (p *platform) account(c *provider.Credential) (account, error) {
	a := account{apiToken: p.apiToken, organization: p.organization, source: sourceEnvironment}
	if c != nil {
		s, err := readCredential(*c)
		if err != nil {
			return account{}, err
		}
		a.organization = cmp.Or(s.Organization, a.organization)
		if s.Source == sourceMinted || a.apiToken.IsZero() && s.Source == sourceTyped {
			a.apiToken, a.source = provider.NewSecret(s.APIToken), s.Source
		}
	}
	if a.apiToken.IsZero() {
		message := "platformtoken: no Turso API token"
		if c != nil {
			message += ": the sign-in used the one in the environment, which is not set now"
		}
		return account{}, &provider.Error{Kind: provider.ErrNoCredential, Message: message, Hint: loginHint}
	}
	return a, nil
}

// checkAPIToken refuses a value that is certainly something else, before it is sent
// anywhere. where says where it was found.
func checkAPIToken(token provider.Secret, where string) error {
	found := ""
	value := token.Reveal()
	kind := clerk.KindOfKey(value)
	switch claims, err := decode(value); {
	case kind != clerk.KeyUnknown && kind != clerk.KeyJWT:
		found = string(kind)
	case err == nil && isForDatabase(claims):
		found = "a token for a database or a group"
	case provider.Token{Value: token}.ValidateValue() != nil:
		found = "no token: it is too long or has a character that no token has"
	default:
		return nil
	}
	return wrongTokenKind(where + " is " + found)
}

func wrongTokenKind(message string) error {
	return &provider.Error{
		Kind: provider.ErrConfig, Message: "platformtoken: " + message,
		Hint: "a Turso API token is needed here: turso auth api-tokens mint NAME",
	}
}
