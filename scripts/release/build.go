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
	// providerTags are as in the Makefile.
	providerTags = tags + ",grpcnotrace"
	// bundled is the variable that the providers' sums are linked into, in the module.
	bundled = "/internal/cli/client.bundled"
)

// release holds what all targets of one share.
type release struct {
	out       string
	providers []string
	downloads string
	dirty     bool
	// module is the path of zen's.
	module string
	// help is the output of zen --help-json.
	help []byte
	// made is the time of the commit, and of every file.
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

// glibc is the oldest that a zen-full with replicas runs on.
const glibc = "2.17"

// target is a system that is built for.
type target struct {
	os, arch string
	// static leaves replicas out where they would be, for systems without that glibc.
	static bool
}

func parseTarget(name string) (target, error) {
	system, rest, _ := strings.Cut(name, "/")
	arch, static, stated := strings.Cut(rest, "/")
	if system == "" || arch == "" || stated && static != "static" {
		return target{}, fmt.Errorf("the target %q is not GOOS/GOARCH, like linux/amd64, or with /static behind it", name)
	}
	return target{system, arch, stated}, nil
}

// compilers are zig's names of the systems that zen-full has replicas on.
var compilers = map[target]string{
	{"linux", "amd64", false}: "x86_64-linux-gnu." + glibc,
	{"linux", "arm64", false}: "aarch64-linux-gnu." + glibc,
}

// name returns the target's part of an archive's name.
func (t target) name() string {
	name := t.os + "-" + t.arch
	if t.static {
		name += "-static"
	}
	return name
}

func (t target) exe() string {
	if t.os == "windows" {
		return ".exe"
	}
	return ""
}

// environment returns that of the go command: nothing that the user has set decides about the
// bytes. GOFLAGS may be set on a build machine, and the others by go env -w.
func (t target) environment() []string {
	return append(os.Environ(),
		"GOOS="+t.os, "GOARCH="+t.arch, "CGO_ENABLED=0", "GOFLAGS=", "GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0", "GOFIPS140=off", "GOWORK=off")
}

// compiled returns the environment for what has C in it, and the flags of the linker. The
// library of go-libsql wants an unwinder, which zig links in. The identifier of the build
// would have where the compiler is.
func (t target) compiled() (environment []string, ldflags string, err error) {
	system, ok := compilers[t]
	if !ok {
		return t.environment(), "", nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, "", err
	}
	zig := filepath.Join(cache, "zen-release-tools", "zig", "ziglang", "zig")
	if _, err := os.Stat(zig); err != nil {
		return nil, "", fmt.Errorf("the C compiler is missing: scripts/install-release-tools.sh; %s/%s/static needs none", t.os, t.arch)
	}
	return append(t.environment(), "CGO_ENABLED=1", "CC="+zig+" cc -target "+system,
		"CGO_CFLAGS=-O2", "CGO_CPPFLAGS=", "CGO_LDFLAGS="), "-buildid= -extldflags '-lunwind -s'", nil
}

// target builds one archive, and returns its name and the version that is in it.
func (r *release) target(ctx context.Context, t target) (archive, version string, err error) {
	stage, err := os.MkdirTemp("", "zen-release-")
	if err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(stage)) }()
	build := func(environment []string, name, pkg, tags, ldflags string) error {
		_, err := run(ctx, environment, "go", "build", "-trimpath", "-buildvcs=true", "-tags", tags,
			"-ldflags", strings.TrimSpace("-s -w "+ldflags), "-o", filepath.Join(stage, name+t.exe()), pkg)
		return err
	}
	var sums []string
	for _, p := range r.providers {
		name := "zen-provider-" + p
		if err := build(t.environment(), name, "./plugins/"+p, providerTags, ""); err != nil {
			return "", "", err
		}
		sum, err := sumOf(filepath.Join(stage, name+t.exe()))
		if err != nil {
			return "", "", err
		}
		sums = append(sums, p+"="+sum)
	}
	environment, ldflags, err := t.compiled()
	if err != nil {
		return "", "", err
	}
	if err := build(environment, "zen-full", "./cmd/zen", tags, ldflags+" -X "+r.module+bundled+"="+strings.Join(sums, ",")); err != nil {
		return "", "", err
	}
	for name, choice := range map[string]string{"zen": "front", "zen-query": "query"} {
		if err := build(t.environment(), name, "./cmd/zen", tags+","+choice, ""); err != nil {
			return "", "", err
		}
	}
	// The go command knows the version; the archive is called by what is in it.
	info, err := buildinfo.ReadFile(filepath.Join(stage, "zen-full"+t.exe()))
	if err != nil {
		return "", "", err
	}
	if info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "", "", errors.New("the go command finds no version in this checkout: build in a clone of its own, which a linked worktree isn't")
	}
	pages, err := manPages(r.help, info.Main.Version, r.made)
	if err != nil {
		return "", "", err
	}
	files, err := r.files(stage, pages)
	if err != nil {
		return "", "", err
	}
	name := fmt.Sprintf("zen-%s-%s", info.Main.Version, t.name())
	pack, ending := writeTar, ".tar.gz"
	if t.os == "windows" {
		pack, ending = writeZip, ".zip"
	}
	f, err := os.Create(filepath.Join(r.out, name+ending))
	if err != nil {
		return "", "", err
	}
	return name + ending, info.Main.Version, errors.Join(pack(f, name, files, r.made), f.Close())
}

// files returns the content of an archive: all of stage, the manual's pages, and what comes out of
// the checkout.
func (r *release) files(stage string, pages map[string]string) ([]file, error) {
	entries, err := os.ReadDir(stage)
	if err != nil {
		return nil, err
	}
	var files []file
	for _, e := range entries {
		files = append(files, file{name: e.Name(), path: filepath.Join(stage, e.Name()), mode: 0o755})
	}
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md", "AGENTS.md"} {
		files = append(files, file{name: name, path: name, mode: 0o644})
	}
	for _, shell := range []string{"bash", "fish", "zsh"} {
		files = append(files, file{name: "completion/zen." + shell, path: "internal/cli/completion/zen." + shell, mode: 0o644})
	}
	for name, text := range pages {
		files = append(files, file{name: "man/" + name, content: []byte(text), mode: 0o644})
	}
	return files, nil
}

// writeInstaller puts install.sh beside the archives, which knows where they are and which
// they are.
func (r *release) writeInstaller(version string) error {
	text, err := os.ReadFile("install.sh")
	if err != nil {
		return err
	}
	text = bytes.Replace(text, []byte("\ndownloads=\nrelease=\n"), fmt.Appendf(nil, "\ndownloads='%s'\nrelease='%s'\n", r.downloads, version), 1)
	return os.WriteFile(filepath.Join(r.out, "install.sh"), text, 0o755)
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
