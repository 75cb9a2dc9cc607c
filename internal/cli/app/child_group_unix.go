//go:build !windows

package app

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Forwarded returns the signals that zen passes on to a command. At a terminal, those
// that the terminal sends reach the command directly.
func Forwarded(terminal bool) []os.Signal {
	signals := []os.Signal{syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, os.Interrupt, syscall.SIGQUIT}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	if !terminal {
		signals = append(signals, syscall.SIGWINCH)
	}
	return signals
}

// SignalNamed takes HUP, hup and SIGHUP.
func SignalNamed(name string) (os.Signal, error) {
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

// Forward passes a signal on. What the terminal sent, the command has already.
func (c *Child) Forward(s os.Signal) {
	switch {
	case c.Group:
		c.send(s.(syscall.Signal))
	case s != syscall.SIGINT && s != syscall.SIGQUIT && s != syscall.SIGHUP:
		c.Signal(s)
	}
}

// Signal signals the command alone: to what it has started, the signal may mean
// something else.
func (c *Child) Signal(s os.Signal) { _ = c.Cmd.Process.Signal(s) } // it may just have ended

func (c *Child) terminate() { c.send(syscall.SIGTERM) }
func (c *Child) kill()      { c.send(syscall.SIGKILL) }

func (c *Child) send(number syscall.Signal) {
	select {
	case <-c.Ended: // its number may be another group's by now
		return
	default:
	}
	if c.Group {
		_ = syscall.Kill(-c.Cmd.Process.Pid, number)
		return
	}
	c.Signal(number)
}
