//go:build (darwin || dragonfly || freebsd || netbsd || openbsd) && !front

package main

import "golang.org/x/sys/unix"

const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
)
