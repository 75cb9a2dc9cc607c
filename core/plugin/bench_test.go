package plugin

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/zen-auth/zen/core/provider/wire"
)

// BenchmarkStart is from nothing to the first answer of a process, which is then
// ended, for this package and for go-plugin with AutoMTLS as its documentation
// uses it. The end isn't counted.
func BenchmarkStart(b *testing.B) {
	dir := installed(b, "good")
	b.Run("zen", func(b *testing.B) {
		for b.Loop() {
			m := NewManager(Options{Dirs: []string{dir}})
			if _, err := m.Describe(context.Background(), "good"); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			if err := m.Close(context.Background()); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	})
	b.Run("go-plugin", func(b *testing.B) {
		for b.Loop() {
			client := goplugin.NewClient(&goplugin.ClientConfig{
				HandshakeConfig:  handshake,
				VersionedPlugins: map[int]goplugin.PluginSet{ProtocolVersion: {}},
				Cmd:              exec.Command(filepath.Join(dir, BinaryName("good"))),
				AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
				AutoMTLS:         true,
				Logger:           hclog.NewNullLogger(),
			})
			protocol, err := client.Client()
			if err != nil {
				b.Fatal(err)
			}
			if _, err := wire.NewClient(protocol.(*goplugin.GRPCClient).Conn, nil).Describe(context.Background()); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			client.Kill()
			b.StartTimer()
		}
	})
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
