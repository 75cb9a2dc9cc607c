package plugin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

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
	slices.Sort(ours)
	slices.Sort(theirs)
	zen, bare := ours[len(ours)/2], theirs[len(theirs)/2]
	b.ReportMetric(float64(zen.Microseconds())/1000, "zen-ms")
	b.ReportMetric(float64(bare.Microseconds())/1000, "go-plugin-ms")
	b.ReportMetric(float64(zen)/float64(bare), "ratio")
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
	sum, err := hex.DecodeString(pinned.SHA256)
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	client := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  handshake,
		VersionedPlugins: map[int]goplugin.PluginSet{ProtocolVersion: {}},
		Cmd:              exec.Command(pinned.Path),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS:         true,
		SecureConfig:     &goplugin.SecureConfig{Checksum: sum, Hash: sha256.New()},
		Logger:           hclog.NewNullLogger(),
	})
	defer client.Kill()
	protocol, err := client.Client()
	if err != nil {
		b.Fatal(err)
	}
	if _, err := wire.NewClient(protocol.(*goplugin.GRPCClient).Conn, nil).Describe(context.Background()); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
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

// BenchmarkCall is one call to a running process.
func BenchmarkCall(b *testing.B) {
	m := manage(b, Options{}, "good")
	client := open(b, m, "good")
	for b.Loop() {
		if _, err := client.Verify(context.Background(), pidCommand); err != nil {
			b.Fatal(err)
		}
	}
}
