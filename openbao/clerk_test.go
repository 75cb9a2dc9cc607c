package openbao_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/zen-auth/zen/devstack"
)

// clerkGet and clerkPost use Clerk's Backend API, as a team's administrator would.
func clerkGet(t testing.TB, stack *devstack.Stack, path string) object {
	t.Helper()
	return clerkCall(t, stack, http.MethodGet, path, nil)
}

func clerkPost(t testing.TB, stack *devstack.Stack, path string, body object) object {
	t.Helper()
	return clerkCall(t, stack, http.MethodPost, path, body)
}

func clerkCall(t testing.TB, stack *devstack.Stack, method, path string, body object) object {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, stack.Clerk.BackendURL()+path, bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+stack.Clerk.SecretKey())
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer object
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: answer %s, %v, %v", method, path, resp.Status, answer, err)
	}
	return answer
}
