package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/transport"
)

// fallbacks is a source with further tokens for FallBack, in order.
type fallbacks struct {
	source
	further  []provider.Token
	err      error // if there are no more
	fell     int
	accepted []string
}

func (d *fallbacks) FallBack(context.Context, provider.Token) (provider.Token, error) {
	if d.fell == len(d.further) {
		return provider.Token{}, d.err
	}
	d.fell++
	return d.further[d.fell-1], nil
}

func (d *fallbacks) Accepted(_ context.Context, token provider.Token) {
	d.accepted = append(d.accepted, token.Value.Reveal())
}

func TestRefusedRequestGoesOnWithFallbacks(t *testing.T) {
	refusal := answer{401, unknownKey}
	unavailable := &provider.Error{Kind: provider.ErrUnavailable, Message: "clerk: HTTP 503"}
	for name, test := range map[string]struct {
		refusals int
		answer   answer
		renewal  error
		further  int
		err      error
		requests int
		want     string // in the error, or empty if it succeeds
	}{
		"a renewed token":                    {1, refusal, nil, 2, nil, 2, ""},
		"the first fallback":                 {2, refusal, nil, 2, nil, 3, ""},
		"the second fallback":                {3, refusal, nil, 2, nil, 4, ""},
		"all fallbacks fail":                 {9, refusal, nil, 2, errors.New("fallback spare: not signed in"), 4, "does not accept the key that signed this token (kid ins_1, issuer https://clerk.example); `zen login --provider platformtoken` uses tokens minted by Turso (and no other token could be had: fallback spare: not signed in)"},
		"no fallback configured":             {9, refusal, nil, 0, errors.ErrUnsupported, 2, "uses tokens minted by Turso"},
		"no renewal possible":                {1, refusal, unavailable, 1, nil, 2, ""},
		"neither renewal nor fallback":       {9, refusal, unavailable, 0, errors.New("fallback spare: down"), 1, "clerk: HTTP 503; fallback spare: down"},
		"signed out":                         {9, refusal, provider.ErrRejected, 1, nil, 1, "does not accept the key"},
		"never signed in":                    {9, refusal, provider.ErrNoCredential, 1, nil, 1, "not signed in"},
		"no access to this database":         {9, answer{401, `{"error":"token does not have the permissions to access the database"}`}, nil, 1, nil, 2, "no access to libsql://app"},
		"endless refusals":                   {99, refusal, nil, 99, nil, 6, "does not accept the key"},
		"a JWT that the server can't decode": {2, answer{400, `{"error":"JWT error: InvalidSignature"}`}, nil, 1, nil, 3, ""},
	} {
		t.Run(name, func(t *testing.T) {
			refusals := make([]answer, test.refusals)
			for i := range refusals {
				refusals[i] = test.answer
			}
			s, seen := start(t, refusals...)
			src := &fallbacks{source: source{tokens: []provider.Token{clerkToken(t, "1"), clerkToken(t, "2")}, renewal: test.renewal}, err: test.err}
			for i := range test.further {
				src.further = append(src.further, clerkToken(t, "further-"+string(rune('a'+i))))
			}
			body, status, err := send(t, s, src, "")
			if len(*seen) != test.requests {
				t.Errorf("%d requests, want %d", len(*seen), test.requests)
			}
			for i, request := range *seen {
				if !strings.HasSuffix(request, " body") || i > 0 && request == (*seen)[i-1] {
					t.Errorf("request %d is not the first request with another token", i+1)
				}
			}
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) || len(src.accepted) != 0 {
					t.Errorf("err = %v, accepted %d", err, len(src.accepted))
				}
				var refused *transport.Refused
				if !errors.As(err, &refused) {
					t.Error("the error is not a Refused")
				}
				return
			}
			if err != nil || status != 200 || body != "done" || len(src.accepted) != 1 || !strings.HasSuffix((*seen)[len(*seen)-1], src.accepted[0]+" body") {
				t.Errorf("%q %d %v, accepted %d", body, status, err, len(src.accepted))
			}
		})
	}
}

// An answer to the request itself means that the server accepted the token; with 400 the sync
// protocol ends a generation. With other statuses the token may not have been checked.
func TestAnswersThatAcceptTheToken(t *testing.T) {
	for status, accepts := range map[int]int{200: 1, 201: 1, 400: 1, 403: 0, 404: 0, 429: 0, 500: 0, 503: 0} {
		s, _ := start(t, answer{status, `{"generation":2}`})
		src := &fallbacks{source: source{tokens: []provider.Token{clerkToken(t, "1")}}}
		body, got, err := send(t, s, src, "")
		if err != nil || got != status || body != `{"generation":2}` || len(src.accepted) != accepts {
			t.Errorf("status %d: %q %d %v, accepted %d times", status, body, got, err, len(src.accepted))
		}
	}
}

// If this machine's clock differs from the server's, the error says by how much.
func TestRefusalSaysHowFarTheClocksAreApart(t *testing.T) {
	for offset, want := range map[time.Duration]string{
		10 * time.Minute: "; this machine's clock is 10m",
		-2 * time.Hour:   "; this machine's clock is 2h0m",
		5 * time.Second:  "",
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(offset).UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"error":"JWT error: ExpiredSignature"}`)
		}))
		_, _, err := send(t, s, &source{tokens: []provider.Token{clerkToken(t, "1")}}, "")
		s.Close()
		direction := " ahead of 127.0.0.1"
		if offset > 0 {
			direction = " behind 127.0.0.1"
		}
		if err == nil || strings.Contains(err.Error(), "this machine's clock is") != (want != "") || want != "" && (!strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), direction)) {
			t.Errorf("clock off by %s: %v", offset, err)
		}
	}
}
