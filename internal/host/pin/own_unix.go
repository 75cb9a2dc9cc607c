//go:build unix

package pin

import (
	"fmt"
	"os"
	"syscall"

	"github.com/zen-auth/zen/core/provider"
)

// checkOwn refuses a file that somebody else could have written.
func checkOwn(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.Mode().IsRegular():
		return &provider.Error{Kind: provider.ErrConfig, Message: "it is not a regular file"}
	case ok && stat.Uid != 0 && int(stat.Uid) != os.Geteuid():
		return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("it belongs to user %d, not to you", stat.Uid)}
	case info.Mode().Perm()&0o022 != 0:
		return &provider.Error{
			Kind: provider.ErrConfig, Message: "others may write to it", Hint: "look at what is in it, then chmod 600",
		}
	}
	return nil
}
