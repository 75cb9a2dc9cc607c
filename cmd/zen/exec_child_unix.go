//go:build !windows

package main

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// forwarded are the signals that zen passes on to a command. At a terminal, those
// that the terminal sends reach the command directly.
func forwarded(terminal bool) []os.Signal {
	signals := []os.Signal{syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, os.Interrupt, syscall.SIGQUIT}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	if !terminal {
		signals = append(signals, syscall.SIGWINCH)
	}
	return signals
}

// signalNamed takes HUP, hup and SIGHUP.
func signalNamed(name string) (os.Signal, error) {
	number := unix.SignalNum("SIG" + strings.TrimPrefix(strings.ToUpper(name), "SIG"))
	switch number {
	case 0:
		return nil, errors.New("there is no such signal")
	case syscall.SIGKILL, syscall.SIGSTOP:
		return nil, errors.New("no program can act on it")
	}
	return number, nil
}

func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// forward passes a signal on. What the terminal sent, the command has already.
func (c *child) forward(s os.Signal) {
	switch {
	case c.group:
		c.send(s.(syscall.Signal))
	case s != syscall.SIGINT && s != syscall.SIGQUIT && s != syscall.SIGHUP:
		c.signal(s)
	}
}

// signal tells the command alone: to what it has started, the signal may mean
// something else.
func (c *child) signal(s os.Signal) { _ = c.cmd.Process.Signal(s) } // it may just have ended

func (c *child) terminate() { c.send(syscall.SIGTERM) }
func (c *child) kill()      { c.send(syscall.SIGKILL) }

func (c *child) send(number syscall.Signal) {
	select {
	case <-c.ended: // its number may be another group's by now
		return
	default:
	}
	if c.group {
		_ = syscall.Kill(-c.cmd.Process.Pid, number)
		return
	}
	c.signal(number)
}
