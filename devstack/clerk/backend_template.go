package clerk

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"
)

// Bounds of a template's fields, in seconds.
const (
	minTemplateLifetime = 30
	maxTemplateLifetime = 315360000
	maxTemplateSkew     = 300
)

func templateView(t *template) object {
	return object{
		"object": "jwt_template", "id": t.id, "name": t.name, "claims": t.claims, "lifetime": int64(t.lifetime / time.Second),
		"allowed_clock_skew": int64(t.skew / time.Second), "custom_signing_key": t.signer != nil, "signing_algorithm": t.algorithm(),
		"created_at": ms(t.createdAt), "updated_at": ms(t.updatedAt),
	}
}

func (t *template) algorithm() string {
	if t.signer != nil {
		return t.signer.algorithm
	}
	return "RS256"
}

func listTemplates(inst *Instance, r *http.Request, _ params) (any, error) {
	templates := slices.SortedFunc(maps.Values(inst.templates), func(a, b *template) int { return cmp.Compare(a.name, b.name) })
	if r.URL.Query().Get("paginated") == "true" {
		return list(queryOf(r), templates, templateView)
	}
	views := []object{}
	for _, t := range templates {
		views = append(views, templateView(t))
	}
	return views, nil
}

func (inst *Instance) pathTemplate(r *http.Request) (*template, error) {
	for _, t := range inst.templates {
		if t.id == r.PathValue("id") {
			return t, nil
		}
	}
	return nil, errNotFound()
}

func readTemplate(inst *Instance, r *http.Request, _ params) (any, error) {
	t, err := inst.pathTemplate(r)
	if err != nil {
		return nil, err
	}
	return templateView(t), nil
}

func createTemplate(inst *Instance, _ *http.Request, body params) (any, error) {
	now := inst.now()
	return inst.saveTemplate(&template{id: newID("jtmp"), createdAt: now, lifetime: DefaultTokenLifetime, skew: DefaultClockSkew}, body)
}

func updateTemplate(inst *Instance, r *http.Request, body params) (any, error) {
	t, err := inst.pathTemplate(r)
	if err != nil {
		return nil, err
	}
	return inst.saveTemplate(t, body)
}

// saveTemplate puts what a body says into the place of a template.
func (inst *Instance) saveTemplate(old *template, body params) (any, error) {
	seconds, skew, custom := int64(old.lifetime/time.Second), int64(old.skew/time.Second), old.signer != nil
	name, algorithm, key := old.name, old.algorithm(), ""
	for _, err := range []error{
		body.only("name", "claims", "lifetime", "allowed_clock_skew", "custom_signing_key", "signing_algorithm", "signing_key"),
		body.into("name", &name), body.into("lifetime", &seconds), body.into("allowed_clock_skew", &skew), body.into("custom_signing_key", &custom),
		body.into("signing_algorithm", &algorithm), body.into("signing_key", &key),
	} {
		if err != nil {
			return nil, err
		}
	}
	switch taken := inst.templates[name]; {
	case name == "":
		return nil, errParamMissing("name")
	case taken != nil && taken.id != old.id:
		return nil, errIdentifierExists("name", "A JWT template with this name exists already.")
	case seconds < minTemplateLifetime || seconds > maxTemplateLifetime:
		return nil, errParamInvalid("lifetime")
	case skew < 0 || skew > maxTemplateSkew:
		return nil, errParamInvalid("allowed_clock_skew")
	}
	next := *old
	switch {
	case !custom:
		next.signer = nil
	case key != "" || next.signer == nil || algorithm != next.signer.algorithm:
		var err error
		if next.signer, err = newCustomSigner(algorithm, key); err != nil {
			return nil, errParamInvalid("signing_key")
		}
	}
	next.name, next.lifetime, next.skew, next.updatedAt = name, time.Duration(seconds)*time.Second, time.Duration(skew)*time.Second, inst.now()
	if raw, ok := body["claims"]; ok {
		claims, err := checkClaims(raw)
		if reserved, ok := errors.AsType[*reservedClaimError](err); ok {
			return nil, errReservedClaim(reserved.name)
		}
		if err != nil {
			return nil, errParamInvalid("claims")
		}
		next.claims = claims
	}
	if next.claims == nil {
		return nil, errParamMissing("claims")
	}
	if _, err := templateName(name); err != nil {
		return nil, errParamInvalid("name")
	}
	delete(inst.templates, old.name)
	inst.templates[name] = &next
	return templateView(&next), nil
}

func deleteTemplate(inst *Instance, r *http.Request, _ params) (any, error) {
	t, err := inst.pathTemplate(r)
	if err != nil {
		return nil, err
	}
	delete(inst.templates, t.name)
	return object{"object": "jwt_template", "id": t.id, "deleted": true}, nil
}
