package conformance

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// arguments returns the arguments of every process in the process group that pid leads.
// Every user of the machine can read them.
func arguments(pid int) string {
	var all strings.Builder
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// The fields after the name, which may contain anything: state, parent, group, ...
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) > 2 && fields[2] == strconv.Itoa(pid) {
			line, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
			all.Write(line)
			all.WriteByte('\n')
		}
	}
	return all.String()
}
