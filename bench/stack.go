package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/zen-auth/zen/devstack/bao"
)

// commandTimeout ends hanging commands, so that a run finishes.
const commandTimeout = 5 * time.Minute

// stack is zen dev in a separate process, with the environment to use it.
type stack struct {
	cmd *exec.Cmd
	env []string
	url string
	// team is the profile whose tokens OpenBao issues; "" means none, because there is no
	// bao.
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
	late := time.AfterFunc(commandTimeout, func() { _ = cmd.Process.Kill() })
	err = json.NewDecoder(out).Decode(&ready)
	if late.Stop(); err != nil {
		return nil, fmt.Errorf("start zen dev: %w", errors.Join(err, cmd.Process.Kill(), cmd.Wait()))
	}
	s := &stack{cmd: cmd, env: os.Environ(), url: ready.URL}
	// The team's profile is only for the measurement through OpenBao.
	s.team = ready.Environment["ZEN_PROFILE"]
	delete(ready.Environment, "ZEN_PROFILE")
	for name, value := range ready.Environment {
		s.env = append(s.env, name+"="+value)
	}
	zen, err := filepath.Abs("bin/zen")
	s.env = append(s.env, "BROWSER="+zen+" dev browse --user alice")
	return s, err
}

func (s *stack) stop() error { return interrupt(s.cmd) }

// interrupt ends a server, and kills it if it doesn't end by itself.
func interrupt(cmd *exec.Cmd) error {
	defer time.AfterFunc(commandTimeout, func() { _ = cmd.Process.Kill() }).Stop()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	return cmd.Wait()
}

// zen runs zen inside the stack and returns what it printed.
func (s *stack) zen(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bin/zen", args...)
	var stderr bytes.Buffer
	cmd.Env, cmd.Stderr, cmd.WaitDelay = s.env, &stderr, time.Second
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("zen %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

func (s *stack) environment() []string { return s.env }
