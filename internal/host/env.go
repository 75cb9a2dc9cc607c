package host

import (
	"runtime"
	"slices"
	"strings"
)

// passed are the variables that a provider sees: where it lives, in which language
// it speaks, and how it reaches the network. Settings come with Configure; a
// variable that a provider's description names is read by the host. All of the
// rest stays here, credentials of other tools above all.
var passed = []string{
	"HOME", "PATH", "TMPDIR", "USER", "LANG", "TZ",
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
	"http_proxy", "https_proxy", "all_proxy", "no_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR",
}

// passedOnWindows are the variables without which programs there don't start or find their files.
// Names are not case-sensitive there.
var passedOnWindows = []string{
	"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "USERPROFILE", "USERNAME",
	"APPDATA", "LOCALAPPDATA", "TEMP", "TMP",
}

// Allowed returns what of environ a provider may see.
func Allowed(environ []string) []string {
	var kept []string
	for _, entry := range environ {
		name, _, ok := strings.Cut(entry, "=")
		if ok && passes(name) {
			kept = append(kept, entry)
		}
	}
	return kept
}

func passes(name string) bool {
	if runtime.GOOS == "windows" {
		name = strings.ToUpper(name)
		if slices.Contains(passedOnWindows, name) {
			return true
		}
	}
	return slices.Contains(passed, name) || strings.HasPrefix(name, "LC_")
}
