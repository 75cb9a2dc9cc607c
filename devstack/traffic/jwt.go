package traffic

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// JWT holds what may be shown of a JWT: everything except the signature and the secrets.
type JWT struct {
	Header  []Field
	Claims  []Field
	Expires time.Time // zero: never
}

// Field is a header parameter or claim, its value as JSON or as plain text.
type Field struct{ Name, Value string }

// Caller is the sender that a request claims, unverified.
type Caller struct {
	// Kind of credential: "" for none, or "JWT", "secret key", "basic" or "token".
	Kind    string
	KeyID   string
	Issuer  string
	Subject string
	Expires time.Time
}

var (
	jwtPattern = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`)
	keyPattern = regexp.MustCompile(`\b((?:sk|ak|oat|ort|mt)_)[A-Za-z0-9_]{6,}`)
	// secretName matches the name of a claim that is worth something by itself, such
	// as the rotating_token of Clerk's client JWT.
	secretName = regexp.MustCompile(`(?i)token|secret|password|ticket|code`)
)

// redact replaces usable secrets.
func redact(text string) string {
	if strings.Contains(text, "eyJ") {
		text = jwtPattern.ReplaceAllString(text, "eyJ…")
	}
	if strings.Contains(text, "_") {
		text = keyPattern.ReplaceAllString(text, "$1…")
	}
	return text
}

// parts decodes header and claims of a compact JWS (RFC 7515, 7.1).
func parts(raw string) (header, claims map[string]any, ok bool) {
	split := strings.Split(raw, ".")
	if len(split) != 3 {
		return nil, nil, false
	}
	for i, into := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(split[i])
		if err != nil {
			return nil, nil, false
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if decoder.Decode(into) != nil {
			return nil, nil, false
		}
	}
	return header, claims, true
}

// callers remembers who sent an Authorization header, by its hash: most requests
// come with the token of the one before.
type callers struct {
	mu    sync.Mutex // guards known
	known map[[sha256.Size]byte]Caller
}

// maxCallers bounds callers. It is emptied when it is full.
const maxCallers = 256

func (c *callers) of(authorization string) Caller {
	if authorization == "" {
		return Caller{}
	}
	key := sha256.Sum256([]byte(authorization))
	c.mu.Lock()
	defer c.mu.Unlock()
	who, ok := c.known[key]
	if !ok {
		if c.known == nil || len(c.known) >= maxCallers {
			c.known = make(map[[sha256.Size]byte]Caller)
		}
		who = caller(authorization)
		c.known[key] = who
	}
	return who
}

// caller reads the value of an Authorization header.
func caller(authorization string) Caller {
	scheme, value, _ := strings.Cut(authorization, " ")
	if value == "" { // Clerk's native clients send the bare token
		scheme, value = "Bearer", scheme
	}
	switch value = strings.TrimSpace(value); {
	case value == "":
		return Caller{}
	case strings.EqualFold(scheme, "basic"):
		return Caller{Kind: "basic"}
	case strings.HasPrefix(value, "sk_"):
		return Caller{Kind: "secret key"}
	}
	header, claims, ok := parts(value)
	if !ok {
		return Caller{Kind: "token"}
	}
	c := Caller{Kind: "JWT", Expires: expiry(claims)}
	c.KeyID, c.Issuer, c.Subject = short(header["kid"]), short(claims["iss"]), short(claims["sub"])
	return c
}

// short truncates foreign text.
func short(value any) string {
	text, _ := value.(string)
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:200]) + "…"
	}
	return redact(text)
}

func expiry(claims map[string]any) time.Time {
	number, _ := claims["exp"].(json.Number)
	seconds, err := number.Float64()
	if err != nil || seconds <= 0 || seconds > 1e11 { // the year 5138
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}

// inspect decodes a JWT for display.
func inspect(raw string) (JWT, bool) {
	header, claims, ok := parts(raw)
	if !ok {
		return JWT{}, false
	}
	return JWT{Header: fields(header), Claims: fields(claims), Expires: expiry(claims)}, true
}

// registered are the claims to show first (RFC 7519, 4.1).
var registered = []string{"iss", "sub", "aud", "iat", "nbf", "exp"}

func fields(members map[string]any) []Field {
	list := make([]Field, 0, len(members))
	for name, value := range members {
		list = append(list, Field{name, show(name, value)})
	}
	rank := func(name string) int {
		if i := slices.Index(registered, name); i >= 0 {
			return i
		}
		return len(registered)
	}
	slices.SortFunc(list, func(a, b Field) int {
		if d := rank(a.Name) - rank(b.Name); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list
}

func show(name string, value any) string {
	if secretName.MatchString(name) {
		return "…"
	}
	if number, ok := value.(json.Number); ok && slices.Contains([]string{"iat", "nbf", "exp"}, name) {
		if seconds, err := number.Float64(); err == nil && seconds < 1e11 {
			return fmt.Sprintf("%s (%s)", number, time.Unix(int64(seconds), 0).UTC().Format(time.RFC3339))
		}
	}
	if text, ok := value.(string); ok {
		return short(text)
	}
	encoded, err := json.Marshal(hide(value))
	if err != nil {
		return "…"
	}
	return short(string(encoded))
}

// hide replaces the secrets inside a claim.
func hide(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if secretName.MatchString(name) {
				v[name] = "…"
			} else {
				v[name] = hide(inner)
			}
		}
	case []any:
		for i := range v {
			v[i] = hide(v[i])
		}
	}
	return value
}
