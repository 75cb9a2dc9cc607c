// Command release builds the archives of a release: for each target zen, zen-query,
// zen-full, the providers, manual pages, the shells' completions, LICENSE and README in one
// directory, and the SHA-256 sums of all of them in SHA256SUMS. zen-full has replicas, and so
// needs a glibc, for linux/amd64 and linux/arm64; everything else is built without cgo, and
// so is static.
//
// The same commit and the same Go give the same bytes, wherever and whenever they are
// built: nothing of the directory, the user, the clock or the environment is in them.
// That is more than a convenience, since the sums of the providers are linked into zen.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
)

func main() {
	out := flag.String("o", "dist", "put the archives into `DIR`")
	which := flag.String("targets", "", "build for these `TARGETS`, GOOS/GOARCH or GOOS/GOARCH/static, with commas between")
	providers := flag.String("providers", "", "with these `PROVIDERS`, with blanks between")
	dirty := flag.Bool("dirty", false, "build a checkout with changes, too; such an archive can't be built again")
	downloads := flag.String("downloads", "", "let install.sh take the archives from below `URL` where nothing else is said")
	packages := flag.Bool("packages", false, "make packages and an image of the archives for Linux that are in DIR, and the list of what is in zen")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	r := release{out: *out, providers: strings.Fields(*providers), downloads: *downloads, dirty: *dirty}
	do := func() error { return r.build(ctx, strings.Split(*which, ",")) }
	if *packages {
		do = func() error { return r.packages(ctx) }
	}
	err := r.readModule(ctx)
	if err == nil {
		err = do()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// readModule finds out what the module is called.
func (r *release) readModule(ctx context.Context) (err error) {
	r.module, err = run(ctx, nil, "go", "list", "-m")
	return err
}

// build makes the archives of the targets, and the sums.
func (r *release) build(ctx context.Context, targets []string) error {
	if len(r.providers) == 0 {
		return fmt.Errorf("-providers names none: make release gives those of the Makefile")
	}
	if err := r.readCommit(ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	var err error
	if r.help, err = helpOf(ctx, "."); err != nil {
		return err
	}
	var version string
	for _, name := range targets {
		t, err := parseTarget(name)
		if err != nil {
			return err
		}
		archive, built, err := r.target(ctx, t)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Println(filepath.Join(r.out, archive))
		version = built
	}
	if err := r.writeInstaller(version); err != nil {
		return err
	}
	return writeSums(r.out, version)
}
