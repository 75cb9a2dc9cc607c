//go:build !linux

package host

import (
	"os"
	"os/exec"
)

// from runs what is at the path. That it is still what was opened rests on who may
// write to the file and its directory.
func (p *program) from(cmd *exec.Cmd) { cmd.Path = p.path }

// holdStill has no means here.
func holdStill(*os.File) (reason string) { return "" }

func letGo(*os.File) {}

// heldStill is false: this system can't say.
func heldStill(*os.File) bool { return false }
