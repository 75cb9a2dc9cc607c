package cli

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/zen-auth/zen/internal/testwait"
)

// family returns a process and all that it started, directly or not.
func family(t *testing.T, pid int) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	children := map[int][]int{}
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// proc_pid_stat(5): pid (comm) state ppid; comm may have anything in it.
		fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
		child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], child)
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// Every process of a zen token is killed at once, the one that renews too, as when
// memory runs out or the power fails. Then an answer can be lost with the process
// that waited for it; an issuer that takes the credential before the current one
// (Auth0's rotation overlap) makes that good. What is stored is never damaged.
func TestKilledFamiliesNeedTheIssuersOverlap(t *testing.T) {
	t.Parallel()
	m := newMachine(t, &issuer{used: true, overlap: true})
	n, killed := rounds(t, 40), 0
	for range n {
		cmd := m.command("token")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		testwait.Moment(t.Context(), 0, 100*time.Millisecond)
		for _, pid := range family(t, cmd.Process.Pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
		if cmd.Wait() != nil {
			killed++
		}
		if record, err := m.store.Load("default"); err != nil || len(record.Accounts) != 1 {
			t.Fatalf("the store: %d credentials, %v", len(record.Accounts), err)
		}
	}
	if out, err := m.command("token").CombinedOutput(); err != nil {
		t.Errorf("after %d kills: %v\n%s", killed, err, out)
	}
	m.check(t)
	t.Logf("%d of %d were killed; the issuer exchanged %d times", killed, n, m.issuer.exchanges)
}
