package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// warmToken compares zen token, with a good stored token, with a program that reads a file
// and prints it, and then with others that hand out what they have stored: whole processes.
// kubelogin prints a cached ID token, which it doesn't verify; aws-vault opens its encrypted
// file and prints a key. They run apart from the first two, since a large program empties
// the processor's caches for the one that runs after it.
func (b *bench) warmToken() error {
	status, err := b.stack.zen("token", "--json")
	if err != nil {
		return err
	}
	file := filepath.Join(b.dir, "token")
	if err := writeFile(file, status); err != nil {
		return err
	}
	floor := program{name: "floor", args: []string{filepath.Join(b.dir, "floor"), file}, env: b.stack.environment}
	zen := program{name: "zen token", args: []string{"bin/zen", "token"}, env: b.stack.environment}
	for _, p := range []*program{&floor, &zen} {
		if p.args[0], err = b.settled(p.args[0]); err != nil {
			return err
		}
	}
	// Two milliseconds are much at the mercy of what else the host does.
	if err := b.processes("warm token", 4*processRuns, map[string]float64{"zen token": 1.6}, floor, zen); err != nil {
		return err
	}
	others := []program{zen}
	for _, peer := range []struct {
		name string
		sign func() (program, error)
	}{{"kubelogin", b.kubelogin}, {"aws-vault", b.awsVault}} {
		if !b.peers[peer.name] {
			continue
		}
		p, err := peer.sign()
		if err != nil {
			return fmt.Errorf("sign in with %s: %w", peer.name, err)
		}
		p.name = peer.name
		if p.args[0], err = b.settled(p.args[0]); err != nil {
			return err
		}
		others = append(others, p)
	}
	return b.processes("stored credential", processRuns, nil, others...)
}

// settled copies a program in pieces of 4 KiB. Linux caches a program that was read from
// disk, or written by the linker, in such pages. A fresh copy by cp is cached in larger
// pieces, and starts faster, zen token by a tenth: two builds of the same would differ by
// how they were copied.
func (b *bench) settled(program string) (string, error) {
	data, err := os.ReadFile(program)
	if err != nil {
		return "", err
	}
	path := filepath.Join(b.dir, "settled-"+filepath.Base(program))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return "", err
	}
	for page := range slices.Chunk(data, 4<<10) {
		if _, err := f.Write(page); err != nil {
			return "", errors.Join(err, f.Close())
		}
	}
	return path, f.Close()
}

// kubelogin signs in at the stack's OpenID issuer, by the device grant.
func (b *bench) kubelogin() (program, error) {
	browse := filepath.Join(b.dir, "browse")
	zen, err := filepath.Abs("bin/zen")
	if err != nil {
		return program{}, err
	}
	if err := os.WriteFile(browse, []byte("#!/bin/sh\nexec '"+zen+"' dev browse --user alice \"$1\"\n"), 0o700); err != nil {
		return program{}, err
	}
	p := b.with(nil, filepath.Join(b.dir, "kubelogin"), "get-token", "--oidc-issuer-url="+b.stack.url+"/oidc", "--oidc-client-id=zen",
		"--grant-type=device-code", "--browser-command="+browse, "--token-cache-dir="+filepath.Join(b.dir, "kubelogin-cache"))
	_, err = b.launch(p)
	return p, err
}

// awsVault stores a key in its own file.
func (b *bench) awsVault() (program, error) {
	config := filepath.Join(b.dir, "aws-config")
	if err := writeFile(config, "[profile p]\nregion = eu-west-1\n"); err != nil {
		return program{}, err
	}
	variables := []string{
		"AWS_VAULT_BACKEND=file", "AWS_VAULT_FILE_PASSPHRASE=bench", "AWS_VAULT_FILE_DIR=" + filepath.Join(b.dir, "aws-keys"), "AWS_CONFIG_FILE=" + config,
		"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=no-secret",
	}
	own := filepath.Join(b.dir, "aws-vault")
	_, err := b.launch(b.with(variables, own, "add", "--env", "p"))
	return b.with(variables[:4], own, "export", "--no-session", "--format=json", "p"), err
}
