package config_test

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestAudit(t *testing.T) {
	// A path is absolute from the root of a drive on.
	drive := strings.ReplaceAll(filepath.VolumeName(t.TempDir()), `\`, "/")
	for name, test := range map[string]struct{ file, variable, want string }{
		"off":                       {"", "", ""},
		"in the state directory":    {"audit = true", "", "STATE"},
		"elsewhere":                 {`audit = "` + drive + `/var/log/zen.log"`, "", filepath.FromSlash(drive + "/var/log/zen.log")},
		"by the environment":        {"", "1", "STATE"},
		"by the environment, where": {"audit = true", drive + "/x/../y.log", filepath.FromSlash(drive + "/y.log")},
		"not for this run":          {"audit = true", "0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHome(t, test.file+"\n")
			h.environ = append(h.environ, "ZEN_AUDIT="+test.variable)
			c := h.mustLoad()
			want := test.want
			if want == "STATE" {
				want = filepath.Join(c.Paths.StateDir, "audit.log")
			}
			if c.Audit.Value != want {
				t.Errorf("audit = %q from %s, want %q", c.Audit.Value, c.Audit.Origin, want)
			}
		})
	}
}
