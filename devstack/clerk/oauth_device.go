package clerk

import (
	"net/http"
	"net/url"
	"time"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/portal"
	"github.com/zen-auth/zen/devstack/random"
)

// Clerk publishes neither number; these are RFC 8628's usual ones.
const (
	deviceLifetime = 15 * time.Minute
	pollInterval   = 5 * time.Second
)

// oauthDevice is a device that waits for a person.
type oauthDevice struct {
	code, userCode string
	expireAt       time.Time
	polledAt       time.Time
	interval       time.Duration
	grant          *oauthGrant
	status         oauthserver.DeviceStatus
}

// oauthCreateDevice begins a device's sign-in.
func oauthCreateDevice(inst *Instance, r *http.Request) (object, error) {
	application, err := inst.oauthClient(r)
	if err != nil {
		return nil, err
	}
	if !inst.opts.DeviceGrant || inst.fault(FaultDeviceGrantOff) || !application.DeviceGrant {
		return nil, errOAuth(400, "unauthorized_client", "The client is not allowed to use the device authorization grant.")
	}
	scopes, err := requestedScopes(r.PostForm.Get("scope"), application)
	if err != nil {
		return nil, err
	}
	d := &oauthDevice{
		code: random.String(43), userCode: random.UserCode(), expireAt: inst.now().Add(deviceLifetime), interval: pollInterval,
		grant: &oauthGrant{application: application, scopes: scopes},
	}
	inst.oauth.devices[d.code] = d
	page := inst.baseURL + portalDevice
	return object{
		"device_code": d.code, "user_code": d.userCode, "verification_uri": page, "verification_uri_complete": page + "?user_code=" + d.userCode,
		"expires_in": int64(deviceLifetime / time.Second), "interval": int64(pollInterval / time.Second),
	}, nil
}

// pollOAuthDevice answers a device's poll. The statuses are RFC 8628's, section
// 3.5: Clerk documents none.
func (inst *Instance) pollOAuthDevice(application *OAuthApplication, r *http.Request) (object, error) {
	d := inst.oauth.devices[r.PostForm.Get("device_code")]
	if d == nil || d.grant.application != application {
		return nil, errInvalidGrant("The device code is unknown.")
	}
	now := inst.now()
	tooFast := !d.polledAt.IsZero() && now.Sub(d.polledAt) < d.interval
	d.polledAt = now
	switch {
	case !now.Before(d.expireAt):
		return nil, errOAuth(400, "expired_token", "The device code has expired.")
	case d.status == oauthserver.DevicePending && tooFast:
		d.interval += pollInterval
		return nil, errOAuth(400, "slow_down", "The client is polling too often.")
	case d.status == oauthserver.DevicePending:
		return nil, errOAuth(400, "authorization_pending", "The authorization request is still pending.")
	}
	delete(inst.oauth.devices, d.code)
	if d.status == oauthserver.DeviceDenied {
		return nil, errOAuth(400, "access_denied", "The user denied the request.")
	}
	return inst.oauthTokens(d.grant)
}

// waitingDevice finds the device that shows a code; case and separators don't matter.
func (inst *Instance) waitingDevice(typed string) *oauthDevice {
	for _, d := range inst.oauth.devices {
		if d.status == oauthserver.DevicePending && inst.now().Before(d.expireAt) && oauthserver.SameUserCode(d.userCode, typed) {
			return d
		}
	}
	return nil
}

// showDevice asks for a device's code, or begins its transaction when the address
// has it.
func (inst *Instance) showDevice(w http.ResponseWriter, r *http.Request) {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	inst.prune()
	b := inst.portalBrowser(w, r)
	typed := r.URL.Query().Get("user_code")
	if typed == "" {
		inst.renderDevice(w, http.StatusOK, "")
		return
	}
	d := inst.waitingDevice(typed)
	if d == nil {
		inst.renderDevice(w, http.StatusBadRequest, "The code is incorrect or has expired.")
		return
	}
	tx := &oauthTransaction{id: random.String(32), expireAt: d.expireAt, browser: b, grant: d.grant, device: d}
	inst.oauth.transactions[tx.id] = tx
	portal.Redirect(w, tx.page())
}

func (inst *Instance) renderDevice(w http.ResponseWriter, status int, problem string) {
	inst.site.Render(w, status, "code", "Connect a device", "", struct {
		Action, Problem string
		Hidden          []portal.Field
	}{portalDevice, problem, nil})
}

// typeDevice handles a typed code. It decides nothing, so it needs no CSRF protection.
func (inst *Instance) typeDevice(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		inst.renderDevice(w, http.StatusBadRequest, "The form can't be read.")
		return
	}
	portal.Redirect(w, portalDevice+"?"+url.Values{"user_code": {r.PostForm.Get("user_code")}}.Encode())
}
