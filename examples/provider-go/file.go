package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// maxFile is far larger than a file with tokens for several databases.
const maxFile = 1 << 20

// read reads the file each time, because the program that writes the tokens replaces
// them.
func (p *tokenFile) read() (map[string]map[provider.Access]string, error) {
	wrong := func(text, hint string) error {
		return &provider.Error{Kind: provider.ErrConfig, Message: "tokenfile: " + text, Hint: hint}
	}
	if p.path == "" {
		return nil, wrong("not configured", "set path")
	}
	file, err := os.Open(p.path)
	if err != nil {
		return nil, wrong(fmt.Sprintf("the file can't be opened: %v", err), "")
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil || !info.Mode().IsRegular():
		return nil, wrong(p.path+" is not a file", "")
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return nil, wrong(p.path+" can be read by others", "chmod 600 "+p.path)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return nil, &provider.Error{Kind: provider.ErrUnavailable, Message: fmt.Sprintf("tokenfile: read %s: %v", p.path, err)}
	}
	var databases map[string]map[provider.Access]string
	if json.Unmarshal(data, &databases) != nil { // its error may quote a token
		return nil, wrong(p.path+" is not JSON of databases and their tokens", "")
	}
	return databases, nil
}

// find returns the token for a database. One for rw is never returned for ro.
func (p *tokenFile) find(target provider.Target, access provider.Access, permissions []provider.Permission) (provider.Token, error) {
	databases, err := p.read()
	if err != nil {
		return provider.Token{}, err
	}
	if access == "" {
		access = provider.AccessReadWrite
	}
	if len(permissions) > 0 {
		return provider.Token{}, &provider.Error{Kind: provider.ErrPermission, Message: "tokenfile: a token in a file can't be narrowed to permissions"}
	}
	value := databases[target.URL][access]
	if value == "" {
		return provider.Token{}, &provider.Error{
			Kind:    provider.ErrNoCredential,
			Message: fmt.Sprintf("tokenfile: %s has no %s token for %s", p.path, access, target.URL),
		}
	}
	token := provider.Token{Value: provider.NewSecret(value), Expires: expiry(value)}
	if err := token.ValidateValue(); err != nil {
		return provider.Token{}, fmt.Errorf("tokenfile: %w", err)
	}
	if !token.Expires.IsZero() && time.Now().After(token.Expires) {
		return provider.Token{}, &provider.Error{
			Kind:    provider.ErrTokenExpired,
			Message: fmt.Sprintf("tokenfile: the token for %s expired at %s", target.URL, token.Expires.UTC().Format(time.RFC3339)),
		}
	}
	return token, nil
}

// expiry reads the claim exp of a JWT, unverified, so that zen knows when to ask again.
// Zero means a token that never expires, or one that isn't a JWT.
func expiry(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	var claims struct {
		Expires int64 `json:"exp"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Expires == 0 {
		return time.Time{}
	}
	return time.Unix(claims.Expires, 0)
}
