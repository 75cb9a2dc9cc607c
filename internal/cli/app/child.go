package app

import (
	"os"
	"os/exec"
	"time"

	"github.com/zen-auth/zen/internal/terminal"
)

// Child is a command that zen waits for. From a terminal it shares zen's process
// Group: Ctrl-C and Ctrl-Z reach both. From elsewhere it has a group of its own, so
// that what it has started is told, too.
type Child struct {
	Cmd     *exec.Cmd
	Started time.Time
	Group   bool
	// Ended is closed when the command has ended, and cmd.ProcessState is there.
	Ended chan struct{}
}

func StartChild(path string, command, environ []string) (*Child, error) {
	cmd := exec.Command(path)
	cmd.Args, cmd.Env = command, environ
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	c := &Child{Cmd: cmd, Started: time.Now(), Group: !terminal.Is(os.Stdin), Ended: make(chan struct{})}
	if c.Group {
		ownGroup(cmd)
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.Ended)
		_ = cmd.Wait() // what it says is in cmd.ProcessState
	}()
	return c, nil
}

// Stop asks the command to end, kills it after grace, and waits for its end.
func (c *Child) Stop(grace time.Duration) {
	c.terminate()
	select {
	case <-c.Ended:
		return
	case <-time.After(grace):
	}
	c.kill()
	<-c.Ended
}
