package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/zen-auth/zen/internal/handshake"
	"github.com/zen-auth/zen/internal/wire"
)

// BenchmarkStart measures the time from nothing to the first answer, alternating between this
// package with a pinned binary, and go-plugin with AutoMTLS and SecureConfig on both sides,
// as in its documentation. Stopping is not included. The metrics are medians.
func BenchmarkStart(b *testing.B) {
	dir := installed(b, "good", "bare")
	good, bare := inspected(b, dir, "good"), inspected(b, dir, "bare")
	var ours, theirs []time.Duration
	for b.Loop() {
		ours = append(ours, startOurs(b, dir, good))
		theirs = append(theirs, startTheirs(b, bare))
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

func inspected(b *testing.B, dir, name string) Binary {
	b.Helper()
	binary, err := Inspect([]string{dir}, name)
	if err != nil {
		b.Fatal(err)
	}
	return binary
}

func startTheirs(b *testing.B, pinned Binary) time.Duration {
	began := time.Now()
	_, stop := bare(b, pinned)
	took := time.Since(began)
	stop()
	return took
}

// bare starts a provider that uses only go-plugin from a host that uses only go-plugin, with
// the protection that go-plugin offers. The provider has answered one call.
func bare(b *testing.B, pinned Binary) (client *wire.Client, stop func()) {
	sum, err := hex.DecodeString(pinned.SHA256)
	if err != nil {
		b.Fatal(err)
	}
	host := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  handshake.Config,
		VersionedPlugins: map[int]goplugin.PluginSet{handshake.ProtocolVersion: {}},
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

// BenchmarkStartFour is BenchmarkStart for four providers at once: the time until the last
// one has answered.
func BenchmarkStartFour(b *testing.B) {
	names := []string{"good-1", "good-2", "good-3", "good-4"}
	dir := installed(b, append(names, "bare-1", "bare-2", "bare-3", "bare-4")...)
	var goods, bares []Binary
	for _, name := range names {
		goods = append(goods, inspected(b, dir, name))
		bares = append(bares, inspected(b, dir, strings.Replace(name, "good", "bare", 1)))
	}
	var ours, theirs []time.Duration
	for b.Loop() {
		m := NewManager(Options{Dirs: []string{dir}, Trust: func(_ context.Context, found Binary) error {
			if !slices.Contains(goods, found) {
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
		stops := make([]func(), len(bares))
		for i, binary := range bares {
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

// report reports the medians, in milliseconds.
func report(b *testing.B, ours, theirs []time.Duration) {
	zen, bare := quantile(ours, 50), quantile(theirs, 50)
	b.ReportMetric(float64(zen.Microseconds())/1000, "zen-ms")
	b.ReportMetric(float64(bare.Microseconds())/1000, "go-plugin-ms")
	b.ReportMetric(float64(zen)/float64(bare), "ratio")
	b.ReportMetric(0, "ns/op") // hides the time of both together, with stopping
}

func quantile(times []time.Duration, percent int) time.Duration {
	slices.Sort(times)
	return times[min(len(times)*percent/100, len(times)-1)]
}

// BenchmarkStop measures stopping a healthy process.
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
