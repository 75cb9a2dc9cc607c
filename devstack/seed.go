package devstack

import (
	"fmt"
	"time"

	"github.com/zen-auth/zen/devstack/auth0"
	"github.com/zen-auth/zen/devstack/engine"
)

// Seed declares what a stack has when it starts. [LoadSeed] reads one from a file.
// What exists already, in the directory of an earlier run, is left as it is.
type Seed struct {
	Clerk ClerkSeed  `toml:"clerk"`
	Auth0 *Auth0Seed `toml:"auth0"` // nil: there is none
	OIDC  OIDCSeed   `toml:"oidc"`
	CI    CISeed     `toml:"ci"`
	Turso TursoSeed  `toml:"turso"`
}

// OIDCSeed is an OpenID issuer. Without people it has Alice and Bob, without clients a
// native one.
type OIDCSeed struct {
	Users []struct {
		Email    string   `toml:"email"`
		Password string   `toml:"password"`
		Name     string   `toml:"name"`
		Groups   []string `toml:"groups"`
	} `toml:"users"`
	Clients []struct {
		ID           string   `toml:"id"`
		Name         string   `toml:"name"`
		Secret       string   `toml:"secret"`
		RedirectURIs []string `toml:"redirect_uris"` // none: http://127.0.0.1/callback, any port
	} `toml:"clients"`
	TokenLifetime lifetime `toml:"token_lifetime"`
}

// CISeed is the job in the statements of CI's issuers. Empty fields default to those of
// acme/app.
type CISeed struct {
	Owner        string `toml:"owner"`
	Repository   string `toml:"repository"`
	OwnerID      int64  `toml:"owner_id"`
	RepositoryID int64  `toml:"repository_id"`
	Ref          string `toml:"ref"`
	Environment  string `toml:"environment"`
	Event        string `toml:"event"`
	Workflow     string `toml:"workflow"`
	Immutable    bool   `toml:"immutable_subject"` // GitHub's sub with ids in it
	// Audience is the audience of the tokens that a job finds in its variables or in a file.
	Audience string `toml:"audience"`
}

// ClerkSeed says who can sign in, and what is in their tokens.
type ClerkSeed struct {
	Organizations []struct {
		Slug           string         `toml:"slug"`
		Name           string         `toml:"name"`
		PublicMetadata map[string]any `toml:"public_metadata"`
		MaxMemberships int            `toml:"max_memberships"` // 0 is Clerk's 5, negative is no bound
		// Database, ORGANIZATION/DATABASE, puts Turso's claims for it into the public
		// metadata, as turso: {{org.public_metadata.turso.id}} in a template is its id.
		Database string `toml:"database"`
	} `toml:"organizations"`
	Users []struct {
		ID             string         `toml:"id"` // made from the address if empty
		Email          string         `toml:"email"`
		Password       string         `toml:"password"`
		FirstName      string         `toml:"first_name"`
		LastName       string         `toml:"last_name"`
		PublicMetadata map[string]any `toml:"public_metadata"`
		SSO            string         `toml:"sso"`            // the one strategy: oauth_google, enterprise_sso
		SecondFactors  []string       `toml:"second_factors"` // email_code, totp, backup_code
		TOTPSecret     string         `toml:"totp_secret"`
		BackupCodes    []string       `toml:"backup_codes"`
		Banned         bool           `toml:"banned"`
		Memberships    []struct {
			Organization string   `toml:"organization"` // slug
			Role         string   `toml:"role"`
			Permissions  []string `toml:"permissions"`
		} `toml:"memberships"`
	} `toml:"users"`
	Templates []TemplateSeed `toml:"templates"`
	// SessionToken holds what session tokens say beside what each has.
	SessionToken *ClaimsSeed `toml:"session_token"`
	// OAuthApplications are beside the public one for terminals.
	OAuthApplications []struct {
		ClientID     string   `toml:"client_id"`
		Name         string   `toml:"name"`
		Secret       string   `toml:"secret"`
		RedirectURIs []string `toml:"redirect_uris"`
		Scopes       []string `toml:"scopes"`
		OpaqueTokens bool     `toml:"opaque_tokens"`
		DeviceGrant  bool     `toml:"device_grant"`
	} `toml:"oauth_applications"`
	Production        bool   `toml:"production"`          // pk_live_, and no POST /v1/sessions
	ClientTrust       bool   `toml:"client_trust"`        // a code for a password on a new client
	NativeAPIDisabled bool   `toml:"native_api_disabled"` // the dashboard's switch
	ProxyPath         string `toml:"proxy_path"`          // the Frontend API is known by it, as /__clerk
}

// TemplateSeed is a JWT template of Clerk's.
type TemplateSeed struct {
	Name     string   `toml:"name"`
	Lifetime lifetime `toml:"lifetime"`
	ClaimsSeed
}

