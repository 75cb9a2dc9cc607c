package breaker_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/breaker"
)

var (
	start     = time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC)
	fallbacks = []string{"turso", "spare"}
	rw        = breaker.Rights{Access: provider.AccessReadWrite}
	ro        = breaker.Rights{
		Access:      provider.AccessReadOnly,
		Permissions: []provider.Permission{{Tables: []string{"notes"}, Actions: []provider.Action{"data_read"}}},
	}
)

func TestRoute(t *testing.T) {
	open := breaker.State{}.Refused(start, "turso", rw)
	for name, test := range map[string]struct {
		state breaker.State
		after time.Duration
		want  breaker.Route
	}{
		"closed":                         {breaker.State{}, 0, breaker.Own},
		"just opened":                    {open, 0, breaker.Fallback},
		"a moment before the trial":      {open, 30*time.Second - 1, breaker.Fallback},
		"when the trial is due":          {open, 30 * time.Second, breaker.Trial},
		"long after":                     {open, time.Hour, breaker.Trial},
		"the clock went back a little":   {open, -time.Minute, breaker.Fallback},
		"the clock was set back far":     {open, -time.Hour, breaker.Trial},
		"while a trial is made":          {open.TrialFailed(start.Add(30 * time.Second)), time.Minute, breaker.Fallback},
		"after a trial that failed":      {open.TrialFailed(start.Add(30 * time.Second)), 90 * time.Second, breaker.Trial},
		"unavailable, just opened":       {breaker.State{}.Unavailable(start, "turso", rw), 0, breaker.Fallback},
		"recovered":                      {open.Recovered(), time.Hour, breaker.Own},
		"moved on to the next":           {open.Refused(start.Add(time.Second), "spare", rw), 30 * time.Second, breaker.Fallback},
		"moved on, and its trial is due": {open.Refused(start.Add(time.Second), "spare", rw), 31 * time.Second, breaker.Trial},
	} {
		if got := test.state.Route(start.Add(test.after)); got != test.want {
			t.Errorf("%s: route %d, want %d", name, got, test.want)
		}
	}
}

// Each failed trial doubles the wait before the next, up to five minutes. When the database
// refuses another fallback, too, the wait is not reset.
func TestWaits(t *testing.T) {
	state, now := breaker.State{}.Refused(start, "turso", rw), start
	var waits []time.Duration
	for range 6 {
		waits = append(waits, state.RetryAt.Sub(now))
		now = state.RetryAt
		state = state.TrialFailed(now)
	}
	want := []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute, 5 * time.Minute}
	if diff := cmp.Diff(want, waits); diff != "" {
		t.Error(diff)
	}
	if next := state.Refused(now, "spare", rw); next.Failures != 6 || next.RetryAt.Sub(now) != breaker.LastRetry || !next.Since.Equal(now) {
		t.Errorf("the next fallback: %+v", next)
	}
	if again := state.Recovered().Refused(now, "turso", rw); again.Failures != 0 || again.RetryAt.Sub(now) != breaker.FirstRetry {
		t.Errorf("opened again: %+v", again)
	}
	if breaker.Wait(1<<30) != breaker.LastRetry {
		t.Error("Wait has no upper limit")
	}
}

func TestAmong(t *testing.T) {
	open := breaker.State{}.Refused(start, "turso", rw)
	for name, test := range map[string]struct {
		fallbacks []string
		after     time.Duration
		open      bool
	}{
		"one of the fallbacks":        {fallbacks, 0, true},
		"no longer configured":        {[]string{"spare"}, 0, false},
		"no fallbacks are configured": {nil, 0, false},
		"what was granted a week ago": {fallbacks, breaker.Memory, true},
		"what was granted longer ago": {fallbacks, breaker.Memory + time.Hour, false},
		"clock set back a week":       {fallbacks, -breaker.Memory, true},
	} {
		if got := open.Among(test.fallbacks, start.Add(test.after)); got.Open() != test.open {
			t.Errorf("%s: Among = %+v, want open %v", name, got, test.open)
		}
	}
	if got := (breaker.State{}).Among([]string{""}, start); got.Open() {
		t.Errorf("a closed one: %+v", got)
	}
}

func TestCandidatesAndServes(t *testing.T) {
	for _, test := range []struct {
		fallbacks  []string
		own, after string
		want       []string
	}{
		{fallbacks, "clerk", "", []string{"turso", "spare"}},
		{fallbacks, "clerk", "turso", []string{"spare"}},
		{fallbacks, "clerk", "spare", nil},
		{fallbacks, "turso", "", []string{"spare"}},
		{nil, "clerk", "", nil},
		{fallbacks, "clerk", "gone", []string{"turso", "spare"}},
	} {
		got := breaker.Candidates(test.fallbacks, test.own, test.after)
		if !slices.Equal(got, test.want) {
			t.Errorf("after %q of %v for %s: %v, want %v", test.after, test.fallbacks, test.own, got, test.want)
		}
	}
	if !slices.Equal(fallbacks, []string{"turso", "spare"}) {
		t.Error("Candidates changed its argument")
	}
	state := breaker.State{}.Refused(start, "turso", rw)
	for _, test := range []struct {
		state  breaker.State
		after  string
		passed time.Duration
		want   bool
	}{
		{state, "", 0, true},
		{state, "turso", 0, false},
		{state.Refused(start, "spare", rw), "turso", 0, true},
		{state, "", 31 * time.Second, false}, // a trial is due
		{breaker.State{}, "", 0, false},
	} {
		if got := test.state.Serves(fallbacks, test.after, start.Add(test.passed)); got != test.want {
			t.Errorf("%s serves after %q: %v", test.state.Via, test.after, got)
		}
	}
}

func TestRights(t *testing.T) {
	state := breaker.State{}.Refused(start, "turso", rw)
	if narrow := state.TrialFailed(start).Limited(ro); !narrow.Rights.Equal(ro) || narrow.Via != "turso" || narrow.Failures != 1 {
		t.Errorf("Limited = %+v, want the narrow rights and all else unchanged", narrow)
	}
	if ro.Equal(rw) || ro.Equal(breaker.Rights{Access: provider.AccessReadOnly}) || !ro.Equal(ro) {
		t.Error("Rights.Equal ignores a part")
	}
}

// The form in the credentials file is also read by other versions of zen.
func TestStoredForm(t *testing.T) {
	const stored = `{"via":"turso","unavailable":true,"since":"2026-01-03T00:00:00Z","probe":"2026-01-03T00:00:30Z","failures":2,` +
		`"access":"ro","permissions":[{"Tables":["notes"],"Actions":["data_read"]}],"env_names":["X"]}`
	var state breaker.State
	if err := json.Unmarshal([]byte(stored), &state); err != nil {
		t.Fatal(err)
	}
	want := breaker.State{
		Via: "turso", Because: breaker.Unavailable, Since: start, RetryAt: start.Add(30 * time.Second), Failures: 2, Rights: ro, EnvNames: []string{"X"},
	}
	if diff := cmp.Diff(want, state); diff != "" {
		t.Error(diff)
	}
	if data, err := json.Marshal(want); err != nil || string(data) != stored {
		t.Errorf("encoded as %s, %v", data, err)
	}
}
