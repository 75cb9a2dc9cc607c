#!/bin/sh
# Builds the archive of one target twice, from two clones of the commit in two
# directories, each with an empty build cache, and compares the bytes:
#   scripts/reproduce.sh [GOOS/GOARCH]
set -eu
cd "$(dirname "$0")/.."
target=${1:-$(go env GOOS)/$(go env GOARCH)}
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
for clone in one a/longer/path; do
	mkdir -p "$work/$clone"
	git clone --quiet . "$work/$clone/zen"
	GOCACHE=$work/$clone/cache make -s -C "$work/$clone/zen" release TARGETS="$target"
done
cmp "$work/one/zen/dist/SHA256SUMS" "$work/a/longer/path/zen/dist/SHA256SUMS"
for archive in "$work"/one/zen/dist/zen-*; do
	cmp "$archive" "$work/a/longer/path/zen/dist/${archive##*/}"
done
echo "the same twice:"
cat "$work/one/zen/dist/SHA256SUMS"
