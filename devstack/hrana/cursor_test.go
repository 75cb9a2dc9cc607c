package hrana

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zen-auth/zen/devstack/engine"
)

// TestSlowRowsAreSentOneByOne checks that a late row is sent at once, and that rows that
// arrive together are sent together.
func TestSlowRowsAreSentOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := httptest.NewRecorder()
		out := newLines(answer)
		defer out.timer.Stop()
		for i, step := range []struct {
			after time.Duration
			sent  int
		}{{0, 0}, {time.Second, 2}, {0, 2}, {time.Second, 4}, {time.Second, 5}} {
			time.Sleep(step.after)
			synctest.Wait()
			if err := out.Row([]engine.Value{{Kind: engine.Integer, Int: int64(i)}}); err != nil {
				t.Fatal(err)
			}
			if sent := strings.Count(answer.Body.String(), "\n"); sent != step.sent {
				t.Errorf("row %d: %d are sent, want %d", i+1, sent, step.sent)
			}
		}
	})
}
