// Command bench measures zen against a floor or a peer, in one run on one machine,
// and prints the ratios. Run it with make bench: it wants the programs in bin/. Given names
// of its parts, warm, cold, queries, imports or doctor, it runs those alone.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/zen-auth/zen/bench/measure"
	"github.com/zen-auth/zen/devstack/bao"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	dir, err := os.MkdirTemp("", "zen-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Printf("%s %s/%s, %d CPUs\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if err := buildPeers(dir); err != nil {
		return err
	}
	s, err := startStack()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if _, err := s.zen("login", "--provider", "clerk"); err != nil {
		return err
	}
	for _, part := range []struct {
		name    string
		measure func(*stack, string) error
	}{{"warm", warmToken}, {"cold", coldToken}, {"queries", queries}, {"imports", imports}, {"doctor", examination}} {
		if len(os.Args) > 1 && !slices.Contains(os.Args[1:], part.name) {
			continue
		}
		if err := part.measure(s, dir); err != nil {
			return err
		}
	}
	return nil
}

// buildPeers builds the programs to compare with. go-libsql's needs a C compiler.
func buildPeers(dir string) error {
	for name, from := range map[string]string{"floor": "./bench/floor", "ours": "./bench/ours"} {
		if err := build(".", filepath.Join(dir, name), from, "CGO_ENABLED=0"); err != nil {
			return err
		}
	}
	if err := build("bench/libsqlclientgo", filepath.Join(dir, "libsqlclientgo"), ".", "CGO_ENABLED=0"); err != nil {
		return err
	}
	return build("bench/golibsql", filepath.Join(dir, "golibsql"), ".", "CGO_ENABLED=1")
}

func build(in, out, from, env string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, from)
	cmd.Dir, cmd.Env, cmd.Stderr = in, append(os.Environ(), env), os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build %s: %w", from, err)
	}
	return nil
}

// stack is zen dev in a process of its own, and the environment to use it.
type stack struct {
	cmd *exec.Cmd
	env []string
	url string
	// team is the profile whose tokens OpenBao makes; "" is none, as there is no bao.
	team string
}

func startStack(more ...string) (*stack, error) {
	args := append([]string{"dev", "--json", "--quiet", "--token-lifetime", "1h"}, more...)
	if _, err := bao.Find(); err == nil {
		args = append(args, "--team")
	}
	cmd := exec.Command("bin/zen", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start zen dev: %w", err)
	}
	var ready struct {
		URL         string
		Environment map[string]string
	}
	if err := json.NewDecoder(out).Decode(&ready); err != nil {
		return nil, fmt.Errorf("start zen dev: %w", errors.Join(err, cmd.Process.Kill(), cmd.Wait()))
	}
	s := &stack{cmd: cmd, env: os.Environ(), url: ready.URL}
	// The profile of the team is for the way through OpenBao alone.
	s.team = ready.Environment["ZEN_PROFILE"]
	delete(ready.Environment, "ZEN_PROFILE")
	for name, value := range ready.Environment {
		s.env = append(s.env, name+"="+value)
	}
	zen, err := filepath.Abs("bin/zen")
	s.env = append(s.env, "BROWSER="+zen+" dev browse --user alice")
	return s, err
}

func (s *stack) stop() error {
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	return s.cmd.Wait()
}

// zen runs zen inside the stack and returns what it printed.
func (s *stack) zen(args ...string) (string, error) {
	cmd := exec.Command("bin/zen", args...)
	var stderr bytes.Buffer
	cmd.Env, cmd.Stderr = s.env, &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("zen %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// peer runs a program that prints a sample.
func peer(program, url, id, token string, n int, workload string) (sample measure.Sample, err error) {
	cmd := exec.Command(program, url, id, fmt.Sprint(n), workload)
	cmd.Stdin, cmd.Stderr = strings.NewReader(token), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return sample, fmt.Errorf("%s: %w", filepath.Base(program), err)
	}
	err = json.NewDecoder(bytes.NewReader(out)).Decode(&sample)
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%s printed nothing", filepath.Base(program))
	}
	return sample, err
}
