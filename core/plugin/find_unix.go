//go:build unix

package plugin

import "io/fs"

// unsafe says why a binary may not run, or "".
func unsafe(info fs.FileInfo) string {
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return "it is not a regular file"
	case mode.Perm()&0o111 == 0:
		return "it is not executable"
	case mode.Perm()&0o022 != 0:
		return "others may write to it"
	}
	return ""
}
