package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// tokenLifetime is the token lifetime that the setup gives the API: Turso can't revoke a
// single token.
const tokenLifetime = 3600

// Setup implements provider.SetupGuide.
func (p *auth0Provider) Setup(_ context.Context, req provider.SetupRequest) (provider.Setup, error) {
	if err := p.configured(); err != nil {
		return provider.Setup{}, err
	}
	switch req.Topic {
	case "":
	case topicTeam:
		return p.teamSetup(), nil
	default:
		return provider.Setup{}, &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("auth0: there is no setup of %.40q", req.Topic)}
	}
	s := p.settings
	addresses := "- `" + strings.Join(oauth.CallbackURLs(s.ports), "`\n- `") + "`"
	writeScope := ""
	if s.writeScope != "" {
		writeScope = fmt.Sprintf("\n- Permissions: add `%s`", s.writeScope)
	}
	const dashboard = "https://manage.auth0.com/dashboard"
	return provider.Setup{
		Issuer:    &provider.Verification{Issuer: s.issuer(), KeySetURL: s.keySetURL(), Algorithms: algorithms},
		Endpoints: []string{s.base},
		Steps: []provider.SetupStep{
			{
				Title: "Make the API whose access tokens are for databases", URL: dashboard + "/#/apis",
				Text: fmt.Sprintf("- Identifier: `%s`\n- Signing algorithm: RS256\n- Token expiration: %d seconds (nothing takes a token back at Turso)\n- Allow Offline Access: on\n- Token dialect: `%s`; no sender constraining%s",
					s.audience, tokenLifetime, s.dialect, writeScope),
			},
			{
				Title: "Make the native application for terminals", URL: dashboard + "/#/applications",
				Text: fmt.Sprintf("- Type: Native; token endpoint authentication method: None\n- Grant types: Authorization Code, Refresh Token, Device Code (not where it has organizations)\n- Refresh token rotation: on\n- Allowed Callback URLs, each to the letter, as Auth0 compares ports, too:\n%s\n\nPut its client id into `client_id`.", addresses),
			},
			{
				Title: "Have people's tokens carry Turso's claims", URL: dashboard + "/#/actions/library",
				Text: fmt.Sprintf("Make an Action of the trigger Login / Post Login from `%s`, deploy it, and put it into the flow of that trigger.", peopleAction.path),
			},
			{
				Title: "For machines: make an application, and have its tokens carry the claims", URL: dashboard + "/#/applications",
				Text: fmt.Sprintf("- Type: Machine to Machine, authorized for the API `%s`. Put its client id into `machine_client_id`, and its secret into ZEN_AUTH0__CLIENT_SECRET.\n- Make an Action of the trigger Machine to Machine (%s) from `%s`, deploy it, and put it into the flow: the one above never sees a machine.",
					s.audience, triggerMachines, machineAction.path),
			},
		},
		Topics: []provider.SetupTopic{{Name: topicTeam, Doc: "what zen team needs: the My Organization API"}},
		Files: []provider.SetupFile{
			{Path: "auth0-setup.sh", Doc: "does all of it with the auth0 CLI (auth0 login first) and jq", Text: p.script(), Program: true},
			{Path: peopleAction.path, Doc: "the Action for people", Text: peopleAction.code(s, req.Purpose)},
			{Path: machineAction.path, Doc: "the Action for machines", Text: machineAction.code(s, req.Purpose)},
		},
	}, nil
}

const topicTeam = "team"

