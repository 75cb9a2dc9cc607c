#!/bin/sh
# Runs zen for Linux on arm64 on another processor, under QEMU: the demo, a replica, whose
# library is linked by cgo, and each provider's conformance.
set -eu
cd "$(dirname "$0")/.."

missing() {
	echo "test-arm64: $1 is missing: scripts/install-foreign-tools.sh brings it" >&2
	[ "${CI:-}" != true ] || exit 1
	echo "test-arm64: SKIPPED, NOTHING WAS TESTED" >&2
	exit 0
}
cc=aarch64-linux-gnu-gcc
command -v $cc >/dev/null || missing $cc
libraries=/usr/aarch64-linux-gnu
[ -e $libraries/include/stdio.h ] || missing libc6-dev-arm64-cross
qemu=$(command -v qemu-aarch64-static) || missing qemu-aarch64-static

# zen starts programs, which the kernel has to run with QEMU. If that isn't configured, it
# is set up in this script's own namespace (Linux 6.7), where nothing else on the machine
# sees it. The flag O makes the kernel pass the opened file, because providers are started
# from one.
if [ "${1:-}" = inside ]; then
	mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
	printf '%s' ':zen-arm64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:'"$qemu"':OCF' \
		>/proc/sys/fs/binfmt_misc/register
	bin=$2
else
	bin=$(mktemp -d)
	trap 'rm -rf "$bin"' EXIT
	tags=urfave_cli_no_docs
	build() { GOARCH=arm64 go build -ldflags "-s -w ${link:-}" -tags "$@"; }
	export CGO_ENABLED=0
	sums=
	for name in $(sed -n 's/^PROVIDERS := //p' Makefile); do
		build $tags,grpcnotrace -o "$bin/zen-provider-$name" "./plugins/$name"
		sums=$sums$name=$(sha256sum "$bin/zen-provider-$name" | cut -c1-64),
	done
	build $tags,query -o "$bin/zen-query" ./cmd/zen
	build $tags,front -o "$bin/zen" ./cmd/zen
	link="-X github.com/zen-auth/zen/internal/cli/client.bundled=$sums" CGO_ENABLED=1 CC=$cc build $tags -o "$bin/zen-full" ./cmd/zen
	if ! "$bin/zen" version >/dev/null 2>&1; then
		unshare --user --map-root-user --mount "$0" inside "$bin" || {
			echo "test-arm64: FAILED, or this user may make no namespaces" >&2
			exit 1
		}
		exit 0
	fi
fi

export QEMU_LD_PREFIX=$libraries
PATH=$bin:$PATH
zen version | grep linux/arm64
zen dev -- sh demo/demo.sh
BROWSER="zen dev browse --user alice" zen dev -- sh -ec '
	zen login --provider clerk
	zen db query "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)"
	zen db query "INSERT INTO notes (body) VALUES (7)"
	zen db sync
	zen db query --mode replica "SELECT body FROM notes" | grep 7
	zen token | grep -q eyJ'
for provider in "$bin"/zen-provider-*; do
	zen provider test "$provider"
done
echo "test-arm64: ok"
