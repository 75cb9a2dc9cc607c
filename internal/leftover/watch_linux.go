package leftover

import (
	"os/exec"
	"syscall"

	"github.com/zen-auth/zen/internal/private"
)

// Watcher is a process that outlives this one, even if this one is killed, and then ends the
// leftover processes of one provider.
type Watcher struct{ cmd *exec.Cmd }

// Watch starts program as the watcher of a provider's directory. It returns nil if there is
// no such program or it can't be started: the next zen then sweeps the directory.
func Watch(program string, dir *private.Dir) *Watcher {
	if program == "" || !dir.Marked() {
		return nil
	}
	cmd := &exec.Cmd{
		Path: program, Args: []string{program, verb, dir.Path}, Env: []string{}, Dir: "/",
		SysProcAttr: &syscall.SysProcAttr{Setsid: true}, // not reached by signals to zen's process group
	}
	if cmd.Start() != nil {
		return nil
	}
	return &Watcher{cmd}
}

// Stop kills the watcher. wait waits for its end, the slowest part of stopping a provider.
func (w *Watcher) Stop() (wait func()) {
	if w == nil {
		return func() {}
	}
	_ = w.cmd.Process.Kill()
	return func() { _ = w.cmd.Wait() }
}

// Run acts as the watcher if args are a watcher's arguments: it waits until the process that
// made the directory has ended.
func Run(args []string) (ok bool) {
	if len(args) != 3 || args[1] != verb {
		return false
	}
	private.SweepAfter(args[2], Prefix, End)
	return true
}
