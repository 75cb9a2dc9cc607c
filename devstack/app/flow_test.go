package app_test

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/zen-auth/zen/devstack/browse"
)

// TestTicketFlow does all steps of a terminal's sign-in: browser, sign-in, bridge page,
// callback, ticket, client session, template token, key set.
func TestTicketFlow(t *testing.T) {
	for name, person := range map[string]browse.Person{
		"account button": {User: "alice"},
		"password":       {User: "alice@example.test", Password: "alice-dev-password"},
	} {
		t.Run(name, func(t *testing.T) {
			s, term := newStack(t), newTerminal(t)
			var log strings.Builder
			if err := browse.Visit(context.Background(), person, s.bridge(term), &log); err != nil {
				t.Fatalf("%v\n%s", err, &log)
			}
			got := <-term.received
			ticket := got.Get("ticket")
			if ticket == "" || got.Get("state") != term.state || got.Has("error") {
				t.Fatalf("callback got %v", got)
			}
			if strings.Contains(log.String(), ticket) || strings.Contains(log.String(), term.state) {
				t.Errorf("the log contains a secret:\n%s", &log)
			}

			status, _, clientJWT, sessionID := s.exchange(t, ticket)
			if status != http.StatusOK || clientJWT == "" || sessionID == "" {
				t.Fatalf("exchange: %d, session %q", status, sessionID)
			}
			_, _, body := s.native(t, "/v1/client/sessions/"+sessionID+"/tokens/turso", clientJWT, nil)
			var minted struct{ JWT string }
			if err := json.Unmarshal(body, &minted); err != nil {
				t.Fatal(err)
			}
			claims := s.verify(t, minted.JWT)
			if claims["id"] != "7e2a" || claims["org"] != "acme" || claims["sub"] != s.clerk.UserID("alice@example.test") {
				t.Errorf("claims %v", claims)
			}

			if status, code, _, _ := s.exchange(t, ticket); status != http.StatusBadRequest || code != "sign_in_token_already_used_code" {
				t.Errorf("second exchange: %d %s", status, code)
			}
		})
	}
}

func TestTokenFlow(t *testing.T) {
	s, term := newStack(t), newTerminal(t)
	if err := browse.Visit(context.Background(), browse.Person{User: "bob"}, s.bridge(term, "mode", "token"), nil); err != nil {
		t.Fatal(err)
	}
	got := <-term.received
	if got.Has("ticket") {
		t.Error("mode=token sent a ticket")
	}
	if claims := s.verify(t, got.Get("token")); claims["org"] != "globex" {
		t.Errorf("claims %v", claims)
	}
}

func TestTicketExpires(t *testing.T) {
	s, term := newStack(t), newTerminal(t)
	if err := browse.Visit(context.Background(), browse.Person{User: "alice"}, s.bridge(term), nil); err != nil {
		t.Fatal(err)
	}
	ticket := (<-term.received).Get("ticket")
	s.clock.advance(31 * time.Second)
	if status, code, _, _ := s.exchange(t, ticket); status != http.StatusBadRequest || code != "ticket_expired_code" {
		t.Errorf("expired ticket: %d %s", status, code)
	}
}

func TestCancel(t *testing.T) {
	s, term := newStack(t), newTerminal(t)
	b := &browse.Browser{Person: browse.Person{User: "alice"}, Cancel: true}
	if _, err := b.Visit(context.Background(), s.bridge(term)); err != nil {
		t.Fatal(err)
	}
	got := <-term.received
	if got.Get("error") != "access_denied" || got.Get("state") != term.state || got.Has("ticket") {
		t.Errorf("callback got %v", got)
	}
}

// verify checks a token against the key set that the instance serves.
func (s *stack) verify(t *testing.T, token string) jwt.MapClaims {
	t.Helper()
	resp, err := http.Get(s.URL + "/.well-known/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var set struct {
		Keys []struct{ Kid, Kty, Alg, N, E string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
		t.Fatal(err)
	}
	claims := jwt.MapClaims{}
	_, err = jwt.ParseWithClaims(token, claims, func(tok *jwt.Token) (any, error) {
		for _, key := range set.Keys {
			if key.Kid != tok.Header["kid"] || key.Kty != "RSA" || key.Alg != "RS256" {
				continue
			}
			n, err := base64.RawURLEncoding.DecodeString(key.N)
			if err != nil {
				return nil, err
			}
			e, err := base64.RawURLEncoding.DecodeString(key.E)
			if err != nil {
				return nil, err
			}
			return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}, nil
		}
		return nil, jwt.ErrTokenUnverifiable
	}, jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(s.URL), jwt.WithExpirationRequired(), jwt.WithTimeFunc(s.clock.Now))
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	return claims
}
