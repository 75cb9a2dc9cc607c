package client

import (
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/host"
	"github.com/zen-auth/zen/internal/replace"
)

// bundled are the sums of the providers that this zen comes with, set by the linker:
// NAME=SHA256, separated by commas. (See the Makefile.) A zen that was built
// without knows none: then the providers beside it have to be trusted like others.
var bundled string

func bundledSums() map[string]string {
	sums := make(map[string]string)
	for entry := range strings.SplitSeq(bundled, ",") {
		if name, sum, ok := strings.Cut(entry, "="); ok {
			sums[name] = sum
		}
	}
	return sums
}

// The states of a BundledProvider.
const (
	BundledMatches = "match"   // the file has the sum that zen was built with
	BundledChanged = "changed" // the file has another
	BundledMissing = "missing" // there is no file
	BundledRefused = "refused" // the file may not run, whatever is in it
)

// BundledProvider is a provider that this zen was built with, and the file that is
// beside zen now.
type BundledProvider struct {
	Name string `json:"name"`
	// SHA256 was linked into zen, Found is the file's; both in hexadecimal.
	SHA256 string `json:"sha256"`
	Found  string `json:"found_sha256,omitempty"`
	Path   string `json:"path,omitempty"`
	State  string `json:"state"`
	// Reason says why the file was refused.
	Reason string `json:"reason,omitempty"`
}

// BundledProviders compares the files in the directory of this program with the sums
// that it was built with, by name. It reads each file, and starts none. An error means
// that the directory isn't known.
func BundledProviders() ([]BundledProvider, error) {
	self, err := replace.Self()
	if err != nil {
		return nil, err
	}
	return compareBundled(filepath.Dir(self), bundledSums()), nil
}

func compareBundled(dir string, sums map[string]string) []BundledProvider {
	all := []BundledProvider{}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		p := BundledProvider{Name: name, SHA256: sums[name]}
		binary, err := host.Inspect([]string{dir}, name)
		var missing *host.NotFoundError
		switch {
		case errors.As(err, &missing):
			p.State = BundledMissing
		case err != nil:
			p.State, p.Reason = BundledRefused, err.Error()
		default:
			p.Path, p.Found, p.State = binary.Path, binary.SHA256, BundledMatches
			if p.Found != p.SHA256 {
				p.State = BundledChanged
			}
		}
		all = append(all, p)
	}
	return all
}

// VerifyBundled is nil where every one of the providers matches. Its errors are
// provider.ErrNoProvider, also for a zen that was built with no sums: nothing was
// proven then.
func VerifyBundled(providers []BundledProvider) error {
	if len(providers) == 0 {
		return &provider.Error{
			Kind: provider.ErrNoProvider, Message: "this zen was built without the sums of its providers: there is nothing to compare them with",
			Hint: "make build links them; `zen provider verify` compares with what you have pinned",
		}
	}
	var bad []string
	for _, p := range providers {
		if p.State != BundledMatches {
			bad = append(bad, p.Name+" ("+p.State+")")
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return &provider.Error{
		Kind: provider.ErrNoProvider, Message: "not what this zen was built with: " + strings.Join(bad, ", "),
		Hint: "install zen and its providers again, from one archive",
	}
}
