package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
)

// BenchmarkCall measures calls to a running process, by one caller and by 32, alternating
// with go-plugin as in BenchmarkStart.
func BenchmarkCall(b *testing.B) {
	m := manage(b, Options{}, "good", "bare")
	client := open(b, m, "good")
	theirs, stop := bare(b, inspected(b, m.options.Dirs[0], "bare"))
	defer stop()
	if _, err := theirs.Configure(context.Background(), nil); err != nil {
		b.Fatal(err)
	}
	for _, callers := range []int{1, 32} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			var zen, bare []time.Duration
			for b.Loop() {
				zen = append(zen, calls1000(b, client, callers)...)
				bare = append(bare, calls1000(b, theirs, callers)...)
			}
			for _, percent := range []int{50, 99} {
				b.ReportMetric(float64(quantile(zen, percent).Nanoseconds())/1000, fmt.Sprintf("zen-p%d-µs", percent))
				b.ReportMetric(float64(quantile(bare, percent).Nanoseconds())/1000, fmt.Sprintf("go-plugin-p%d-µs", percent))
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// calls1000 makes 1,024 calls and returns the duration of each.
func calls1000(b *testing.B, client provider.Identity, callers int) []time.Duration {
	times := make([]time.Duration, 1024)
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			for i := caller; i < len(times); i += callers {
				began := time.Now()
				if _, err := client.Verify(context.Background(), pidCommand); err != nil {
					b.Error(err)
				}
				times[i] = time.Since(began)
			}
		})
	}
	group.Wait()
	return times
}

// BenchmarkMemory measures the resident memory of providers that zen ships, built as for a
// release, after their first answer.
func BenchmarkMemory(b *testing.B) {
	dir := b.TempDir()
	for _, name := range []string{"clerk", "platformtoken"} {
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(dir, handshake.BinaryName(name)), "../../plugins/"+name)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		b.Run(name, func(b *testing.B) {
			var resident []float64
			for b.Loop() {
				m := NewManager(Options{Dirs: []string{dir}})
				if _, err := m.Describe(context.Background(), name); err != nil {
					b.Fatal(err)
				}
				m.mu.Lock()
				pid := m.fresh[name].client.conn.process.child.process.Pid
				m.mu.Unlock()
				status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
				if err := errors.Join(err, m.Close(context.Background())); err != nil {
					b.Skip(err)
				}
				var kilobytes float64
				_, rest, _ := strings.Cut(string(status), "VmRSS:")
				if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
					b.Fatal(err)
				}
				resident = append(resident, kilobytes/1024)
			}
			slices.Sort(resident)
			b.ReportMetric(resident[len(resident)/2], "MiB")
			b.ReportMetric(0, "ns/op")
		})
	}
}
