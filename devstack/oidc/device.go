package oidc

import (
	"net/http"
	"net/url"
	"time"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/portal"
	"github.com/zen-auth/zen/devstack/random"
)

const (
	deviceLifetime = 10 * time.Minute
	pollInterval   = 5 * time.Second
)

// device is a device that waits for a person.
type device struct {
	code, userCode string
	expireAt       time.Time
	polledAt       time.Time
	interval       time.Duration
	grant          *grant
	answered       bool
	allowed        bool
}

func (i *Issuer) createDevice(c *Client, form url.Values) (object, error) {
	if i.fault(FaultDeviceOff) {
		return nil, errOAuth(400, "unauthorized_client", "The client may not use the device grant")
	}
	d := &device{
		code: random.String(43), userCode: random.UserCode(), expireAt: i.now().Add(deviceLifetime), interval: pollInterval,
		grant: &grant{client: c, scopes: scopesOf(form.Get("scope")), nonce: form.Get("nonce")},
	}
	i.devices[d.code] = d
	page := i.opts.BaseURL + devicePath
	return object{
		"device_code": d.code, "user_code": d.userCode, "verification_uri": page, "verification_uri_complete": page + "?user_code=" + d.userCode,
		"expires_in": int64(deviceLifetime / time.Second), "interval": int64(pollInterval / time.Second),
	}, nil
}

// pollDevice answers as RFC 8628, section 3.5, has it: slow_down makes the interval
// longer for good.
func (i *Issuer) pollDevice(c *Client, form url.Values) (object, error) {
	d := i.devices[form.Get("device_code")]
	if d == nil || d.grant.client != c {
		return nil, errInvalidGrant("The device code is unknown")
	}
	now := i.now()
	tooFast := !d.polledAt.IsZero() && now.Sub(d.polledAt) < d.interval
	d.polledAt = now
	switch {
	case !now.Before(d.expireAt):
		return nil, errOAuth(400, "expired_token", "The device code has expired")
	case i.fault(FaultSlowDown), !d.answered && tooFast:
		d.interval += 5 * time.Second
		return nil, errOAuth(400, "slow_down", "The client polls too often")
	case !d.answered:
		return nil, errOAuth(400, "authorization_pending", "Nobody has answered yet")
	}
	delete(i.devices, d.code)
	if !d.allowed {
		return nil, errOAuth(400, "access_denied", "The person refused")
	}
	return i.issue(d.grant, true)
}

// waiting finds the device that shows a code; case and separators don't matter.
func (i *Issuer) waiting(typed string) *device {
	for _, d := range i.devices {
		if !d.answered && i.now().Before(d.expireAt) && oauthserver.SameUserCode(d.userCode, typed) {
			return d
		}
	}
	return nil
}

// showDevice asks for a device's code, or begins its transaction when the address has it.
func (i *Issuer) showDevice(w http.ResponseWriter, r *http.Request) {
	typed := r.FormValue("user_code")
	i.mu.Lock()
	defer i.mu.Unlock()
	i.prune()
	if typed == "" {
		i.renderDevice(w, http.StatusOK, "")
		return
	}
	d := i.waiting(typed)
	if d == nil {
		i.renderDevice(w, http.StatusBadRequest, "The code is wrong, or it has expired.")
		return
	}
	tx := &transaction{id: random.String(32), expireAt: d.expireAt, browser: i.browserOf(w, r), grant: d.grant, device: d}
	i.transactions[tx.id] = tx
	portal.Redirect(w, tx.page(loginPath))
}

func (i *Issuer) renderDevice(w http.ResponseWriter, status int, problem string) {
	i.site.Render(w, status, "code", "Connect a device", "", struct {
		Action, Problem string
		Hidden          []portal.Field
	}{devicePath, problem, nil})
}
