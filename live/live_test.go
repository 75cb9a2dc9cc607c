//go:build live

package live

import (
	"os"
	"slices"
	"testing"
)

// TestLive asks the services that the environment has credentials of; make live runs it.
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
			// What the project takes for granted has to be so; all else is asked because
			// it isn't known.
			isOf := func(q question) bool { return q.id == r.id }
			if r.got["failed"] != "" || len(r.differences) > 0 && (slices.ContainsFunc(spike, isOf) || slices.ContainsFunc(steps, isOf)) {
				t.Fail()
			}
		})
	}}
	done, err := play(interruptible(), realBed(s), o, os.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	if done.failed() {
		t.Fail()
	}
}

// referenceOf returns what the local stack answers.
func referenceOf(t *testing.T) map[string]answer {
	local := startStack(t)
	done, err := ask(t.Context(), local.bed(t.TempDir()+"/journal"), options{recorder: newRecorder(), each: func(_ string, ask func() result) { ask() }})
	if err != nil {
		t.Fatal(err)
	}
	return done.answers()
}
