package leftover

import (
	"os/exec"
	"syscall"

	"github.com/zen-auth/zen/internal/private"
)

// Watcher is a process that outlives this one, however that ends, and then ends what is
// left of one provider.
type Watcher struct{ cmd *exec.Cmd }

// Watch starts program as the watcher of a provider's directory. It is nil if there is
// no program for that, or none is to be had: the next zen sweeps the directory then.
func Watch(program string, dir *private.Dir) *Watcher {
	if program == "" || !dir.Marked() {
		return nil
	}
	cmd := &exec.Cmd{
		Path: program, Args: []string{program, verb, dir.Path}, Env: []string{}, Dir: "/",
		SysProcAttr: &syscall.SysProcAttr{Setsid: true}, // a signal for all of zen's group isn't for it
	}
	if cmd.Start() != nil {
		return nil
	}
	return &Watcher{cmd}
}

// Stop ends the watcher; wait waits for that, which takes longer than anything else at a
// provider's end.
func (w *Watcher) Stop() (wait func()) {
	if w == nil {
		return func() {}
	}
	_ = w.cmd.Process.Kill()
	return func() { _ = w.cmd.Wait() }
}

// Run returns the watcher's own process, if these are the arguments of one: it waits until
// who made the directory is gone.
func Run(args []string) (ok bool) {
	if len(args) != 3 || args[1] != verb {
		return false
	}
	private.SweepAfter(args[2], Prefix, End)
	return true
}
