package app

import (
	"errors"
	"os"
	"os/exec"
)

// Forwarded returns the signals that zen survives: the console sends them to both.
func Forwarded(bool) []os.Signal { return []os.Signal{os.Interrupt} }

func SignalNamed(string) (os.Signal, error) {
	return nil, errors.New("Windows has none; restart works here, too")
}

func ownGroup(*exec.Cmd) {}

func (c *Child) Forward(os.Signal) {}
func (c *Child) Signal(os.Signal)  {}
func (c *Child) terminate()        { _ = terminate(c.Cmd.Process) }
func (c *Child) kill()             { _ = c.Cmd.Process.Kill() }
