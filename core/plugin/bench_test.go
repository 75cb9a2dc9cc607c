package plugin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/core/provider/wire"
)

// BenchmarkStart is from nothing to the first answer, in turns: for this package
// with a pinned binary, and for go-plugin with AutoMTLS and SecureConfig as its
// documentation uses them. The end isn't counted. The metrics are medians.
func BenchmarkStart(b *testing.B) {
	dir := installed(b, "good")
	binary, err := Inspect([]string{dir}, "good")
	if err != nil {
		b.Fatal(err)
	}
	var ours, theirs []time.Duration
	for b.Loop() {
		ours = append(ours, startOurs(b, dir, binary))
		theirs = append(theirs, startTheirs(b, binary))
	}
	report(b, ours, theirs)
}

func startOurs(b *testing.B, dir string, pinned Binary) time.Duration {
	began := time.Now()
	m := NewManager(Options{Dirs: []string{dir}, Trust: func(_ context.Context, found Binary) error {
		if found != pinned {
			return errors.New("changed")
		}
		return nil
	}})
	_, err := m.Describe(context.Background(), "good")
	took := time.Since(began)
	if err := errors.Join(err, m.Close(context.Background())); err != nil {
		b.Fatal(err)
	}
	return took
}

func startTheirs(b *testing.B, pinned Binary) time.Duration {
	began := time.Now()
	_, stop := bare(b, pinned)
	took := time.Since(began)
	stop()
	return took
}

// bare is a provider as a host starts it that only has go-plugin, with what that
// offers to be safe, and that answered once.
func bare(b *testing.B, pinned Binary) (client *wire.Client, stop func()) {
	sum, err := hex.DecodeString(pinned.SHA256)
	if err != nil {
		b.Fatal(err)
	}
	host := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  handshake,
		VersionedPlugins: map[int]goplugin.PluginSet{ProtocolVersion: {}},
		Cmd:              exec.Command(pinned.Path),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS:         true,
		SecureConfig:     &goplugin.SecureConfig{Checksum: sum, Hash: sha256.New()},
		Logger:           hclog.NewNullLogger(),
	})
	protocol, err := host.Client()
	if err == nil {
		client = wire.NewClient(protocol.(*goplugin.GRPCClient).Conn, func(s string) string { return s })
		_, err = client.Describe(context.Background())
	}
	if err != nil {
		host.Kill()
		b.Error(err) // not Fatal: four are started by goroutines
	}
	return client, host.Kill
}

// BenchmarkStartFour is BenchmarkStart for four providers at once: the time to the
// last one's first answer.
func BenchmarkStartFour(b *testing.B) {
	names := []string{"good-1", "good-2", "good-3", "good-4"}
	dir := installed(b, names...)
	var binaries []Binary
	for _, name := range names {
		binary, err := Inspect([]string{dir}, name)
		if err != nil {
			b.Fatal(err)
		}
		binaries = append(binaries, binary)
	}
	var ours, theirs []time.Duration
	for b.Loop() {
		m := NewManager(Options{Dirs: []string{dir}, Trust: func(_ context.Context, found Binary) error {
			if !slices.Contains(binaries, found) {
				return errors.New("changed")
			}
			return nil
		}})
		began := time.Now()
		var group sync.WaitGroup
		for _, name := range names {
			group.Go(func() {
				if _, err := m.Describe(context.Background(), name); err != nil {
					b.Error(err)
				}
			})
		}
		group.Wait()
		ours = append(ours, time.Since(began))
		if err := m.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
		began = time.Now()
		stops := make([]func(), len(binaries))
		for i, binary := range binaries {
			group.Go(func() { _, stops[i] = bare(b, binary) })
		}
		group.Wait()
		theirs = append(theirs, time.Since(began))
		for _, stop := range stops {
			group.Go(stop)
		}
		group.Wait()
	}
	report(b, ours, theirs)
}

// report takes medians, in milliseconds.
func report(b *testing.B, ours, theirs []time.Duration) {
	zen, bare := quantile(ours, 50), quantile(theirs, 50)
	b.ReportMetric(float64(zen.Microseconds())/1000, "zen-ms")
	b.ReportMetric(float64(bare.Microseconds())/1000, "go-plugin-ms")
	b.ReportMetric(float64(zen)/float64(bare), "ratio")
	b.ReportMetric(0, "ns/op") // of both, and their ends
}

func quantile(times []time.Duration, percent int) time.Duration {
	slices.Sort(times)
	return times[min(len(times)*percent/100, len(times)-1)]
}

// BenchmarkStop is the end of a healthy process.
func BenchmarkStop(b *testing.B) {
	dir := installed(b, "good")
	for b.Loop() {
		b.StopTimer()
		m := NewManager(Options{Dirs: []string{dir}})
		if _, err := m.Describe(context.Background(), "good"); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := m.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCall is calls to a running process, by one caller and by 32, in turns with
// go-plugin as in BenchmarkStart.
func BenchmarkCall(b *testing.B) {
	m := manage(b, Options{}, "good")
	client := open(b, m, "good")
	binary, err := Inspect(m.options.Dirs, "good")
	if err != nil {
		b.Fatal(err)
	}
	theirs, stop := bare(b, binary)
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

// calls1000 makes 1,024 calls and returns how long each took.
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

// BenchmarkMemory is what the providers that zen comes with take once they answered,
// built as they ship.
func BenchmarkMemory(b *testing.B) {
	dir := b.TempDir()
	for _, name := range []string{"clerk", "platformtoken"} {
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(dir, BinaryName(name)), "../../plugins/"+name)
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
