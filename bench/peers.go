package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// buildTimeout is the timeout of a peer's build, including its download.
const buildTimeout = 10 * time.Minute

// buildPeers builds the programs to compare with. go-libsql's and mattn's need a C compiler,
// and so does the one that starts what is measured.
func (b *bench) buildPeers() error {
	if err := tool("bench/launch", nil, "cc", "-O2", "-o", filepath.Join(b.dir, "launch"), "launch.c"); err != nil {
		return err
	}
	for _, p := range []struct{ name, in, from, cgo string }{
		{"floor", ".", "./bench/floor", "0"},
		{"ours", ".", "./bench/ours", "0"},
		{"oursfile", ".", "./bench/ours", "1"},
		{"many", ".", "./bench/many", "0"},
		{"libsqlclientgo", "bench/libsqlclientgo", ".", "0"},
		{"select1", "bench/libsqlclientgo", "./select1", "0"},
		{"golibsql", "bench/golibsql", ".", "1"},
		{"modernc", "bench/modernc", ".", "0"},
		{"mattn", "bench/mattn", ".", "1"},
	} {
		if err := build(p.in, filepath.Join(b.dir, p.name), p.from, p.cgo); err != nil {
			return err
		}
	}
	b.have("kubelogin", func() error {
		return build("bench/kubelogin", filepath.Join(b.dir, "kubelogin"), "github.com/int128/kubelogin", "0")
	})
	b.have("aws-vault", func() error {
		return build("bench/awsvault", filepath.Join(b.dir, "aws-vault"), "github.com/99designs/aws-vault/v7", "0")
	})
	b.have(nodeClient, func() error {
		dir := filepath.Join(b.dir, "node")
		if err := os.CopyFS(dir, os.DirFS("bench/node")); err != nil {
			return err
		}
		return tool(dir, nil, "npm", "ci", "--no-audit", "--no-fund")
	})
	b.have(realServer, b.installSQLd)
	b.have(pythonClient, func() error {
		return tool(".", nil, "python3", "-m", "pip", "install", "--quiet", "--only-binary=:all:", "--target", filepath.Join(b.dir, "python"), "-r", "bench/python/requirements.txt")
	})
	return nil
}

// The names of the peers in other languages.
const (
	nodeClient   = "@libsql/client"
	pythonClient = "Python libsql"
)

// have installs an optional peer. Without it its rows are left out.
func (b *bench) have(peer string, install func() error) {
	if err := install(); err != nil {
		fmt.Fprintf(os.Stderr, "bench: WARNING: there is no %s, so that nothing is compared with it: %v\n", peer, err)
		return
	}
	b.peers[peer] = true
}

// inNode and inPython are a client's program with its arguments.
func (b *bench) inNode(args ...string) []string {
	return append([]string{"node", filepath.Join(b.dir, "node", "bench.mjs")}, args...)
}

func (b *bench) inPython(args ...string) []string {
	return append([]string{"python3", "bench/python/bench.py"}, args...)
}

// pythonPath is the directory of the Python client.
func (b *bench) pythonPath() string { return "PYTHONPATH=" + filepath.Join(b.dir, "python") }

func build(in, out, from, cgo string) error {
	return tool(in, []string{"CGO_ENABLED=" + cgo}, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", out, from)
}

// tool runs a program that builds or installs something.
func tool(in string, env []string, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = in, append(os.Environ(), env...), time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("%s %s in %s: %w: %.2000s", name, args[0], in, err, bytes.TrimSpace(out)), ctx.Err())
	}
	return nil
}
