package dev

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
)

func TestInvalidOptions(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	directory := t.TempDir()
	for name, test := range map[string]struct {
		o    Options
		want string
		kind error
	}{
		"all addresses":        {Options{CI: "none", Listen: "0.0.0.0:0"}, "not a loopback address", app.ErrUsage},
		"address in use":       {Options{CI: "none", Listen: taken.Addr().String()}, "listen", provider.ErrConfig},
		"Auth0 address in use": {Options{CI: "none", Auth0Listen: taken.Addr().String()}, "listen", provider.ErrConfig},
		"unknown fault":        {Options{CI: "none", Faults: []string{"nope"}}, "no such fault", app.ErrUsage},
		"unknown CI system":    {Options{CI: "nope"}, "no such system", app.ErrUsage},
		"missing seed":         {Options{CI: "none", Seed: "nope.toml"}, "nope.toml", provider.ErrConfig},
		"directory as a seed":  {Options{CI: "none", Seed: directory}, directory + ": is a directory", provider.ErrConfig},
		"negative latency":     {Options{CI: "none", Latency: -1}, "negative", app.ErrUsage},
		"negative lifetime":    {Options{CI: "none", TokenLifetime: -1}, "negative", app.ErrUsage},
	} {
		e := &app.Env{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}
		if err := test.o.Run(t.Context(), e); !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: Run() = %v, want an error with %q", name, err, test.want)
		}
	}
}

// stopsStack stops a stack as soon as it has written its address.
type stopsStack struct {
	strings.Builder
	stop context.CancelFunc
}

func (s *stopsStack) Write(p []byte) (int, error) {
	defer s.stop()
	return s.Builder.Write(p)
}

func TestStackPrintsItsEnvironment(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	out := &stopsStack{stop: stop}
	e := &app.Env{In: strings.NewReader(""), Out: out, Err: io.Discard, JSON: true}
	if err := (Options{CI: "none", Dir: t.TempDir()}).Run(ctx, e); err != nil {
		t.Fatal(err)
	}
	var d struct {
		URL         string
		Environment map[string]string
	}
	if err := json.Unmarshal([]byte(out.String()), &d); err != nil || !strings.HasPrefix(d.URL, "http://127.0.0.1:") || d.Environment["ZEN_DEV_URL"] == "" {
		t.Errorf("the printed document (%v):\n%s", err, out.String())
	}
	if conn, err := net.Dial("tcp", strings.TrimPrefix(d.URL, "http://")); err == nil {
		conn.Close()
		t.Error("the stack's port still accepts connections")
	}
}
