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
		"off by default":                       {"", "", ""},
		"in the state directory":               {"audit = true", "", "STATE"},
		"in the configured file":               {`audit = "` + drive + `/var/log/zen.log"`, "", filepath.FromSlash(drive + "/var/log/zen.log")},
		"switched on by the environment":       {"", "1", "STATE"},
		"in a file that the environment names": {"audit = true", drive + "/x/../y.log", filepath.FromSlash(drive + "/y.log")},
		"switched off by the environment":      {"audit = true", "0", ""},
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
