package main

import (
	"os"
	"os/exec"
	"time"
)

// child is a command that zen stays with. From a terminal it shares zen's process
// group: Ctrl-C and Ctrl-Z reach both. From elsewhere it has a group of its own, so
// that what it has started is told, too.
type child struct {
	cmd     *exec.Cmd
	started time.Time
	group   bool
	// ended is closed when the command has ended, and cmd.ProcessState is there.
	ended chan struct{}
}

func startChild(path string, command, environ []string) (*child, error) {
	cmd := exec.Command(path)
	cmd.Args, cmd.Env = command, environ
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	c := &child{cmd: cmd, started: time.Now(), group: !isTerminal(os.Stdin), ended: make(chan struct{})}
	if c.group {
		ownGroup(cmd)
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.ended)
		_ = cmd.Wait() // what it says is in cmd.ProcessState
	}()
	return c, nil
}

// stop asks the command to end, kills it after grace, and waits for its end.
func (c *child) stop(grace time.Duration) {
	c.terminate()
	select {
	case <-c.ended:
		return
	case <-time.After(grace):
	}
	c.kill()
	<-c.ended
}
