package team

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/provider"
)

func read(text string) (people []provider.Invite, err error) {
	usual := provider.Invite{Role: "member", Lifetime: time.Hour}
	err = readPeople(context.Background(), "-", strings.NewReader(text), usual, func(i provider.Invite) error {
		if i.Email == "" {
			return errors.New("nobody")
		}
		people = append(people, i)
		return nil
	})
	return people, err
}

func TestPeople(t *testing.T) {
	want := []provider.Invite{
		{Email: "a@x.test", Role: "admin", RedirectURL: "https://app.example/in", Lifetime: 48 * time.Hour},
		{Email: "b@x.test", Role: "member", Lifetime: time.Hour},
	}
	got, err := read("\ufeffEMAIL, role ,redirect_url,expires\r\na@x.test,admin,https://app.example/in,2d\r\n \"b@x.test\",,,\r\n")
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("reading people: %v (-want +got)\n%s", err, diff)
	}
	for text, want := range map[string]string{
		"":                                   "- is empty: its first line names the columns: email,role,redirect_url,expires",
		"role\nadmin\n":                      "-:1: there is no column email",
		"email,email\n":                      `-:1: the column "email" is unknown or there twice`,
		"email,phone\n":                      `-:1: the column "phone" is unknown`,
		"email,expires\n\na@x.test,soon\n":   `-:3: "soon" is not a time like 72h or 7d`,
		"email,redirect_url\na@x.test,app\n": `-:2: "app" is no URL`,
		"email\na@x.test,more\n":             "wrong number of fields",
		"email\n\"a@x.test\n":                "-: parse error on line 2",
		"email,role\n,admin\n":               "-:2: nobody",
		"email\n" + strings.Repeat("a@x.test\n", maxPeople+1): "more than 1000 people",
		strings.Repeat("x", maxFile+1):                        "larger than 1 MiB",
	} {
		if _, err := read(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("reading %.30q: %v, want %s", text, err, want)
		}
	}
	if err := readPeople(t.Context(), "nowhere.csv", nil, provider.Invite{}, nil); err == nil {
		t.Error("reading a missing file succeeded")
	}
}

func FuzzPeople(f *testing.F) {
	f.Add("email,role\na@x.test,admin\n")
	f.Add("\ufeffemail\n\"a\"\"b@x.test\"\n")
	f.Add("expires,email\n99999999999999999999d,a@x.test\n")
	f.Fuzz(func(t *testing.T, text string) {
		people, err := read(text)
		if len(people) > maxPeople {
			t.Errorf("%d people were read, want %d at most", len(people), maxPeople)
		}
		for _, i := range people {
			if i.Lifetime <= 0 || i.Role == "" {
				t.Errorf("read %+v, %v", i, err)
			}
		}
	})
}

func TestLifetime(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "72h": 72 * time.Hour, "7d": 7 * 24 * time.Hour, "90m": 90 * time.Minute} {
		if got, err := parseLifetime(text); err != nil || got != want {
			t.Errorf("parseLifetime(%q) = %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"d", "0d", "-1d", "0s", "-1h", "7", "week", "4000d", "99999999999999999999d", "1.5d"} {
		if got, err := parseLifetime(text); err == nil {
			t.Errorf("parseLifetime(%q) = %s, want an error", text, got)
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, address := range []string{"a@x.test", "a.b+c@x.test"} {
		if err := checkAddress(address); err != nil {
			t.Error(err)
		}
	}
	for _, address := range []string{"", "a", "a@", "@x.test", "A <a@x.test>", "a@x.test, b@x.test", " a@x.test", "a@x.test\n", fmt.Sprintf("%s@x.test", strings.Repeat("a", 260))} {
		if err := checkAddress(address); err == nil {
			t.Errorf("checkAddress(%q) succeeded", address)
		}
	}
}
