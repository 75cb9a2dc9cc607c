package client

import "strings"

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
