#!/bin/sh
# Runs zen.exe, its providers and their tests on Linux, under Wine, to test the use of
# Windows' interfaces for processes, files, access lists, jobs, credentials and command
# lines. Wine is not Windows: see "Testing" in CONTRIBUTING.md.
#   scripts/test-windows.sh [demo | packages | scripts]...
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- demo packages scripts

missing() {
	echo "test-windows: $1 is missing: scripts/install-foreign-tools.sh brings it" >&2
	[ "${CI:-}" != true ] || exit 1
	echo "test-windows: SKIPPED, NOTHING WAS TESTED" >&2
	exit 0
}
PATH=$PATH:/usr/lib/wine # where Debian's wine64 is
command -v wine64 >/dev/null || missing wine64
cc=x86_64-w64-mingw32-gcc
command -v $cc >/dev/null || missing $cc

# A separate Windows installation. Its files are only for this user, as in a Windows
# user's profile.
umask 077
work=$(mktemp -d)
export WINEPREFIX="$work/prefix" WINEDEBUG=-all
mkdir "$WINEPREFIX"
server=$(command -v wineserver64)
trap '"$server" -k || true; rm -rf "$work"' EXIT
# The server and its services would keep the streams of the process that starts them open.
"$server" -p >"$work/server.log" 2>&1
wine64 wineboot --init >>"$work/server.log" 2>&1
system=$WINEPREFIX/drive_c/windows/system32
$cc -shared -O2 -Wall -o "$system/bcryptprimitives.dll" scripts/windows/bcryptprimitives.c -ladvapi32

# Wine 8 returns "not implemented" for a way to remove files, but Go tries another way
# only after "not supported". The path is always the same, for the go command's cache.
overlay=${XDG_CACHE_HOME:-$HOME/.cache}/zen-test-tools/windows
mkdir -p "$overlay"
removal=$(go env GOROOT)/src/internal/syscall/windows/at_windows.go
sed 's/^\tcase STATUS_INVALID_INFO_CLASS,/\tcase NTStatus(0xC0000002), STATUS_INVALID_INFO_CLASS,/' "$removal" >"$overlay/at_windows.go"
if cmp -s "$removal" "$overlay/at_windows.go"; then
	echo "test-windows: $removal has changed: this script has to follow" >&2
	exit 1
fi
printf '{"Replace": {"%s": "%s"}}\n' "$removal" "$overlay/at_windows.go" >"$overlay/overlay.json"
tags=urfave_cli_no_docs
build() {
	GOOS=windows GOARCH=amd64 CGO_ENABLED=0 go build -overlay "$overlay/overlay.json" -tags "$@"
}

# The programs are below a path with spaces.
bin="$WINEPREFIX/drive_c/Program Files/zen auth"
mkdir -p "$bin"
sums=
for name in $(sed -n 's/^PROVIDERS := //p' Makefile); do
	build $tags,grpcnotrace -o "$bin/zen-provider-$name.exe" "./plugins/$name"
	sums=$sums$name=$(sha256sum "$bin/zen-provider-$name.exe" | cut -c1-64),
done
build $tags -ldflags "-X github.com/zen-auth/zen/internal/cli/client.bundled=$sums" -o "$bin/zen-full.exe" ./cmd/zen
build $tags -o "$bin/zen-unpinned.exe" ./cmd/zen
build $tags,query -o "$bin/zen-query.exe" ./cmd/zen
build $tags,front -o "$bin/zen.exe" ./cmd/zen
export ZEN_TEST_PROGRAMS='C:\Program Files\zen auth'

# demo is the demo's main job, the conformance of each provider and the credential store,
# in cmd, with everything temporary on another drive.
demo() {
	rm -rf "$work/d"
	mkdir -p "$work/d/My Temp"
	ln -sfn "$work/d" "$WINEPREFIX/dosdevices/d:"
	cp demo/demo.cmd scripts/windows/*.cmd "$work/d/My Temp/"
	wine64 cmd /c 'D:\My Temp\all.cmd'
	for provider in "$bin"/zen-provider-*.exe; do
		wine64 "$bin/zen.exe" provider test "C:\\Program Files\\zen auth\\${provider##*/}"
	done
	left=$(cd "$work/d/My Temp" && ls | grep -v '\.cmd$' || true)
	[ -z "$left" ] || {
		echo "test-windows: zen left behind: $left" >&2
		exit 1
	}
}

test_packages() {
	GOOS=windows GOARCH=amd64 CGO_ENABLED=0 go test -short -vet=off -timeout 20m -p 2 \
		-overlay "$overlay/overlay.json" -tags $tags -exec wine64 "$@"
}

# Tests that are skipped under Wine 8: it reports success for symbolic links without
# creating them (SetDefaultProfileOfALink, ReplaceReplacesALink, FilesAreWrittenBelow…);
# appends in two steps, between which others write (ManyWriters); has no Unix sockets
# (SPIFFE); and leaves a program suspended, with its file open, if its parent is killed
# while starting it (KilledInstalling). The others need Linux: its shell (Setup of clerk),
# its file owners (BadCacheFile…), removing the network (dialing), cgo libraries
# (Example…), the go command (house). With arguments, only those packages are tested.
packages() {
	[ $# -gt 0 ] || set -- $(GOOS=windows go list -tags $tags ./core/... ./internal/... ./plugins/... |
		grep -v '/internal/\(cli\|soak\|house\|programs\)$')
	test_packages -skip 'TestSetDefaultProfileOfALink|TestReplaceReplacesALink|TestFilesAreWrittenBelowTheirDirectoryAlone|TestManyWritersAndRotations|TestSPIFFE|TestKilledInstalling|TestSetup$|TestBadCacheFileIsNoCache|TestEveryCheckCanFail/dialing|ExampleOpen_local' "$@"
}

# headless waits for a second, in which no provider can start under Wine. With arguments,
# only those scripts are run.
scripts() {
	test_packages -run "^TestScripts\$/^($(echo "${*:-.*}" | tr ' ' '|'))\$" -skip 'TestScripts/headless$' ./internal/cli
}

# attempt runs a part. Its output is also in the file output; outcome says how it ended.
# It isn't the condition of an if, because a failure inside would then not end it.
attempt() {
	echo failed >"$work/outcome"
	{
		"$@"
		echo passed >"$work/outcome"
	} 2>&1 | tee "$work/output"
}
passed() { [ "$(cat "$work/outcome")" = passed ]; }

# failures prints the packages or scripts of a part that failed.
failures() {
	case $1 in
	packages) sed -n 's/^FAIL\t\([^\t ]*\).*/\1/p' "$work/output" ;;
	scripts) sed -n 's/^    --- FAIL: TestScripts\/\([^ ]*\).*/\1/p' "$work/output" ;;
	esac
}

for part; do
	case $part in
	demo | packages | scripts) ;;
	*)
		echo "test-windows: $part is not demo, packages or scripts" >&2
		exit 2
		;;
	esac
done
for part; do
	echo "test-windows: $part"
	attempt "$part"
	! passed || continue
	# Once in hundreds of starts Wine fails to start a program, with this reason.
	grep 'fork/exec .*: Internal error' "$work/output" >&2 || exit 1
	again=$(failures "$part")
	echo "test-windows: WINE DID NOT START A PROGRAM, SEE ABOVE: A SECOND AND LAST TIME:" $part $again >&2
	attempt "$part" $again
	passed || exit 1
done
echo "test-windows: ok"
