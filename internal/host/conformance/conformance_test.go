package conformance

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/plugin/plugintest"
	"github.com/zen-auth/zen/core/provider"
)

func TestGoodProvidersPassEverything(t *testing.T) {
	for _, name := range []string{"good", "bare", "older"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, err := Run(t.Context(), Options{
				Path: plugintest.Self(t, name), Settings: provider.Settings{"api_key": provider.NewSecret("a-key-that-is-secret")},
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(report.Results) != len(checks) || report.Name != name || !report.Passed() {
				t.Errorf("%s, %d results", report.Name, len(report.Results))
			}
			for _, r := range report.Results {
				if name == "older" && r.Status == Skip && slices.Contains([]string{"assertion", "setup", "team", "organizations"}, r.Name) {
					continue // services that it doesn't have
				}
				if r.Status != Pass && (r.Name != "parent" || runtime.GOOS == "linux") {
					t.Errorf("%s %s: %s", r.Status, r.Name, r.Detail)
				}
			}
		})
	}
}

// TestEveryCheckCanFail runs each bad provider through the check that it must fail.
func TestEveryCheckCanFail(t *testing.T) {
	failing := make(map[string]bool)
	for name, b := range bad {
		failing[b.check] = true
		if b.check == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if b.check == "parent" && runtime.GOOS != "linux" {
				t.Skip("this check only works on Linux")
			}
			s, err := newSuite(Options{Path: plugintest.Self(t, name)})
			if err != nil {
				t.Fatal(err)
			}
			defer s.close()
			ctx, cancel := context.WithTimeout(t.Context(), checkLimit)
			defer cancel()
			if err := s.introduce(ctx); err != nil {
				t.Fatal(err)
			}
			if name == "dialing" {
				s.secluded = true
				if _, err := s.start(ctx); err != nil {
					t.Skipf("this system can't start a process without a network: %v", err)
				}
				s.stopAll()
			}
			for _, c := range checks {
				if c.name != b.check {
					continue
				}
				if r := s.check(ctx, c); r.Status != Fail || !strings.Contains(r.Detail, b.want) {
					t.Errorf("%s %s: %q, want %q in it", r.Status, r.Name, r.Detail, b.want)
				} else {
					t.Logf("%s: %s", r.Name, r.Detail)
				}
				return
			}
			t.Fatalf("no check %q", b.check)
		})
	}
	for _, c := range checks {
		if !failing[c.name] {
			t.Errorf("no bad provider fails %s", c.name)
		}
	}
}

// TestRefusalWaits checks that a provider may take as long to refuse as to greet.
func TestRefusalWaits(t *testing.T) {
	t.Parallel()
	s, err := newSuite(Options{Path: plugintest.Self(t, "late")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	ctx, cancel := context.WithTimeout(t.Context(), checkLimit)
	defer cancel()
	if _, err := checkRefusal(ctx, s); err != nil {
		t.Error(err)
	}
}

func TestBadOptions(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "zen-provider-text")
	if err := os.WriteFile(text, []byte("not a program"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		options Options
		want    error
	}{
		"another name":    {Options{Path: filepath.Join(dir, "provider")}, provider.ErrConfig},
		"a name too long": {Options{Path: filepath.Join(dir, "zen-provider-"+strings.Repeat("x", 33))}, provider.ErrConfig},
		"no program":      {Options{Path: text}, provider.ErrNoProvider},
		"unknown setting": {Options{Path: plugintest.Self(t, "good"), Settings: provider.Settings{"colour": provider.NewSecret("red")}}, provider.ErrConfig},
		"visible secret": {Options{
			Path: plugintest.Self(t, "good"), Visible: []string{"api_key"}, Settings: provider.Settings{"api_key": provider.NewSecret("secret")},
		}, provider.ErrConfig},
	} {
		if _, err := Run(t.Context(), c.options, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Run(ctx, Options{Path: plugintest.Self(t, "good")}, func(Result) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func FuzzGreeting(f *testing.F) {
	for _, line := range []string{"1|1|unix|/tmp/s|grpc|AAAA", "1|1|tcp|127.0.0.1:1|grpc|", "|||||", "1|1"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if g, err := parseGreeting(line, "/tmp"); err == nil && g.certificate == nil {
			t.Error("a greeting without a certificate")
		}
	})
}
