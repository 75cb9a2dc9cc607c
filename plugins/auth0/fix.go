package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/zen-auth/zen/core/oauth"
	"github.com/zen-auth/zen/core/provider"
)

// The ids of fixes. Those of Actions are their triggers.
const (
	fixCallbacks   = "callbacks"
	fixGrants      = "grants"
	fixClientGrant = "client-grant"
)

// keyManagementToken is the only question of every fix.
const keyManagementToken = "management_token"

func managementFix(id, text string) *provider.Fix {
	return &provider.Fix{ID: id, Text: text, Questions: []provider.Question{{
		Key: keyManagementToken, Text: "Token of the tenant's Management API (Auth0 dashboard, APIs, Auth0 Management API, API Explorer)",
		Env: []string{"AUTH0_API_TOKEN"},
	}}}
}

// Fix implements provider.Fixer.
func (p *auth0Provider) Fix(ctx context.Context, req provider.FixRequest, report func(provider.Progress) error) (*provider.Credential, error) {
	if err := p.configured(); err != nil {
		return nil, err
	}
	fixes := map[string]func(context.Context, *management, provider.FixRequest) (string, error){
		fixCallbacks: p.allowCallbacks, fixGrants: p.allowGrants, fixClientGrant: p.authorizeMachine,
		triggerPeople: p.deploy(peopleAction), triggerMachines: p.deploy(machineAction),
	}
	fix, ok := fixes[req.ID]
	if !ok {
		return nil, &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("auth0: there is no fix %.40q", req.ID)}
	}
	m, err := p.newManagement(req.Answers[keyManagementToken])
	if err != nil {
		return nil, err
	}
	if err := report(provider.Progress{Text: "asking the Management API of " + p.settings.domain()}); err != nil {
		return nil, err
	}
	done, err := fix(ctx, m, req)
	if err != nil {
		return nil, err
	}
	return nil, report(provider.Progress{Text: done, Done: true})
}

// allowCallbacks adds the missing addresses, and keeps the others.
func (p *auth0Provider) allowCallbacks(ctx context.Context, m *management, _ provider.FixRequest) (string, error) {
	path := "clients/" + escape(p.settings.clientID)
	var application struct {
		Callbacks []string `json:"callbacks"`
	}
	if err := m.call(ctx, http.MethodGet, path+"?fields=callbacks", nil, &application); err != nil {
		return "", err
	}
	all := union(application.Callbacks, oauth.CallbackURLs(p.settings.ports))
	if len(all) == len(application.Callbacks) {
		return "the callbacks were there already", nil
	}
	return "the application allows the callbacks", m.call(ctx, http.MethodPatch, path, map[string]any{"callbacks": all}, nil)
}

func (p *auth0Provider) allowGrants(ctx context.Context, m *management, _ provider.FixRequest) (string, error) {
	path := "clients/" + escape(p.settings.clientID)
	var application struct {
		Grants []string `json:"grant_types"`
	}
	if err := m.call(ctx, http.MethodGet, path+"?fields=grant_types", nil, &application); err != nil {
		return "", err
	}
	all := union(application.Grants, []string{"authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"})
	if len(all) == len(application.Grants) {
		return "the grants were there already", nil
	}
	return "the application has the grants", m.call(ctx, http.MethodPatch, path, map[string]any{"grant_types": all}, nil)
}

// union returns a with the elements of b that it lacks.
func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, text := range b {
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

func (p *auth0Provider) authorizeMachine(ctx context.Context, m *management, _ provider.FixRequest) (string, error) {
	scopes := []string{}
	if p.settings.writeScope != "" {
		scopes = append(scopes, p.settings.writeScope)
	}
	err := m.call(ctx, http.MethodPost, "client-grants", map[string]any{
		"client_id": p.machines.ID, "audience": p.settings.audience, "scope": scopes,
	}, nil)
	return "the application for machines is authorized for the API", err
}

// deployed is an Action as the Management API has it.
type deployed struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"`
	Errors []struct {
		Message string `json:"msg"`
	} `json:"errors"` // of a failed build
}

