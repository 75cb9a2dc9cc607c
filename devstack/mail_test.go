package devstack_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// sendCode has Clerk send a one-time code.
func sendCode(t *testing.T, s *devstack.Stack, email string) {
	t.Helper()
	form := url.Values{"identifier": {email}, "strategy": {"email_code"}}
	resp, err := http.Post(s.URL()+"/v1/client/sign_ins?_is_native=1", "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
}

// transport makes a round tripper of a function.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// A code by e-mail arrives in the stack's inbox, for requests made before and after.
func TestMail(t *testing.T) {
	s := devstacktest.Start(t, devstack.Options{})
	admin := devstack.Admin{URL: s.URL()}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if mails, err := admin.Mails(ctx, "", false); err != nil || len(mails) != 0 {
		t.Errorf("before: %v, %v", mails, err)
	}
	// The code is sent once a request is known to wait for it.
	asked := make(chan struct{})
	patient := admin
	patient.Client = &http.Client{Transport: transport(func(req *http.Request) (*http.Response, error) {
		if req.URL.Query().Has("after") {
			close(asked)
		}
		return http.DefaultTransport.RoundTrip(req)
	})}
	waiting := make(chan []devstack.Mail, 1)
	go func() {
		mails, err := patient.Mails(ctx, "alice", true)
		if err != nil {
			t.Error(err)
		}
		waiting <- mails
	}()
	<-asked
	sendCode(t, s, "bob@example.test")
	sendCode(t, s, "alice@example.test")
	mails := <-waiting
	if len(mails) != 1 || mails[0].To != "alice@example.test" || len(mails[0].Code) != 6 {
		t.Errorf("alice got %v", mails)
	}
	if all := s.Mails(""); len(all) != 2 || all[0].To != "alice@example.test" {
		t.Errorf("all: %v", all)
	}
	if mails, err := admin.Mails(ctx, "bob@example.test", false); err != nil || len(mails) != 1 {
		t.Errorf("bob got %v, %v", mails, err)
	}
	if resp, err := http.Get(s.URL() + "/_zen/mail"); err != nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("without the header: %v %v", resp.StatusCode, err)
	}
}

// Behind a proxy's path the Frontend API has that address, and tokens verify there.
func TestProxyPath(t *testing.T) {
	seed := devstack.DefaultSeed()
	seed.Clerk.ProxyPath = "/__clerk"
	s := devstacktest.Start(t, devstack.Options{Seed: seed})
	if s.Clerk.Issuer() != s.URL()+"/__clerk" {
		t.Errorf("issuer %s", s.Clerk.Issuer())
	}
	if status, got := query(t, s, s.DatabaseURL(), devstacktest.Token(t, s, "alice@example.test", devstack.Template), "SELECT 7"); status != 200 || got != "7" {
		t.Errorf("query = %d %s", status, got)
	}
}
