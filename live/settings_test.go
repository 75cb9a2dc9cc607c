package live

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/zen-auth/zen/core/clerk"
)

// settings are the settings of a run, from the environment.
type settings struct {
	tursoURL, tursoToken, organization, group    string
	database, databaseAgain                      string
	clerkURL, secretKey, publishableKey          string
	production, testToken, machineSecret, device string
	auth0, auth0Machine, auth0Secret, audience   string
	rfc9068, nativeID, ports                     string
	person, dryRun, journal, transcript          string
}

// variable is an environment variable. The first name that is set counts.
type variable struct {
	names []string
	field func(*settings) *string
	// need is the name by which questions require it, or "" if none does.
	need string
	// how describes where to find its value.
	how string
}

const prefix = "zen-live-"

// variables are all variables that a run reads.
var variables = []variable{
	{[]string{"TURSO_API_TOKEN"}, func(s *settings) *string { return &s.tursoToken }, "turso", "a Turso API token that may make and delete databases and registrations: turso auth api-tokens mint zen-live"},
	{[]string{"TURSO_API_BASEURL"}, func(s *settings) *string { return &s.tursoURL }, "", "the Platform API, if it isn't https://api.turso.tech"},
	{[]string{"ZEN_PLATFORMTOKEN__ORGANIZATION", "TURSO_ORGANIZATION"}, func(s *settings) *string { return &s.organization }, "", "the slug of the Turso organization, from turso org list; none is the personal one"},
	{[]string{"ZEN_LIVE_GROUP"}, func(s *settings) *string { return &s.group }, "", "the group for the database; none is the organization's first"},
	{[]string{"ZEN_LIVE_DATABASE"}, func(s *settings) *string { return &s.database }, "", "the name of a database to use in place of a new one; it has to be confirmed"},
	{[]string{"ZEN_LIVE_DATABASE_CONFIRM"}, func(s *settings) *string { return &s.databaseAgain }, "", "the same name once more"},
	{[]string{"ZENITH_CLERK__SECRET_KEY", "ZEN_APIKEY__SECRET_KEY", "CLERK_SECRET_KEY"}, func(s *settings) *string { return &s.secretKey }, "clerk", "the secret key (sk_test_...) of a development instance: API keys page of the Clerk dashboard"},
	{[]string{"ZEN_CLERK__PUBLISHABLE_KEY", "CLERK_PUBLISHABLE_KEY"}, func(s *settings) *string { return &s.publishableKey }, "clerk", "the publishable key (pk_test_...) of the same instance, from the same page"},
	{[]string{"CLERK_API_URL"}, func(s *settings) *string { return &s.clerkURL }, "", "the Backend API, if it isn't https://api.clerk.com"},
	{[]string{"ZEN_LIVE_PRODUCTION_CONFIRM"}, func(s *settings) *string { return &s.production }, "", "the host of the Frontend API, where the keys are those of a production instance all the same"},
	{[]string{"ZENITH_AUTH__TEST_TOKEN"}, func(s *settings) *string { return &s.testToken }, "", "a token of the instance to verify in A2; none has one made"},
	{[]string{"ZEN_LIVE_CLERK_MACHINE_SECRET"}, func(s *settings) *string { return &s.machineSecret }, "machine", "the secret key (ak_...) of a machine of the Clerk instance: Machines page of the dashboard"},
	{[]string{"ZEN_CLERK__OAUTH_CLIENT_ID"}, func(s *settings) *string { return &s.device }, "device", "the client id of a public OAuth application of the instance with the device grant, which Clerk's support enables"},
	{[]string{"ZEN_AUTH0__DOMAIN"}, func(s *settings) *string { return &s.auth0 }, "auth0", "the domain of an Auth0 tenant for development: Settings of the application"},
	{[]string{"ZEN_AUTH0__AUDIENCE"}, func(s *settings) *string { return &s.audience }, "auth0", "the identifier of an API of the tenant, which the machine application is authorized for"},
	{[]string{"ZEN_AUTH0__MACHINE_CLIENT_ID"}, func(s *settings) *string { return &s.auth0Machine }, "auth0", "the client id of a machine to machine application, with the Action of docs/live.md"},
	{[]string{"ZEN_AUTH0__CLIENT_SECRET"}, func(s *settings) *string { return &s.auth0Secret }, "auth0", "its client secret"},
	{[]string{"ZEN_LIVE_AUTH0_RFC9068_AUDIENCE"}, func(s *settings) *string { return &s.rfc9068 }, "rfc9068", "the identifier of a second API whose token dialect is rfc9068_profile"},
	{[]string{"ZEN_AUTH0__CLIENT_ID"}, func(s *settings) *string { return &s.nativeID }, "auth0 person", "the client id of a native application with the callback URLs of docs/auth0.md"},
	{[]string{"ZEN_AUTH0__PORTS"}, func(s *settings) *string { return &s.ports }, "", "the ports of those callback URLs, if they aren't 53682 to 53686"},
	{[]string{"ZEN_LIVE_PERSON"}, func(s *settings) *string { return &s.person }, "person", "1 where somebody is at a browser to sign in when a page opens"},
	{[]string{"ZEN_LIVE_DRY_RUN"}, func(s *settings) *string { return &s.dryRun }, "", "1 prints the requests and sends none"},
	{[]string{"ZEN_LIVE_JOURNAL"}, func(s *settings) *string { return &s.journal }, "", "the file that remembers what was made"},
	{[]string{"ZEN_LIVE_TRANSCRIPT"}, func(s *settings) *string { return &s.transcript }, "", "the file for the transcript"},
}

