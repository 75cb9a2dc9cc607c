package browse

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// site is a small app: a sign-in page, a page that asks, a callback elsewhere.
type site struct {
	*httptest.Server
	callback *httptest.Server
	posts    []url.Values // forms that the site received
}

const signInForm = `<title>Sign in</title>%s<form method=post action=/sign-in>
<input type=hidden name=csrf value=c1><input type=email name=mail><input type=password name=pass>
<input type=checkbox name=off value=1><input type=checkbox name=on value=1 checked><input name=gone disabled value=1>
<button name=step value=password>Sign in</button><button type=button name=no>Show</button></form>
<form method=post action=/sign-in><button name=account value=alice@example.test>Alice</button></form>`

const askForm = `<title>Ask</title><form method=post action=answer><input type=hidden name=request value="r&amp;1">
<button name=decision value=authorise>Authorise this terminal</button><button name=decision value=cancel>Cancel</button></form>`

func newSite(t *testing.T, status int) *site {
	t.Helper()
	s := &site{}
	s.callback = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		// A form on another site is not filled in.
		fmt.Fprintf(w, signInForm, "")
	}))
	t.Cleanup(s.callback.Close)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /start", func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("who"); err != nil {
			http.Redirect(w, r, "/sign-in?secret=s3cr3t", http.StatusFound)
			return
		}
		fmt.Fprint(w, askForm)
	})
	mux.HandleFunc("GET /sign-in", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, signInForm, "") })
	mux.HandleFunc("POST /sign-in", func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		s.posts = append(s.posts, r.PostForm)
		if r.PostForm.Get("account") == "" && r.PostForm.Get("pass") != "right" {
			w.WriteHeader(http.StatusUnprocessableEntity)
			fmt.Fprintf(w, signInForm, "<p role=alert>Wrong <b>password</b>.</p>")
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "who", Value: "alice", Path: "/"})
		http.Redirect(w, r, "/start", http.StatusSeeOther)
	})
	mux.HandleFunc("POST /answer", func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		s.posts = append(s.posts, r.PostForm)
		http.Redirect(w, r, s.callback.URL+"/callback?ticket=t1cket", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("GET /slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("GET /away", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<form method=post action=http://evil.example/><button name=decision value=authorise>x</button></form>`)
	})
	mux.HandleFunc("GET /keep", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<form method=POST action=/moved><input name=a value=b><button name=decision value=authorise>x</button></form>`)
	})
	mux.HandleFunc("POST /moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/kept", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("POST /kept", func(_ http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		s.posts = append(s.posts, r.PostForm)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestVisit(t *testing.T) {
	for name, tt := range map[string]struct {
		person Person
		want   url.Values
	}{
		"account by name":    {Person{User: "Alice"}, url.Values{"account": {"alice@example.test"}}},
		"account by address": {Person{User: "alice@example.test"}, url.Values{"account": {"alice@example.test"}}},
		"password": {Person{User: "alice@example.test", Password: "right"}, url.Values{
			"csrf": {"c1"}, "mail": {"alice@example.test"}, "pass": {"right"}, "on": {"1"}, "step": {"password"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, http.StatusOK)
			var out strings.Builder
			if err := Visit(context.Background(), tt.person, s.URL+"/start", &out); err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
			if len(s.posts) != 2 || s.posts[0].Encode() != tt.want.Encode() {
				t.Errorf("forms %v, want %v first", s.posts, tt.want)
			}
			if got := s.posts[1].Encode(); got != "decision=authorise&request=r%261" {
				t.Errorf("answer %s", got)
			}
			want := strings.NewReplacer("HOME", s.URL, "CALLBACK", s.callback.URL).Replace(`GET  HOME/start -> 302 HOME/sign-in?secret=…
GET  HOME/sign-in?secret=… -> 200 Sign in
POST HOME/sign-in -> 303 HOME/start
GET  HOME/start -> 200 Ask
POST HOME/answer -> 303 CALLBACK/callback?ticket=…
GET  CALLBACK/callback?ticket=… -> 200 Sign in
`)
			if out.String() != want {
				t.Errorf("got\n%swant\n%s", &out, want)
			}
		})
	}
}

func TestCancelAndStop(t *testing.T) {
	s := newSite(t, http.StatusOK)
	b := &Browser{Person: Person{User: "alice"}, Cancel: true, StopBeforeCallback: true}
	at, err := b.Visit(context.Background(), s.URL+"/start")
	if err != nil {
		t.Fatal(err)
	}
	if at.String() != s.callback.URL+"/callback?ticket=t1cket" {
		t.Errorf("stopped at %s", at)
	}
	if got := s.posts[len(s.posts)-1].Get("decision"); got != "cancel" {
		t.Errorf("pressed %s", got)
	}
}

func TestChoices(t *testing.T) {
	var posts []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		if r.Method == http.MethodPost {
			posts = append(posts, r.PostForm.Encode())
		}
		switch {
		case r.PostForm.Has("organization"):
			fmt.Fprint(w, "done")
		case r.PostForm.Get("user_code") == "WXYZ":
			fmt.Fprint(w, `<form method=post><button name=organization value=org_1>Acme</button><button name=organization value=org_2>Globex</button></form>`)
		default:
			fmt.Fprint(w, `<p role=alert>No such code</p><form method=post><input name=user_code><button>Continue</button></form>`)
		}
	}))
	defer s.Close()
	for organization, want := range map[string]string{"": "org_1", "globex": "org_2", "org_2": "org_2"} {
		b := &Browser{UserCode: "WXYZ", Organization: organization}
		if _, err := b.Visit(context.Background(), s.URL); err != nil {
			t.Fatal(err)
		}
		if got := posts[len(posts)-1]; got != "organization="+want {
			t.Errorf("organization %q: pressed %s", organization, got)
		}
	}
	if _, err := (&Browser{UserCode: "ABCD"}).Visit(context.Background(), s.URL); err == nil || !strings.Contains(err.Error(), "refused: No such code") {
		t.Errorf("wrong code: %v", err)
	}
}

func TestRedirectThatKeepsTheForm(t *testing.T) {
	s := newSite(t, http.StatusOK)
	if err := Visit(context.Background(), Person{}, s.URL+"/keep", nil); err != nil {
		t.Fatal(err)
	}
	if got := s.posts[0].Encode(); got != "a=b&decision=authorise" {
		t.Errorf("the form arrived as %s", got)
	}
}

func TestVisitFails(t *testing.T) {
	s, refusing := newSite(t, http.StatusOK), newSite(t, http.StatusBadRequest)
	for name, tt := range map[string]struct {
		person  Person
		address string
		want    string
	}{
		"not a URL":          {Person{}, "callback", "want an http or https URL"},
		"another scheme":     {Person{}, "file:///etc/passwd", "want an http or https URL"},
		"wrong password":     {Person{User: "a@example.test", Password: "wrong"}, s.URL + "/start", "failed: Wrong password."},
		"no such account":    {Person{User: "mallory"}, s.URL + "/start", `no button for "mallory"`},
		"no such page":       {Person{}, s.URL + "/nothing", "answered 404"},
		"redirects for ever": {Person{}, s.URL + "/loop", "gave up after 20 steps"},
		"form leaves":        {Person{}, s.URL + "/away", "another site"},
		"callback refuses":   {Person{User: "alice"}, refusing.URL + "/start", "/callback?ticket=… answered 400"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Visit(context.Background(), tt.person, tt.address, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "t1cket") {
				t.Errorf("the error contains the ticket: %v", err)
			}
		})
	}
	for _, forms := range refusing.posts[2:] {
		t.Errorf("a form on another site was filled in: %v", forms)
	}
}

// TestErrorsHideQueries checks that errors don't contain queries, although net/http's
// errors contain the whole address.
func TestErrorsHideQueries(t *testing.T) {
	s := newSite(t, http.StatusOK)
	s.callback.Close()
	err := Visit(context.Background(), Person{User: "alice"}, s.URL+"/start", nil)
	if err == nil || strings.Contains(err.Error(), "t1cket") {
		t.Errorf("error %v", err)
	}
}

func TestVisitEndsWithContext(t *testing.T) {
	s := newSite(t, http.StatusOK)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := Visit(ctx, Person{}, s.URL+"/slow", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

// FuzzPage checks that no page crashes the parser, and that a button's form can always be
// submitted.
func FuzzPage(f *testing.F) {
	f.Add([]byte(fmt.Sprintf(signInForm, "<p role=alert>x")))
	f.Add([]byte(askForm))
	f.Add([]byte("<form><form><input type=submit value=a@b><table><form></title>"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := parsePage(raw)
		if err != nil {
			return
		}
		if b, typed := p.signIn(Person{User: "a", Password: "p"}); b != nil && !b.values(typed).Has(b.form.field("password")) {
			t.Error("signed in without a password field")
		}
		p.decision(true)
		p.problem()
	})
}
