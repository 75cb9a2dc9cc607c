package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// sweep is the input of a sweep: what it searches for, and where.
type sweep struct {
	Secrets, Dirs []string
	// Since is when the secrets were planted: files that were last written earlier, such as
	// programs, are skipped.
	Since time.Time
}

// swept is the result of a sweep: the paths that contain a secret, and the processes whose
// memory and environment can't be read.
type swept struct {
	Found  []string
	Closed []int
}

// sweepMain has the access of another program of the same user: it searches the arguments and
// the environment of every process, and files.
func sweepMain() {
	var s sweep
	if err := json.NewDecoder(os.Stdin).Decode(&s); err != nil {
		panic(err)
	}
	var result swept
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil || len(processes) == 0 {
		panic(fmt.Sprint("no processes: ", err))
	}
	for _, dir := range processes {
		for _, name := range []string{"cmdline", "environ"} {
			result.Found = append(result.Found, s.in(filepath.Join(dir, name))...)
		}
		if forbidden(dir, "environ") && forbidden(dir, "mem") && forbidden(dir, "maps") {
			pid, _ := strconv.Atoi(filepath.Base(dir))
			result.Closed = append(result.Closed, pid)
		}
	}
	for _, dir := range s.Dirs {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() && s.writtenSince(entry) {
				result.Found = append(result.Found, s.in(path)...)
			}
			return err
		})
		if err != nil {
			panic(err)
		}
	}
	slices.Sort(result.Found)
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		panic(err)
	}
}

func (s sweep) writtenSince(entry fs.DirEntry) bool {
	info, err := entry.Info()
	return err != nil || !info.ModTime().Before(s.Since)
}

// in returns path if the file contains one of the secrets.
func (s sweep) in(path string) []string {
	data, _ := os.ReadFile(path)
	for _, secret := range s.Secrets {
		if bytes.Contains(data, []byte(secret)) {
			return []string{path}
		}
	}
	return nil
}

func forbidden(dir, name string) bool {
	f, err := os.Open(filepath.Join(dir, name))
	if err == nil {
		_ = f.Close()
	}
	return errors.Is(err, fs.ErrPermission)
}
