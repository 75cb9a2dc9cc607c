package auth0

import (
	"net/http"
	"net/url"

	"github.com/zen-auth/zen/devstack/oauthserver"
	"github.com/zen-auth/zen/devstack/portal"
	"github.com/zen-auth/zen/devstack/random"
)

// showActivate asks for a device's code or, if the address has it, for confirmation.
func (t *Tenant) showActivate(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.prune()
	b := t.browserOf(w, r)
	typed := r.URL.Query().Get("user_code")
	if typed == "" {
		t.renderActivate(w, http.StatusOK, b, "")
		return
	}
	d := t.waiting(typed)
	if d == nil {
		t.renderActivate(w, http.StatusBadRequest, b, "The code is incorrect or has expired.")
		return
	}
	t.site.Ask(w, "", portal.Ask{
		Heading: "Device Confirmation", Lead: "Is this the code displayed on your device?",
		Facts:  []portal.Fact{{Term: "Your device shows", Value: d.userCode, Compare: true}, {Term: "It signs in to", Value: d.grant.application.Name}},
		Note:   "Confirm only if you started this yourself.",
		Action: activatePath, Hidden: []portal.Field{{Name: "csrf_token", Value: b.csrf}, {Name: "user_code", Value: d.userCode}}, Yes: "Confirm",
	})
}

func (t *Tenant) renderActivate(w http.ResponseWriter, status int, b *browser, problem string) {
	t.site.Render(w, status, "code", "Device Activation", "", struct {
		Action, Problem string
		Hidden          []portal.Field
	}{activatePath, problem, []portal.Field{{Name: "csrf_token", Value: b.csrf}}})
}

// waiting finds the device that shows a code; case and separators don't matter.
func (t *Tenant) waiting(userCode string) *device {
	for _, d := range t.devices {
		if d.status == oauthserver.DevicePending && t.now().Before(d.expireAt) && oauthserver.SameUserCode(d.userCode, userCode) {
			return d
		}
	}
	return nil
}

// activate handles a typed code, or the confirmation.
func (t *Tenant) activate(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		t.site.Fail(w, http.StatusBadRequest, "This form can't be read", "Start again.")
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.browserOf(w, r)
	if !random.Same(r.PostForm.Get("csrf_token"), b.csrf) {
		t.site.Fail(w, http.StatusForbidden, "This form is out of date", "Open the activation page again. If it keeps happening, allow cookies for this address.")
		return
	}
	decision := r.PostForm.Get("decision")
	d := t.waiting(r.PostForm.Get("user_code"))
	switch {
	case d == nil:
		t.renderActivate(w, http.StatusBadRequest, b, "The code is incorrect or has expired.")
	case decision == "authorise":
		tx := &transaction{id: random.String(32), expireAt: d.expireAt, browser: b, grant: d.grant, device: d}
		t.transactions[tx.id] = tx
		portal.Redirect(w, tx.page(loginPath))
	case decision == "cancel":
		d.status = oauthserver.DeviceDenied
		t.site.Done(w, "Device Confirmation", "You cancelled. The device was not signed in.")
	default:
		portal.Redirect(w, activatePath+"?"+url.Values{"user_code": {d.userCode}}.Encode())
	}
}

// activated completes a device's transaction after the person has signed in.
func (t *Tenant) activated(w http.ResponseWriter, tx *transaction) {
	delete(t.transactions, tx.id)
	if tx.device.status != oauthserver.DevicePending || !t.now().Before(tx.device.expireAt) {
		t.site.Fail(w, http.StatusBadRequest, "This code was used already", "Start again from your device.")
		return
	}
	if err := t.runAction(tx.grant, false); err != nil {
		tx.device.status = oauthserver.DeviceDenied
		t.site.Fail(w, http.StatusForbidden, "The device was not signed in", err.Error())
		return
	}
	tx.device.status = oauthserver.DeviceAllowed
	t.site.Done(w, "Congratulations, you're all set!", "Your device is now connected.")
}
