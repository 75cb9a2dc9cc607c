package harden

import (
	"errors"

	"golang.org/x/sys/unix"
)

// itself keeps the process's memory, which holds credentials, from core files and,
// with its environment, from other processes of the same user.
func itself() error { return errors.Join(noCore(), notDumpable()) }

func host() error { return errors.Join(noCoreHere(), notDumpable()) }

func notDumpable() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
