//go:build cgo && ((linux && (amd64 || arm64)) || (darwin && arm64))

package replica_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/libsql"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
	"github.com/zen-auth/zen/internal/transport"
)

// apiKeySource issues tokens for an API key: it verifies the key each time, and requests a
// token from a template in a session of the key's owner.
type apiKeySource struct {
	stack *devstack.Stack
	key   string

	mu    sync.Mutex // guards token
	token provider.Token
}

// call sends a request to Clerk's Backend API.
func (s *apiKeySource) call(ctx context.Context, method, path string, body, answer any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, s.stack.Clerk.BackendURL()+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.stack.Clerk.SecretKey())
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, res.Status)
	}
	return json.NewDecoder(res.Body).Decode(answer)
}

// Token implements transport.Source.
func (s *apiKeySource) Token(ctx context.Context) (provider.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.token.Value.IsZero() {
		return s.token, nil
	}
	owner, err := s.owner(ctx)
	if err != nil {
		return provider.Token{}, &provider.Error{Kind: provider.ErrRejected, Message: "verify the API key", Err: err}
	}
	var sessions []struct{ ID string }
	if err := s.call(ctx, http.MethodGet, "/sessions?status=active&user_id="+url.QueryEscape(owner), nil, &sessions); err != nil {
		return provider.Token{}, err
	}
	if len(sessions) == 0 {
		return provider.Token{}, &provider.Error{Kind: provider.ErrNoCredential, Message: "the owner of the API key has no session"}
	}
	var made struct{ JWT string }
	if err := s.call(ctx, http.MethodPost, "/sessions/"+sessions[0].ID+"/tokens/"+devstack.Template, struct{}{}, &made); err != nil {
		return provider.Token{}, err
	}
	s.token.Value = provider.NewSecret(made.JWT)
	return s.token, nil
}

// Renew implements transport.Source.
func (s *apiKeySource) Renew(ctx context.Context, refused provider.Token) (provider.Token, error) {
	s.mu.Lock()
	if s.token.Value.Equal(refused.Value) {
		s.token = provider.Token{}
	}
	s.mu.Unlock()
	return s.Token(ctx)
}

// owner verifies the key and returns its subject.
func (s *apiKeySource) owner(ctx context.Context) (string, error) {
	var key struct{ Subject string }
	err := s.call(ctx, http.MethodPost, "/api_keys/verify", map[string]string{"secret": s.key}, &key)
	return key.Subject, err
}

var _ transport.Source = (*apiKeySource)(nil)

// An API key is verified and its owner is returned. (spike E1)
//
// The key yields a JWT, and the JWT opens the database, remote and as a replica. After the
// JWT has expired the key yields another. A revoked key yields none, and local data can still
// be read. (spike E2)
func TestAPIKeyOpensTheDatabase(t *testing.T) {
	clock := devstack.NewClock(time.Now())
	stack := devstacktest.Start(t, devstack.Options{Now: clock.Now})
	alice := stack.Clerk.UserID("alice@example.test")
	_, err := stack.Clerk.CreateSession(alice, "")
	must(t, err)
	src := &apiKeySource{stack: stack}
	var key struct{ ID, Secret string }
	must(t, src.call(t.Context(), http.MethodPost, "/api_keys", map[string]string{"name": "deploy", "subject": alice}, &key))
	src.key = key.Secret
	if owner, err := src.owner(t.Context()); err != nil || owner != alice {
		t.Fatalf("the owner of the key = %q, %v; want %s", owner, err, alice)
	}

	o := options(t, stack, src)
	exec(t, remote(t, o), "CREATE TABLE note (body TEXT)")
	db := open(t, o)
	exec(t, db, "INSERT INTO note VALUES ('with a key')")
	sees(t, db, "SELECT body FROM note", "with a key")
	first, err := src.Token(t.Context())
	must(t, err)
	clock.Advance(10 * time.Minute)
	exec(t, db, "INSERT INTO note VALUES ('with another JWT')")
	if second, err := src.Token(t.Context()); err != nil || second.Value.Equal(first.Value) {
		t.Errorf("the JWT was not replaced (%v)", err)
	}

	must(t, src.call(t.Context(), http.MethodPost, "/api_keys/"+key.ID+"/revoke", map[string]string{"revocation_reason": "lost"}, &key))
	clock.Advance(10 * time.Minute)
	if _, err := db.ExecContext(t.Context(), "INSERT INTO note VALUES ('lost')"); !errors.Is(libsql.Explain(err), provider.ErrRejected) {
		t.Errorf("write with a revoked key: %v, want ErrRejected", err)
	}
	sees(t, db, "SELECT group_concat(body) FROM note", "with a key,with another JWT")
}
