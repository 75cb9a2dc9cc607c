#!/bin/sh
# Installs what make test-windows and make test-arm64 need to run other systems' programs
# on Debian and Ubuntu: Wine and a C compiler for Windows; QEMU and a C compiler for
# arm64. About 700 MB. Skips what is already installed.
set -eu
missing=
PATH=$PATH:/usr/lib/wine
command -v wine64 >/dev/null || missing="$missing wine64"
command -v x86_64-w64-mingw32-gcc >/dev/null || missing="$missing gcc-mingw-w64-x86-64"
command -v qemu-aarch64-static >/dev/null || missing="$missing qemu-user-static"
command -v aarch64-linux-gnu-gcc >/dev/null || missing="$missing gcc-aarch64-linux-gnu"
[ -e /usr/aarch64-linux-gnu/include/stdio.h ] || missing="$missing libc6-dev-arm64-cross"
[ -n "$missing" ] || exit 0
root=
[ "$(id -u)" -eq 0 ] || root=sudo
if ! command -v apt-get >/dev/null; then
	echo "install-foreign-tools: install$missing, so that their commands are on the PATH" >&2
	exit 1
fi
$root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends $missing