// deploy creates the Action or updates its code, deploys it, and puts it at the end of
// its trigger's flow.
func (p *auth0Provider) deploy(a action) func(context.Context, *management, provider.FixRequest) (string, error) {
	return func(ctx context.Context, m *management, req provider.FixRequest) (string, error) {
		if req.Template == "" || p.settings.writeScope != "" && req.ReadOnlyTemplate == "" {
			return "", setup("Turso was not asked for the claims that the Action has to add", "sign in to Turso, too, or run zen provider setup auth0")
		}
		id, err := m.put(ctx, a, a.code(p.settings, req.Purpose))
		if err != nil {
			return "", err
		}
		if err := m.waitBuilt(ctx, id); err != nil {
			return "", err
		}
		if err := m.call(ctx, http.MethodPost, "actions/actions/"+escape(id)+"/deploy", nil, nil); err != nil {
			return "", err
		}
		return fmt.Sprintf("the Action %s is deployed, and in the flow of the trigger %s", a.name, a.trigger), m.bind(ctx, a, id)
	}
}

// put creates the Action of that name, or changes it, and returns its id.
func (m *management) put(ctx context.Context, a action, code string) (id string, err error) {
	var found struct {
		Actions []deployed `json:"actions"`
	}
	if err := m.call(ctx, http.MethodGet, "actions/actions?actionName="+escape(a.name), nil, &found); err != nil {
		return "", err
	}
	for _, other := range found.Actions {
		if other.Name == a.name {
			return other.ID, m.call(ctx, http.MethodPatch, "actions/actions/"+escape(other.ID), map[string]any{"code": code}, nil)
		}
	}
	version := map[string]string{triggerPeople: "v3", triggerMachines: "v2"}[a.trigger]
	var made deployed
	err = m.call(ctx, http.MethodPost, "actions/actions", map[string]any{
		"name": a.name, "code": code, "supported_triggers": []any{map[string]any{"id": a.trigger, "version": version}},
	}, &made)
	return made.ID, err
}

// waitBuilt waits until the Action can be deployed.
func (m *management) waitBuilt(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		var a deployed
		if err := m.call(ctx, http.MethodGet, "actions/actions/"+escape(id), nil, &a); err != nil {
			return err
		}
		switch a.Status {
		case "built":
			return nil
		case "failed":
			message := "auth0: Auth0 could not build the Action"
			if len(a.Errors) > 0 {
				message += ": " + oauth.Harmless(a.Errors[0].Message)
			}
			return &provider.Error{Kind: provider.ErrRejected, Message: message, Hint: "look at it in the Auth0 dashboard: Actions, Library"}
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return &provider.Error{Kind: provider.ErrUnavailable, Message: "auth0: Auth0 did not build the Action in time", Err: context.Cause(ctx)}
		}
	}
}

// bind appends an Action to a flow, unless it is already there. The request replaces the
// whole flow, so it includes the other Actions.
func (m *management) bind(ctx context.Context, a action, id string) error {
	path := "actions/triggers/" + a.trigger + "/bindings"
	var flow struct {
		Bindings []struct {
			ID          string   `json:"id"`
			DisplayName string   `json:"display_name"`
			Action      deployed `json:"action"`
		} `json:"bindings"`
	}
	if err := m.call(ctx, http.MethodGet, path+"?per_page=50", nil, &flow); err != nil {
		return err
	}
	var bindings []any
	for _, b := range flow.Bindings {
		if b.Action.ID == id {
			return nil
		}
		bindings = append(bindings, binding("binding_id", b.ID, b.DisplayName))
	}
	bindings = append(bindings, binding("action_id", id, a.name))
	return m.call(ctx, http.MethodPatch, path, map[string]any{"bindings": bindings}, nil)
}

func binding(kind, value, name string) any {
	return map[string]any{"ref": map[string]any{"type": kind, "value": value}, "display_name": name}
}