// readSettings reads the environment.
func readSettings(getenv func(string) string) (s settings) {
	for _, v := range variables {
		for _, name := range v.names {
			if value := getenv(name); value != "" && *v.field(&s) == "" {
				*v.field(&s) = value
			}
		}
	}
	if dir, err := os.UserCacheDir(); err == nil && s.journal == "" {
		s.journal = filepath.Join(dir, "zen", "live-journal")
	}
	s.ports = cmp.Or(s.ports, "53682,53683,53684,53685,53686")
	s.transcript = cmp.Or(s.transcript, "live-transcript.md")
	return s
}

// check refuses a production instance and an existing database that aren't confirmed.
func (s settings) check() error {
	if s.database != s.databaseAgain {
		return fmt.Errorf("ZEN_LIVE_DATABASE: %q was not made by this program, which writes to it: set ZEN_LIVE_DATABASE_CONFIRM to the same name, if that is meant", s.database)
	}
	if s.secretKey != "" && clerk.KindOfKey(s.secretKey) != clerk.KeySecret {
		return errors.New("ZENITH_CLERK__SECRET_KEY is no secret key (sk_test_...)")
	}
	if s.publishableKey == "" {
		if strings.HasPrefix(s.secretKey, "sk_live_") {
			return errors.New("ZENITH_CLERK__SECRET_KEY is that of a production instance (sk_live_...): make a development instance in the Clerk dashboard, and take its keys (sk_test_..., pk_test_...)")
		}
		return nil
	}
	instance, err := clerk.ParseKey(s.publishableKey)
	if err != nil {
		return err
	}
	if (instance.Production || strings.HasPrefix(s.secretKey, "sk_live_")) && s.production != instance.Host {
		return errors.New("the Clerk keys are those of a production instance (pk_live_..., sk_live_...): take those of a development instance, or set ZEN_LIVE_PRODUCTION_CONFIRM to the host of its Frontend API, if that is meant")
	}
	return nil
}

// lacks returns, for each unmet need, how it is met.
func (s settings) lacks() map[string]string {
	missing := map[string]string{}
	for _, v := range variables {
		if v.need != "" && *v.field(&s) == "" {
			missing[v.need] = strings.TrimPrefix(missing[v.need]+"; set "+v.names[0]+" to "+v.how, "; ")
		}
	}
	return missing
}

// hide makes the redactor remove the secrets and names in the settings.
func (s settings) hide(r *redactor) {
	for _, v := range []string{s.tursoToken, s.secretKey, s.publishableKey, s.machineSecret, s.auth0Secret, s.device, s.auth0Machine, s.nativeID} {
		r.secret(v)
	}
	for name, placeholder := range map[string]string{
		s.organization: "organization", s.auth0: "Auth0 domain", s.audience: "audience", s.rfc9068: "second audience", s.database: "database",
	} {
		r.name(name, placeholder)
	}
}