// ClaimsSeed holds what an issuer writes into tokens: Turso's claims for a database,
// and others.
type ClaimsSeed struct {
	Database string         `toml:"database"` // ORGANIZATION/DATABASE; empty: none of Turso's claims
	Access   string         `toml:"access"`   // "rw" or "ro"; empty means rw
	Claims   map[string]any `toml:"claims"`
	// Permissions narrow the token to some tables; none means all.
	Permissions []struct {
		Tables  []string        `toml:"tables"`
		Actions []engine.Action `toml:"actions"`
	} `toml:"permissions"`
}

// ActionSeed is an Action of Auth0's that sets claims on access tokens.
type ActionSeed struct {
	ClaimsSeed
	// WriteScope, if not empty, is the permission of the API without which the
	// tokens are for reading alone.
	WriteScope string `toml:"write_scope"`
}

// Auth0Seed is an Auth0 tenant.
type Auth0Seed struct {
	Organizations []struct {
		ID          string `toml:"id"`
		Name        string `toml:"name"`
		DisplayName string `toml:"display_name"`
		// Database, ORGANIZATION/DATABASE, is the one that the Actions open for who signs
		// in to the organization, in place of their own.
		Database string `toml:"database"`
	} `toml:"organizations"`
	Users []struct {
		ID            string   `toml:"id"` // made from the address if empty
		Email         string   `toml:"email"`
		Password      string   `toml:"password"`
		Name          string   `toml:"name"`
		GivenName     string   `toml:"given_name"`
		FamilyName    string   `toml:"family_name"`
		Organizations []string `toml:"organizations"` // names
		// Roles are the roles in an organization, by its name: admin, member.
		Roles       map[string][]string `toml:"roles"`
		AppMetadata map[string]any      `toml:"app_metadata"`
	} `toml:"users"`
	Applications []struct {
		ClientID      string                  `toml:"client_id"`
		Name          string                  `toml:"name"`
		Secret        string                  `toml:"secret"`
		Callbacks     []string                `toml:"callbacks"` // none: five ports of 127.0.0.1, unless it has a secret
		LogoutURLs    []string                `toml:"logout_urls"`
		Organizations auth0.OrganizationUsage `toml:"organizations"` // "deny", "allow" or "require"
		RefreshLeeway lifetime                `toml:"refresh_leeway"`
		Grants        []struct {
			Audience      string                  `toml:"audience"`
			Scopes        []string                `toml:"scopes"`
			Organizations auth0.OrganizationUsage `toml:"organizations"`
		} `toml:"grants"` // what it may do in its own name
	} `toml:"applications"` // none: two native ones, and one for machines
	APIs []struct {
		Identifier    string   `toml:"identifier"`
		Scopes        []string `toml:"scopes"`
		TokenLifetime lifetime `toml:"token_lifetime"`
		RFC9068       bool     `toml:"rfc9068"`
		Algorithm     string   `toml:"algorithm"`
	} `toml:"apis"` // none: one
	// Action is a Post Login Action that sets claims on every access token of a
	// person's, MachineAction one of the credentials-exchange trigger, for machines'.
	Action                   *ActionSeed `toml:"action"`
	MachineAction            *ActionSeed `toml:"machine_action"`
	SkipCallbackConfirmation bool        `toml:"skip_callback_confirmation"`
}

// TursoSeed describes Turso's organizations and databases.
type TursoSeed struct {
	Users []struct {
		Name  string `toml:"name"`
		Email string `toml:"email"`
	} `toml:"users"`
	Organizations []OrganizationSeed `toml:"organizations"`
	// JWKSLimit limits the registrations that an organization may have; 0 means the 2 of
	// Turso's starter plan.
	JWKSLimit int `toml:"jwks_limit"`
}

// OrganizationSeed is an organization of Turso's.
type OrganizationSeed struct {
	Slug          string             `toml:"slug"`
	Name          string             `toml:"name"`
	Members       []string           `toml:"members"` // the first is the owner
	Databases     []DatabaseSeed     `toml:"databases"`
	Registrations []RegistrationSeed `toml:"registrations"`
}

// DatabaseSeed is a database and the SQL that is run in it once it was created.
type DatabaseSeed struct {
	Name    string `toml:"name"`
	SQL     string `toml:"sql"`
	SQLFile string `toml:"sql_file"` // instead of SQL; [LoadSeed] reads it
}

// RegistrationSeed is a key set whose tokens an organization's databases accept: that of
// a part of the stack, or another one.
type RegistrationSeed struct {
	Name   string `toml:"name"`
	Issuer string `toml:"issuer"` // "clerk" or "auth0"
	URL    string `toml:"url"`    // instead of Issuer
}

// lifetime is a duration that TOML has as text.
type lifetime time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *lifetime) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err == nil && d <= 0 {
		err = fmt.Errorf("lifetime %s: want more than nothing", text)
	}
	*l = lifetime(d)
	return err
}
