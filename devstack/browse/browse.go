// Package browse acts as the person at the browser: it follows redirects, signs in when a
// page asks for it, chooses an organization, types a device's code, and presses the
// button of a page that asks for authorisation. It reads pages and forms as a browser
// does, and needs only an address.
//
// It is for demonstrations and tests. It runs no JavaScript and shows nothing.
package browse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
)

// Limits of one visit.
const (
	maxSteps     = 20
	maxPage      = 1 << 20
	stepDeadline = 15 * time.Second
)

// Person is the person at the browser.
type Person struct {
	// User is an e-mail address, or the part of it before the @ when the
	// sign-in page offers that account on a button.
	User string
	// Password is typed where a page asks for one. It may be empty for an
	// account that has a button.
	Password string
}

// Browser is one visit's browser and the person at it.
type Browser struct {
	Person Person
	// UserCode is typed where a page asks for the code that a device shows.
	UserCode string
	// Organization is the value of the button to press where a page offers
	// organizations, or words on it. Empty means the first one.
	Organization string
	// Out gets a line for each step, without the values of queries. Default: nowhere.
	Out io.Writer
	// Cancel presses Cancel where a page asks to authorise a terminal.
	Cancel bool
	// StopBeforeCallback ends the visit at the first redirect to another site, without
	// following it.
	StopBeforeCallback bool
}

// Visit opens an address as person and answers its pages until one needs no answer. It
// fails unless that last page is a 200.
func Visit(ctx context.Context, person Person, address string, out io.Writer) error {
	_, err := (&Browser{Person: person, Out: out}).Visit(ctx, address)
	return err
}

// Visit is like the function Visit and returns the address where it ended, query
// included. It is limited by ctx and by a number of steps.
func (b *Browser) Visit(ctx context.Context, address string) (*url.URL, error) {
	start, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("browse: %w", err)
	}
	if (start.Scheme != "http" && start.Scheme != "https") || start.Host == "" {
		return nil, fmt.Errorf("browse %q: want an http or https URL", address)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	v := &visit{browser: b, home: start, client: &http.Client{
		Jar:           jar,
		Transport:     httpclient.New(),
		Timeout:       stepDeadline,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	defer v.client.CloseIdleConnections()
	return v.run(ctx, request{method: http.MethodGet, to: start})
}

// visit is the state of one visit.
type visit struct {
	browser  *Browser
	client   *http.Client
	home     *url.URL // where it began; forms are filled in only there
	signedIn bool     // a sign-in form was sent
	codeSent bool     // a device's code was typed
}

// request is one step: a method, an address and, for POST, a form.
type request struct {
	method string
	to     *url.URL
	form   url.Values
}

func (v *visit) run(ctx context.Context, next request) (*url.URL, error) {
	for step := range maxSteps {
		if v.browser.StopBeforeCallback && !v.atHome(next.to) {
			return next.to, nil
		}
		answer, err := v.send(ctx, next)
		if err != nil {
			return nil, err
		}
		at := next.to
		if answer.location != nil {
			if step == 0 && isOpener(at) {
				v.home = answer.location
			}
			next = follow(next, answer)
			continue
		}
		submit, err := v.decide(at, answer)
		if err != nil {
			return nil, err
		}
		if submit == nil {
			if answer.status != http.StatusOK {
				return nil, fmt.Errorf("browse: %s answered %d: %s", show(at), answer.status, answer.page.problem())
			}
			return at, nil
		}
		next = *submit
	}
	return nil, fmt.Errorf("browse: gave up after %d steps", maxSteps)
}

// isOpener recognizes the local address with which zen starts a browser, to keep the
// page's own address out of program arguments. It redirects to the start of the visit.
func isOpener(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return ip != nil && ip.IsLoopback() && strings.HasPrefix(u.Path, "/open/")
}

// follow returns the step after a redirect: 307 and 308 repeat the method and the
// form (RFC 9110, section 15.4), the others are a GET.
func follow(last request, answer *answer) request {
	if answer.status == http.StatusTemporaryRedirect || answer.status == http.StatusPermanentRedirect {
		return request{method: last.method, to: answer.location, form: last.form}
	}
	return request{method: http.MethodGet, to: answer.location}
}

// atHome reports whether an address is on the site that the visit began on. Passwords are
// sent nowhere else.
func (v *visit) atHome(u *url.URL) bool { return u.Scheme == v.home.Scheme && u.Host == v.home.Host }

// decide returns the answer that the page needs. Nil means none.
func (v *visit) decide(at *url.URL, answer *answer) (*request, error) {
	if !v.atHome(at) {
		return nil, nil
	}
	if button := answer.page.decision(v.browser.Cancel); button != nil {
		return v.press(at, button, nil)
	}
	if field := answer.page.codeField(); field != nil && v.browser.UserCode != "" {
		if v.codeSent {
			return nil, fmt.Errorf("browse: the device's code was refused: %s", answer.page.problem())
		}
		v.codeSent = true
		return v.press(at, field, url.Values{userCodeField: {v.browser.UserCode}})
	}
	if button := answer.page.organization(v.browser.Organization); button != nil {
		return v.press(at, button, nil)
	}
	if !answer.page.asksSignIn() {
		return nil, nil
	}
	if v.signedIn {
		return nil, fmt.Errorf("browse: sign-in as %s failed: %s", v.browser.Person.User, answer.page.problem())
	}
	v.signedIn = true
	button, typed := answer.page.signIn(v.browser.Person)
	if button == nil {
		return nil, fmt.Errorf("browse: the sign-in page has no button for %q, and no password was given", v.browser.Person.User)
	}
	return v.press(at, button, typed)
}

// press submits a button's form, with values typed into its fields.
func (v *visit) press(at *url.URL, b *button, typed url.Values) (*request, error) {
	to, err := at.Parse(b.form.action)
	if err != nil {
		return nil, fmt.Errorf("browse: form action: %w", err)
	}
	if !v.atHome(to) {
		return nil, errors.New("browse: the form leads to another site")
	}
	values := b.values(typed)
	if b.form.method == http.MethodPost {
		return &request{method: http.MethodPost, to: to, form: values}, nil
	}
	to.RawQuery = values.Encode()
	return &request{method: http.MethodGet, to: to}, nil
}
