package app

import (
	"runtime/debug"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBuildOf(t *testing.T) {
	var recorded debug.BuildInfo
	recorded.Main.Version = "v0.1.0"
	recorded.Settings = []debug.BuildSetting{
		{Key: "-tags", Value: "urfave_cli_no_docs,front"},
		{Key: "vcs.revision", Value: "a9fdb6877f"}, {Key: "vcs.time", Value: "2026-11-30T14:36:38Z"}, {Key: "vcs.modified", Value: "true"},
	}
	want := Build{
		Version: "v0.1.0", Commit: "a9fdb6877f", Time: time.Date(2026, 11, 30, 14, 36, 38, 0, time.UTC),
		Modified: true, Tags: []string{"urfave_cli_no_docs", "front"},
	}
	if diff := cmp.Diff(want, buildOf(&recorded)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Build{Version: "(devel)", Tags: []string{}}, buildOf(&debug.BuildInfo{Main: debug.Module{Version: "(devel)"}})); diff != "" {
		t.Error(diff)
	}
}
