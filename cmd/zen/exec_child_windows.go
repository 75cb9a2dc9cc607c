package main

import (
	"errors"
	"os"
	"os/exec"
)

// forwarded is what zen outlives: the console sends it to both.
func forwarded(bool) []os.Signal { return []os.Signal{os.Interrupt} }

func signalNamed(string) (os.Signal, error) {
	return nil, errors.New("Windows has none; restart works here, too")
}

func ownGroup(*exec.Cmd) {}

func (c *child) forward(os.Signal) {}
func (c *child) signal(os.Signal)  {}
func (c *child) terminate()        { _ = terminate(c.cmd.Process) }
func (c *child) kill()             { _ = c.cmd.Process.Kill() }
