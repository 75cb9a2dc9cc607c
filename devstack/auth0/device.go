package auth0

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/random"
)

const (
	deviceLifetime = 15 * time.Minute
	pollInterval   = 5 * time.Second
)

// device is a device that waits for a person.
type device struct {
	code     string
	userCode string
	expireAt time.Time
	polledAt time.Time
	grant    *grant
	status   oauthserver.DeviceStatus
}

// createDevice begins a device's sign-in.
func (t *Tenant) createDevice(r *http.Request, form url.Values) (object, error) {
	application, err := t.authenticate(r, form)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(t.grantTypes(application), GrantDevice) {
		return nil, errGrantRefused(GrantDevice)
	}
	if application.Organizations != OrganizationsDeny {
		// Documented as incompatible; the text is an assumption.
		return nil, errOAuth(403, "unauthorized_client", "Organizations-enabled clients can't use the device authorization flow.")
	}
	api, err := t.findAPI(form.Get("audience"))
	if err != nil {
		return nil, err
	}
	d := &device{
		code: random.String(24), userCode: random.UserCode(),
		expireAt: t.now().Add(deviceLifetime),
		grant:    &grant{application: application, api: api, scopes: allowedScopes(form.Get("scope"), api)},
	}
	t.devices[d.code] = d
	return object{
		"device_code": d.code, "user_code": d.userCode, "verification_uri": t.baseURL + "/activate",
		"verification_uri_complete": t.baseURL + "/activate?user_code=" + d.userCode,
		"expires_in":                int64(deviceLifetime / time.Second), "interval": int64(pollInterval / time.Second),
	}, nil
}

// pollDevice answers a device's poll with the statuses that Auth0 documents, which
// are not those of RFC 8628.
func (t *Tenant) pollDevice(application *Application, form url.Values) (object, error) {
	if form.Get("device_code") == "" {
		return nil, errMissing("device_code")
	}
	d := t.devices[form.Get("device_code")]
	if d == nil || d.grant.application != application {
		return nil, errOAuth(403, "invalid_grant", "Invalid or expired device code.")
	}
	now := t.now()
	tooFast := !d.polledAt.IsZero() && now.Sub(d.polledAt) < pollInterval
	d.polledAt = now
	switch {
	case !now.Before(d.expireAt):
		// The first time; afterwards it is invalid_grant.
		delete(t.devices, d.code)
		return nil, errOAuth(403, "expired_token", "The device code has expired.")
	case t.fault(FaultSlowDown), d.status == oauthserver.DevicePending && tooFast:
		return nil, errOAuth(429, "slow_down", "You are polling faster than the specified interval of 5 seconds.")
	case d.status == oauthserver.DevicePending:
		return nil, errOAuth(403, "authorization_pending", "User has yet to authorize device code.")
	}
	delete(t.devices, d.code)
	if d.status == oauthserver.DeviceDenied {
		return nil, errOAuth(403, "access_denied", "User cancelled the confirmation prompt.")
	}
	return t.issue(d.grant)
}
