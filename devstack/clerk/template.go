package clerk

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// template is a parsed JWT template.
type template struct {
	id        string
	name      string
	claims    map[string]any
	lifetime  time.Duration
	skew      time.Duration
	createdAt time.Time
	updatedAt time.Time
	signer    *customSigner // nil: the instance's key
}

// customSigner signs a template's tokens in place of the instance. Their header has no kid
// that a key set knows.
type customSigner struct {
	algorithm, text string
	key             any
}

func newCustomSigner(algorithm, text string) (*customSigner, error) {
	switch algorithm {
	case "HS256":
		if text == "" {
			return nil, errors.New("want a signing key")
		}
		return &customSigner{algorithm, text, []byte(text)}, nil
	case "RS256":
		key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(text))
		return &customSigner{algorithm, text, key}, err
	}
	return nil, fmt.Errorf("signing algorithm %q: want HS256 or RS256", algorithm)
}

func (s *customSigner) sign(claims map[string]any) (string, error) {
	return jwt.NewWithClaims(jwt.GetSigningMethod(s.algorithm), jwt.MapClaims(claims)).SignedString(s.key)
}

// reservedClaims cannot be set by a template: Clerk adds the first seven itself
// and keeps the rest for session tokens.
var reservedClaims = []string{"azp", "exp", "iat", "iss", "jti", "nbf", "sub", "sid", "v", "pla", "fea"}

// reservedClaimError is the use of a claim that is not the template's to set.
type reservedClaimError struct{ name string }

func (e *reservedClaimError) Error() string {
	return fmt.Sprintf("you can't use the reserved claim %q", e.name)
}

func parseTemplate(t Template, now time.Time) (*template, error) {
	name, err := templateName(t.Name)
	if err != nil {
		return nil, err
	}
	claims, err := checkClaims(t.Claims)
	if err != nil {
		return nil, fmt.Errorf("clerk: template %q: claims: %w", t.Name, err)
	}
	parsed := &template{id: newID("jtmp"), name: name, claims: claims, lifetime: t.Lifetime, skew: t.ClockSkew, createdAt: now, updatedAt: now}
	if t.SigningAlgorithm != "" {
		if parsed.signer, err = newCustomSigner(t.SigningAlgorithm, t.SigningKey); err != nil {
			return nil, fmt.Errorf("clerk: template %q: %w", t.Name, err)
		}
	}
	parsed.lifetime = cmp.Or(parsed.lifetime, DefaultTokenLifetime)
	parsed.skew = cmp.Or(parsed.skew, DefaultClockSkew)
	return parsed, nil
}

func templateName(name string) (string, error) {
	if name == "" || strings.ContainsAny(name, "/?#") {
		return "", fmt.Errorf("clerk: template name %q: want a word that fits in a path", name)
	}
	return name, nil
}

func checkClaims(raw json.RawMessage) (map[string]any, error) {
	claims, err := decodeObject(raw)
	if err != nil {
		return nil, err
	}
	for _, name := range reservedClaims {
		if _, ok := claims[name]; ok {
			return nil, &reservedClaimError{name}
		}
	}
	return claims, nil
}

// decodeObject decodes one JSON object and keeps its numbers as written.
func decodeObject(raw json.RawMessage) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var out map[string]any
	if err := dec.Decode(&out); err != nil {
		return nil, fmt.Errorf("want a JSON object: %w", err)
	}
	if _, err := dec.Token(); out == nil || err != io.EOF {
		return nil, errors.New("want one JSON object")
	}
	return out, nil
}

// scope holds what shortcodes can name for a session: user, org and session.
func (inst *Instance) scope(s *session) map[string]any {
	u := s.user
	scope := map[string]any{
		"user": map[string]any{
			"id":                    u.ID,
			"first_name":            nullable(u.FirstName),
			"last_name":             nullable(u.LastName),
			"full_name":             nullable(u.fullName()),
			"primary_email_address": u.Email,
			"email_verified":        true,
			"primary_phone_address": nil,
			"phone_number_verified": false,
			"image_url":             nil,
			"public_metadata":       u.PublicMetadata,
			"unsafe_metadata":       u.UnsafeMetadata,
			"created_at":            u.createdAt.Unix(),
			"external_id":           nil,
		},
		"session": map[string]any{"actor": nil},
	}
	if m := inst.activeMembership(s); m != nil {
		scope["org"] = map[string]any{
			"id":              m.organization.ID,
			"name":            m.organization.Name,
			"slug":            m.organization.Slug,
			"role":            m.Role,
			"image_url":       nil,
			"has_image":       false,
			"public_metadata": m.organization.PublicMetadata,
		}
		scope["org_membership"] = map[string]any{
			"permissions":     slices.Clone(m.Permissions),
			"public_metadata": map[string]any{},
		}
	}
	return scope
}
