package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
)

// An error of the renewing process has the same kind, hint and delay in the waiting process,
// whatever its text.
func TestReportKeepsTheKind(t *testing.T) {
	for _, kind := range append(provider.Kinds(), nil) {
		err := fmt.Errorf("renew: %w", &provider.Error{Kind: kind, Message: "not signed in", Hint: "a hint", RetryAfter: time.Minute})
		text, encodeErr := json.Marshal(newReport(err))
		var r report
		if err := errors.Join(encodeErr, json.Unmarshal(text, &r)); err != nil {
			t.Fatal(err)
		}
		got := r.err()
		if provider.Kind(got) != kind || got.Error() != err.Error() || provider.Hint(got) != "a hint" || provider.RetryAfter(got) != provider.RetryAfter(err) {
			t.Errorf("%v was decoded as %v of kind %v", err, got, provider.Kind(got))
		}
	}
	if err := newReport(fmt.Errorf("clerk: %w", errors.ErrUnsupported)).err(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("errors.ErrUnsupported was decoded as %v", err)
	}
	if newReport(nil).err() != nil {
		t.Error("success was decoded as an error")
	}
}