// teamSetup describes what people need to manage an organization with their own rights.
func (p *auth0Provider) teamSetup() provider.Setup {
	s := p.settings
	policies := map[string]any{"policies": []any{map[string]any{"audience": s.base + myOrgAudience, "scope": myOrgScopes}}}
	maps.Copy(policies, rotating["refresh_token"].(map[string]any))
	body, _ := json.Marshal(map[string]any{"refresh_token": policies}) // strings, numbers and lists
	const dashboard = "https://manage.auth0.com/dashboard"
	scopes := "- `" + strings.Join(myOrgScopes, "`\n- `") + "`"
	return provider.Setup{
		Steps: []provider.SetupStep{
			{
				Title: "Activate the My Organization API (early access), and let the application use it for people", URL: dashboard + "/#/apis",
				Text: "In its Application Access, authorize user access for the native application with these permissions:\n" + scopes,
			},
			{
				Title: "Let the sign-in's refresh token get its tokens (multi-resource refresh tokens)", URL: dashboard + "/#/applications",
				Text: fmt.Sprintf("auth0 api patch clients/%s --data %s", quote(s.clientID), quote(string(body))),
			},
			{
				Title: "Give those who manage an organization a role in it that has these permissions", URL: dashboard + "/#/organizations",
				Text: "A member without such a role may do none of this. Make the roles visible to the organization, so that they can be given.",
			},
		},
	}
}

// script sets the tenant up with the auth0 CLI. Existing things stay: an API or an Action
// of the same name is left unchanged, and other Actions stay in their flows.
func (p *auth0Provider) script() string {
	s := p.settings
	scopes := ""
	if s.writeScope != "" {
		scopes = " --scopes " + quote(s.writeScope)
	}
	rotation, _ := json.Marshal(rotating)
	return fmt.Sprintf(`#!/bin/sh
# Sets the tenant %[1]s up for zen. It needs the auth0 CLI, signed in to that
# tenant (auth0 login), and jq. What is there already stays as it is.
set -eu
cd "$(dirname "$0")"
audience=%[2]s

auth0 apis show "$audience" --json --no-input >/dev/null 2>&1 ||
  auth0 apis create --no-input --name "zen databases" --identifier "$audience" --signing-alg RS256 \
    --token-lifetime %[3]d --offline-access=true --token-dialect %[4]s%[5]s >/dev/null

client=%[6]s
if [ -z "$client" ]; then
  client=$(auth0 apps create --no-input --json --name zen --type native --auth-method None \
    --grants code,refresh-token,device-code --callbacks %[7]s | jq -r .client_id)
else
  auth0 apps update "$client" --no-input --callbacks %[7]s >/dev/null
fi
auth0 api patch "clients/$client" --no-input --data '%[8]s' >/dev/null

# add NAME TRIGGER FILE makes an Action, deploys it once it is built, and puts it at the
# end of its trigger's flow.
add() {
  if auth0 api get actions/actions --query "actionName=$1" --no-input | jq -e '.actions | length > 0' >/dev/null; then
    echo "there is an Action $1 already: compare it with $3" >&2
    return
  fi
  id=$(auth0 actions create --no-input --json --name "$1" --trigger "$2" --code "$(cat "$3")" | jq -r .id)
  [ -n "$id" ] || { echo "the Action $1 was not made" >&2; exit 1; }
  until status=$(auth0 api get "actions/actions/$id" --no-input | jq -r .status); [ "$status" = built ]; do
    case $status in pending | building | packaged | retrying) sleep 1 ;; *) echo "the Action $1 doesn't build: ${status:-no answer}" >&2; exit 1 ;; esac
  done
  auth0 actions deploy "$id" --no-input >/dev/null
  auth0 api get "actions/triggers/$2/bindings" --no-input |
    jq --arg id "$id" --arg name "$1" '{bindings: ([.bindings[] | {ref: {type: "binding_id", value: .id}, display_name}]
      + [{ref: {type: "action_id", value: $id}, display_name: $name}])}' |
    auth0 api patch "actions/triggers/$2/bindings" --no-input >/dev/null
}
add %[9]s %[10]s %[11]s
add %[12]s %[13]s %[14]s

echo "zen config set providers.auth0.client_id $client"
`, s.domain(), quote(s.audience), tokenLifetime, s.dialect, scopes, quote(s.clientID),
		quote(strings.Join(oauth.CallbackURLs(s.ports), ",")), rotation,
		peopleAction.name, peopleAction.trigger, peopleAction.path, machineAction.name, machineAction.trigger, machineAction.path)
}

// rotating makes refresh tokens rotate and expire: each can be used once.
var rotating = map[string]any{"refresh_token": map[string]any{
	"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 0, "token_lifetime": 2592000, "idle_token_lifetime": 1296000,
}}

// quote quotes a word for a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
