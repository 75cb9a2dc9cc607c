package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// A failure in the renewing process has the same kind in the waiting process.
func TestRenewalKeepsTheKindOfAFailure(t *testing.T) {
	for _, kind := range append(provider.Kinds(), nil) {
		var err error = &provider.Error{Kind: kind, Message: "clerk: HTTP 503", Hint: "wait", RetryAfter: 3 * time.Second}
		text, encodeErr := json.Marshal(newReport(fmt.Errorf("make a token: %w", err)))
		if encodeErr != nil {
			t.Fatal(encodeErr)
		}
		var r report
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		got := r.err()
		if provider.Kind(got) != kind || got.Error() != "make a token: clerk: HTTP 503" || provider.Hint(got) != "wait" || provider.RetryAfter(got) != 3*time.Second {
			t.Errorf("%v was decoded as %v (%v)", kind, got, provider.Kind(got))
		}
	}
	if err := newReport(fmt.Errorf("clerk: %w", errors.ErrUnsupported)).err(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("errors.ErrUnsupported was decoded as %v", err)
	}
	if err := newReport(nil).err(); err != nil {
		t.Error(err)
	}
}
