#!/bin/sh
# Installs what a release build needs in addition to Go: zig, a C compiler that can target
# any glibc and both architectures, from its Python package, into
# ~/.cache/zen-release-tools. Its checksum is pinned, since the bytes of a release depend
# on it.
set -eu
tools=${XDG_CACHE_HOME:-$HOME/.cache}/zen-release-tools
[ ! -x "$tools/zig/ziglang/zig" ] || exit 0
mkdir -p "$tools"
fresh=$(mktemp -d "$tools/fresh.XXXXXX")
trap 'rm -rf "$fresh"' EXIT
cat >"$fresh/requirements.txt" <<'END'
ziglang==0.17.1 \
 --hash=sha256:ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54 \
 --hash=sha256:b7c5f02fccd40f89b999ee16a1f5ddced56e6182370f8affe494bcf8a28cf07e
END
pip="python3 -m pip"
if ! $pip --version >/dev/null 2>&1; then
	python3 -m venv "$fresh/venv"
	pip="$fresh/venv/bin/python -m pip"
fi
$pip download --quiet --no-deps --only-binary=:all: --require-hashes --dest "$fresh" --requirement "$fresh/requirements.txt"
python3 -m zipfile -e "$fresh"/ziglang-*.whl "$fresh/zig"
chmod +x "$fresh/zig/ziglang/zig"
rm -rf "$tools/zig"
mv "$fresh/zig" "$tools/zig"
