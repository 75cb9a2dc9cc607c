#!/bin/sh
# Compares the public API with the last tag: the packages below core, and the protocol in
# proto. It fails if something was removed or changed, unless this is a minor version of
# 0.x and CHANGELOG.md lists it under **Breaking**, above that tag's heading.
set -eu
cd "$(dirname "$0")/.."
tag=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null) || {
	echo "compatible: there is no tag yet, and so nothing to compare with"
	exit 0
}
go=${GO:-go}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tag"
git archive "$tag" | tar -x -C "$work/tag"

# The protocol has its own version, and never breaks compatibility.
$go tool -modfile=tools/go.mod buf breaking proto --against "$work/tag/proto" ||
	{ echo "compatible: the protocol of $tag is broken: a change goes into a new package zen.provider.v2" >&2; exit 1; }

$go build -modfile=tools/release/go.mod -o "$work/apidiff" golang.org/x/exp/cmd/apidiff
module=$($go list -m)
# It prints a line for each internal package that it ignores.
compare() {
	"$work/apidiff" -m "$@" 2>"$work/said" || {
		cat "$work/said" >&2
		exit 1
	}
}
(cd "$work/tag" && compare -w "$work/old" "$module")
compare -w "$work/new" "$module"
compare -incompatible "$work/old" "$work/new" >"$work/all"
grep -E "^- (\./|package $module/)core[/:.]" "$work/all" >"$work/core" || true
if [ -s "$work/core" ]; then
	cat "$work/core" >&2
	if awk -v tag="${tag#v}" '/^## / { if (index($0, tag)) exit; since = 1 } since' CHANGELOG.md | grep -q '\*\*Breaking\*\*'; then
		echo "compatible: core differs from $tag, as CHANGELOG.md says"
	else
		echo "compatible: core breaks programs that were written for $tag: keep it, or say so in CHANGELOG.md under **Breaking**" >&2
		exit 1
	fi
fi
echo "compatible with $tag"
