//go:build live

package live

import (
	"os"
	"slices"
	"testing"
)

// TestLive queries the services for which the environment has credentials; make live runs it.
func TestLive(t *testing.T) {
	s := readSettings(os.Getenv)
	if s.dryRun != "" {
		dryRun(t, s, os.Stdout)
		return
	}
	o := options{recorder: newRecorder(), reference: referenceOf(t), each: func(name string, ask func() result) {
		t.Run(name, func(t *testing.T) {
			r := ask()
			if r.skipped != "" {
				t.Skipf("SKIPPED: %s", r.skipped)
			}
			for _, difference := range r.differences {
				t.Log("DIFFERENT ", difference)
			}
			// The project relies on the answers of the spike and the steps; all other
			// questions are asked because the answer isn't known.
			isOf := func(q question) bool { return q.id == r.id }
			if r.got["failed"] != "" || len(r.differences) > 0 && (slices.ContainsFunc(spike, isOf) || slices.ContainsFunc(steps, isOf)) {
				t.Fail()
			}
		})
	}}
	done, err := play(interruptible(), realTestbed(s), o, os.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	if done.failed() {
		t.Fail()
	}
}

// referenceOf returns the local stack's answers.
func referenceOf(t *testing.T) map[string]answer {
	local := startStack(t)
	done, err := ask(t.Context(), local.testbed(t.TempDir()+"/journal"), options{recorder: newRecorder(), each: func(_ string, ask func() result) { ask() }})
	if err != nil {
		t.Fatal(err)
	}
	return done.answers()
}
