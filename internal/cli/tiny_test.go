package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/zen-auth/zen/core/plugin"
	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/handshake"
)

// tiny is a third party's provider: this test binary with the version appended.
type tiny struct{ version string }

func (p tiny) Describe(context.Context) (provider.Description, error) {
	return provider.Description{Name: "tiny", Version: p.version, Fields: []provider.Field{
		{Key: "api_key", Type: provider.TypeString, Required: true, Sensitive: true, Doc: "the key of\tthe account", Env: []string{"TINY_API_KEY", "OTHERS_API_KEY"}},
	}}, nil
}
func (tiny) Configure(context.Context, provider.Settings) ([]provider.Note, error) { return nil, nil }
func (tiny) Check(context.Context, provider.CheckRequest, func(provider.Finding) error) (*provider.Credential, error) {
	return nil, nil
}

func tinyMain() {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	data, err := os.ReadFile(self)
	if err != nil {
		panic(err)
	}
	plugin.Serve(tiny{version: string(data[bytes.LastIndexByte(data, '\n')+1:])})
	syscall.Exit(0) // os.Exit takes a second under the race detector
}

// makeTiny is the command "tiny VERSION DIR". It writes a zen-provider-tiny of the version.
func makeTiny(ts *testscript.TestScript, _ bool, args []string) {
	self, err := os.Executable()
	ts.Check(err)
	data, err := os.ReadFile(self)
	ts.Check(err)
	data = append(data, "\n"+args[0]...)
	ts.Check(os.WriteFile(ts.MkAbs(filepath.Join(args[1], handshake.BinaryName("tiny"))), data, 0o755))
}
