package live

import (
	"path/filepath"
	"slices"
	"testing"
)

// TestStack asks the local stack, where every question has the expected answer, and then
// stacks with other answers, which the transcript has to report.
func TestStack(t *testing.T) {
	s := startStack(t)
	journal := filepath.Join(t.TempDir(), "journal")
	done, err := ask(t.Context(), s.testbed(journal), options{recorder: newRecorder(), each: func(name string, ask func() result) {
		t.Run(name, func(t *testing.T) {
			r := ask()
			if r.skipped != "" {
				t.Skipf("SKIPPED: %s", r.skipped) // only for lack of replicas
			}
			for _, difference := range r.differences {
				t.Error(difference)
			}
		})
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range done.results {
		if r.skipped != "" && !slices.Contains(r.needs, "replica") {
			t.Errorf("%s was skipped: %s", r.id, r.skipped)
		}
	}
	if done.left != nil || done.foreign != nil {
		t.Error(done.left, done.foreign)
	}
	s.isEmpty(t)
	s.noLeaks(t, done.transcript(done.answers()))
	for _, o := range deviations {
		if o.fault != "" {
			t.Run(o.name, func(t *testing.T) { s.askWithFault(t, o, journal, done.answers()) })
		}
	}
	s.askWithOverrides(t, journal, done.answers())
	s.isEmpty(t)
}
