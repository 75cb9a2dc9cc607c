package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	tags = "urfave_cli_no_docs"
	// bundled is the variable that the providers' sums are linked into.
	bundled = "github.com/zen-auth/zen/internal/cli/client.bundled"
)

// release is what all targets of one share.
type release struct {
	out       string
	providers []string
	dirty     bool
	// made is when the commit was made: the time of every file.
	made time.Time
}

// readCommit finds out which commit is built, and refuses one that can't be built again.
func (r *release) readCommit(ctx context.Context) error {
	status, err := run(ctx, nil, "git", "status", "--porcelain")
	if err != nil {
		return err
	}
	if status != "" && !r.dirty {
		return errors.New("the checkout has changes or files that are not committed: commit them, or build with -dirty")
	}
	seconds, err := run(ctx, nil, "git", "log", "-1", "--format=%ct")
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return fmt.Errorf("the commit's time: %w", err)
	}
	r.made = time.Unix(n, 0).UTC()
	return nil
}

// target is a system that is built for.
type target struct{ os, arch string }

func parseTarget(name string) (target, error) {
	system, arch, ok := strings.Cut(name, "/")
	if !ok || system == "" || arch == "" {
		return target{}, fmt.Errorf("the target %q is not GOOS/GOARCH, like linux/amd64", name)
	}
	return target{system, arch}, nil
}

func (t target) exe() string {
	if t.os == "windows" {
		return ".exe"
	}
	return ""
}

// environment is that of the go command: nothing that the user has set decides about the
// bytes. GOFLAGS may be set on a build machine, and the other three by go env -w.
func (t target) environment() []string {
	return append(os.Environ(),
		"GOOS="+t.os, "GOARCH="+t.arch, "CGO_ENABLED=0", "GOFLAGS=", "GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0", "GOFIPS140=off", "GOWORK=off")
}

// target builds one archive, and returns its name.
func (r *release) target(ctx context.Context, t target) (archive string, err error) {
	stage, err := os.MkdirTemp("", "zen-release-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(stage)) }()
	build := func(name, pkg, tags, ldflags string) error {
		_, err := run(ctx, t.environment(), "go", "build", "-trimpath", "-buildvcs=true", "-tags", tags,
			"-ldflags", strings.TrimSpace("-s -w "+ldflags), "-o", filepath.Join(stage, name+t.exe()), pkg)
		return err
	}
	var sums []string
	for _, p := range r.providers {
		name := "zen-provider-" + p
		if err := build(name, "./plugins/"+p, tags, ""); err != nil {
			return "", err
		}
		sum, err := sumOf(filepath.Join(stage, name+t.exe()))
		if err != nil {
			return "", err
		}
		sums = append(sums, p+"="+sum)
	}
	if err := build("zen-full", "./cmd/zen", tags, "-X "+bundled+"="+strings.Join(sums, ",")); err != nil {
		return "", err
	}
	for name, choice := range map[string]string{"zen": "front", "zen-query": "query"} {
		if err := build(name, "./cmd/zen", tags+","+choice, ""); err != nil {
			return "", err
		}
	}
	// The go command knows the version; the archive is called by what is in it.
	info, err := buildinfo.ReadFile(filepath.Join(stage, "zen-full"+t.exe()))
	if err != nil {
		return "", err
	}
	if info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "", errors.New("the go command finds no version in this checkout: build in a clone of its own, which a linked worktree isn't")
	}
	files, err := r.files(stage)
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("zen-%s-%s-%s", info.Main.Version, t.os, t.arch)
	pack, ending := writeTar, ".tar.gz"
	if t.os == "windows" {
		pack, ending = writeZip, ".zip"
	}
	f, err := os.Create(filepath.Join(r.out, name+ending))
	if err != nil {
		return "", err
	}
	return name + ending, errors.Join(pack(f, name, files, r.made), f.Close())
}

// files are what an archive has: all of stage, and what comes out of the checkout.
func (r *release) files(stage string) ([]file, error) {
	entries, err := os.ReadDir(stage)
	if err != nil {
		return nil, err
	}
	var files []file
	for _, e := range entries {
		files = append(files, file{e.Name(), filepath.Join(stage, e.Name()), 0o755})
	}
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md", "AGENTS.md"} {
		files = append(files, file{name, name, 0o644})
	}
	for _, shell := range []string{"bash", "fish", "zsh"} {
		files = append(files, file{"completion/zen." + shell, "internal/cli/completion/zen." + shell, 0o644})
	}
	return files, nil
}

// run returns what a command prints, without the space around it.
func run(ctx context.Context, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
}
