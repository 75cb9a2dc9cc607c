package devstacktest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/zen-auth/zen/devstack"
	"github.com/zen-auth/zen/devstack/devstacktest"
)

// expiry is a test of what an app does when its token has expired.
func expiry(t *testing.T) {
	clock := devstack.NewClock(time.Now())
	stack := devstacktest.Start(t, devstack.Options{Now: clock.Now})
	token := devstacktest.Token(t, stack, "alice@example.test", devstack.Template)

	query := func() int {
		body := strings.NewReader(`{"requests":[{"type":"execute","stmt":{"sql":"SELECT 1"}},{"type":"close"}]}`)
		req, err := http.NewRequestWithContext(t.Context(), "POST", stack.DatabaseURL()+"/v2/pipeline", body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if status := query(); status != http.StatusOK {
		t.Errorf("a fresh token: status %d", status)
	}
	clock.Advance(time.Hour)
	if status := query(); status != http.StatusBadRequest {
		t.Errorf("an expired token: status %d", status)
	}
}

func Example() {
	var t *testing.T // of the test
	expiry(t)
}
