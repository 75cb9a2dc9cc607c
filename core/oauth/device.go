package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/loopback"
	"github.com/zen-auth/zen/core/provider"
)

// Times of the device grant (RFC 8628).
const (
	// defaultInterval is between polls where the issuer names none (section 3.2);
	// slowDown is what slow_down adds for good (section 3.5).
	defaultInterval = 5 * time.Second
	slowDown        = 5 * time.Second
	// maxInterval bounds what an issuer names, and the wait after failures.
	maxInterval = time.Minute
	// defaultDeviceLife is for an issuer that leaves the required expires_in out.
	defaultDeviceLife = 15 * time.Minute
)

// DeviceOptions shape a sign-in on another device.
type DeviceOptions struct {
	Scopes []string
	// Params are further parameters of the device's request, such as audience.
	Params url.Values
	// OpenPage has the page opened on this machine, too, with the code in its address
	// where the issuer has such a page.
	OpenPage bool
}

// device is the answer to a device's request (RFC 8628 section 3.2).
type device struct {
	Code     string `json:"device_code"`
	UserCode string `json:"user_code"`
	URL      string `json:"verification_uri"`
	Complete string `json:"verification_uri_complete"`
	// Google and others call it url.
	OldURL    string  `json:"verification_url"`
	ExpiresIn float64 `json:"expires_in"`
	Interval  float64 `json:"interval"`
}

// Device signs in by the device grant (RFC 8628): it shows a code and the page where a
// person types it, on any device, and polls until they have. What the issuer answers is
// told by the code of its error: 429 with slow_down is no rate limit. A poll that fails
// on the way is tried again, less often each time, while the code is good.
func (c *Client) Device(ctx context.Context, host Host, o DeviceOptions) (Tokens, error) {
	ctx, cancel := loopback.WithEnd(ctx, signInTimeout)
	defer cancel()
	asked := time.Now()
	d, err := c.askForDevice(ctx, o)
	if err != nil {
		return Tokens{}, err
	}
	expires := asked.Add(seconds(d.ExpiresIn, defaultDeviceLife, signInTimeout))
	if err := host.ShowCode(ctx, d.UserCode, d.URL, expires); err != nil {
		return Tokens{}, err
	}
	if o.OpenPage {
		page := cmp.Or(d.Complete, d.URL)
		if err := host.OpenURL(ctx, page, d.UserCode); err != nil {
			return Tokens{}, err
		}
	}
	return c.poll(ctx, d, expires)
}

func (c *Client) askForDevice(ctx context.Context, o DeviceOptions) (device, error) {
	if c.Metadata.DeviceEndpoint == "" {
		return device{}, c.lacks("device_authorization_endpoint")
	}
	form := url.Values{}
	if len(o.Scopes) > 0 {
		form.Set("scope", strings.Join(o.Scopes, " "))
	}
	merge(form, o.Params)
	var d device
	if err := c.post(ctx, "ask for a device code", c.Metadata.DeviceEndpoint, form, &d); err != nil {
		return device{}, err
	}
	d.URL = cmp.Or(d.URL, d.OldURL)
	return d, c.checkDevice(d)
}

func (c *Client) checkDevice(d device) error {
	reason := ""
	switch {
	case d.Code == "" || d.UserCode == "":
		reason = "the answer has no code"
	case len(d.UserCode) > 64 || Harmless(d.UserCode) != d.UserCode:
		reason = "its code can't be shown"
	}
	for _, page := range []string{d.URL, d.Complete} {
		if u, err := url.Parse(page); reason == "" && page != "" && (err != nil || !secure(u)) {
			reason = "its page is not https (or http on loopback)"
		}
	}
	if reason == "" && d.URL == "" {
		reason = "the answer has no page"
	}
	if reason == "" {
		return nil
	}
	return unavailable(c.Name, "ask for a device code", reason)
}

// seconds reads a number of seconds, which is missing or out of all reason at times.
func seconds(n float64, missing, most time.Duration) time.Duration {
	if !(n > 0) {
		return missing
	}
	if n >= most.Seconds() {
		return most
	}
	return time.Duration(n * float64(time.Second))
}

// poll asks for the tokens of a device until it is answered. An interval begins when
// the last answer is here.
func (c *Client) poll(ctx context.Context, d device, expires time.Time) (Tokens, error) {
	over, cancel := context.WithDeadlineCause(ctx, expires, errCodeEnded)
	defer cancel()
	interval := seconds(d.Interval, defaultInterval, maxInterval)
	wait, last := interval, error(nil)
	for {
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-over.Done():
			timer.Stop()
			return Tokens{}, c.unfinished(ctx, d, last)
		}
		tokens, err := c.grant(over, "ask whether the code was typed", url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {d.Code},
		})
		switch code := Code(err); {
		case err == nil:
			return tokens, nil
		case over.Err() != nil: // the end cut the poll short, which says nothing of the issuer
			return Tokens{}, c.unfinished(ctx, d, last)
		case code == CodeAuthorizationPending:
			wait, last = interval, nil
		case code == CodeSlowDown:
			interval += slowDown
			wait, last = interval, err
		case code == CodeExpiredToken:
			return Tokens{}, c.unfinished(ctx, d, nil)
		case errors.Is(err, provider.ErrUnavailable):
			wait, last = min(max(2*wait, provider.RetryAfter(err)), maxInterval), err
		default:
			return Tokens{}, err
		}
	}
}

var errCodeEnded = errors.New("the code has expired")

// unfinished returns the end of a wait in vain; last is the failure of the last poll.
func (c *Client) unfinished(ctx context.Context, d device, last error) error {
	failure := &provider.Error{
		Kind: provider.ErrNoCredential, Err: errCodeEnded,
		Message: prefixed(c.Name, "the code was not entered at %s before it expired", d.URL), Hint: "run zen login again for a new code",
	}
	if ctx.Err() != nil {
		failure.Err = context.Cause(ctx)
		failure.Message = prefixed(c.Name, "the code was not entered at %s in time", d.URL)
	}
	if Code(last) == CodeSlowDown {
		failure.Kind, failure.Hint = provider.ErrUnavailable, "it is the issuer that has to let the polls through: zen login --method browser asks otherwise"
		failure.Message = prefixed(c.Name, "the issuer told the last poll for the code to slow down (slow_down), and the time was over: whether it was typed at %s was not said", d.URL)
	} else if last != nil {
		failure.Kind = provider.ErrUnavailable
		failure.Message += fmt.Sprintf(" (the last poll failed: %v)", last)
	}
	return failure
}

// TryDevice asks for a device code and throws it away: it finds out whether the client
// may use the grant.
func (c *Client) TryDevice(ctx context.Context, o DeviceOptions) error {
	_, err := c.askForDevice(ctx, o)
	return err
}
