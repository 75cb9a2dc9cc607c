#!/bin/sh
# Installs what the tests drive and Go can't bring along: Chromium, which looks at
# the page of zen dev. Does nothing where it is there already.
set -eu
for name in chromium chromium-browser google-chrome chrome; do
	command -v "$name" >/dev/null 2>&1 && exit 0
done
root=
[ "$(id -u)" -eq 0 ] || root=sudo
if command -v apt-get >/dev/null 2>&1; then
	$root apt-get update -qq
	DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
elif command -v apk >/dev/null 2>&1; then
	$root apk add --no-cache chromium font-dejavu
elif command -v brew >/dev/null 2>&1; then
	brew install --cask chromium
else
	echo "install-test-tools: install Chromium or Chrome, so that one of their commands is on the PATH" >&2
	exit 1
fi
