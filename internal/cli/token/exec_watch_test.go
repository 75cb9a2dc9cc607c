//go:build unix

package token

import (
	"os/exec"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/session"
)

// A command that ended just as its next token arrived isn't started again.
func TestWatchLeavesAnEndedCommand(t *testing.T) {
	path, err := exec.LookPath("true")
	if err != nil {
		t.Fatal(err)
	}
	ended, err := app.StartChild(path, []string{"true"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	<-ended.Ended
	w := &watcher{env: &app.Env{}, path: path, command: []string{"true"}, child: ended, token: provider.Token{Value: provider.NewSecret("old")}}
	w.session = session.New(session.Config{})
	if err := w.take(renewal{token: provider.Token{Value: provider.NewSecret("new")}}, nil); err != nil || w.child != ended {
		t.Errorf("take() = %v, restarted: %t", err, w.child != ended)
	}
}
