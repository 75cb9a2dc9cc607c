package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"github.com/zen-auth/zen/core/provider"
)

// BrowserSession is where a browser's own session at an issuer is ended, which lives on
// when a credential is revoked.
type BrowserSession struct {
	Provider string
	// URL is the page that ends it; "" where Err says why there is none, which is
	// errors.ErrUnsupported where the issuer has no such thing.
	URL string
	Err error
}

// BrowserSessions are those of the provider in use, or with all those of every provider
// that the profile is signed in with. It is asked before Logout, which forgets them.
func (s *Session) BrowserSessions(ctx context.Context, all bool) ([]BrowserSession, error) {
	record, err := s.config.Store.LoadContext(ctx, s.config.Name)
	if err != nil {
		return nil, err
	}
	inUse, _ := s.config.Profile.Providers(record)
	var sessions []BrowserSession
	for _, name := range slices.Sorted(maps.Keys(record.Accounts)) {
		if !all && name != inUse {
			continue
		}
		page, err := s.endSessionURL(ctx, name, record.Accounts[name].Credential)
		sessions = append(sessions, BrowserSession{name, page, err})
	}
	return sessions, nil
}

func (s *Session) endSessionURL(ctx context.Context, name string, credential provider.Credential) (string, error) {
	identity, err := s.config.Providers.Identity(ctx, name)
	if err != nil {
		return "", err
	}
	browser, ok := identity.(provider.BrowserSession)
	if !ok {
		return "", errors.ErrUnsupported
	}
	page, err := browser.EndSessionURL(ctx, credential)
	if err != nil {
		return "", err
	}
	if u, err := url.Parse(page); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", fmt.Errorf("provider %s: the page that ends the browser's session is %w", name, provider.ErrTokenInvalid)
	}
	return page, nil
}
