#!/bin/sh
# Installs zen from a release's archive, or removes it. Nothing from an archive is run
# before its SHA-256 matches SHA256SUMS, or installed before the unpacked zen has compared
# its files with the sums it was built with. It needs no root, except perhaps with
# --prefix /usr/local, and never asks for it.
# SHA256SUMS comes from the same place as the archive, unless --sums names a copy from
# another source: only then do the sums protect against more than transmission errors.
set -eu

# The default location and version of the archives. A release fills these in.
downloads=
release=

usage() {
	cat <<'END'
usage: install.sh --base-url URL --version VERSION [--prefix DIR] [--sums FILE] [--static]
       install.sh --uninstall [--prefix DIR]

  --base-url URL     where the archives and SHA256SUMS are (ZEN_BASE_URL)
  --version VERSION  which, as v0.1.0 (ZEN_VERSION)
  --prefix DIR       below which directory, ~/.local by default (ZEN_PREFIX)
  --sums FILE        the sums, from a place that you trust more (ZEN_SUMS)
  --static           on Linux, the one without replicas, which needs no glibc; taken by
                     itself where there is none, or one before 2.17
  --uninstall        remove what this has installed; sign-ins stay (zen logout --all)
END
}

fail() {
	echo "install.sh: $*" >&2
	exit 1
}

base=${ZEN_BASE_URL:-$downloads} version=${ZEN_VERSION:-$release} prefix=${ZEN_PREFIX:-$HOME/.local} sums=${ZEN_SUMS:-} static= uninstall=
while [ $# -gt 0 ]; do
	case $1 in
	--base-url | --version | --prefix | --sums)
		[ $# -gt 1 ] || fail "$1 needs a value"
		case $1 in
		--base-url) base=$2 ;;
		--version) version=$2 ;;
		--prefix) prefix=$2 ;;
		--sums) sums=$2 ;;
		esac
		shift 2
		;;
	--static) static=-static && shift ;;
	--uninstall) uninstall=yes && shift ;;
	-h | --help) usage && exit 0 ;;
	*) usage >&2 && fail "unknown argument: $1" ;;
	esac
done
case $prefix in
/*) ;;
*) fail "--prefix $prefix is not an absolute path" ;;
esac

# Each version has its own directory, and bin/zen links into one. So an upgrade is one
# rename, and a running zen keeps its providers.
lib=$prefix/lib/zen
link=$prefix/bin/zen
# The destination of each completion, by its name in the archive.
completions="bash:share/bash-completion/completions/zen zsh:share/zsh/site-functions/_zen fish:share/fish/vendor_completions.d/zen.fish"

# ours succeeds if bin/zen was installed by this script.
ours() {
	[ -L "$link" ] && case $(readlink "$link") in ../lib/zen/*/zen) true ;; *) false ;; esac
}

# each_completion calls "$1 ORIGIN LINK" for each completion.
each_completion() {
	for entry in $completions; do
		"$1" "../../../lib/zen/current/completion/zen.${entry%%:*}" "$prefix/${entry#*:}"
	done
}

# leads_here succeeds if $1 is a link installed by this script.
leads_here() {
	[ -L "$1" ] && case $(readlink "$1") in ../../../lib/zen/current/*) true ;; *) false ;; esac
}

remove_link() {
	if leads_here "$2"; then
		rm -f "$2"
		rmdir "${2%/*}" "$(dirname "${2%/*}")" "$prefix/share" 2>/dev/null || true
	fi
}

put_link() {
	if { [ -e "$2" ] || [ -L "$2" ]; } && ! leads_here "$2"; then
		echo "install.sh: left alone: $2" >&2
		return
	fi
	mkdir -p "${2%/*}"
	ln -sfn "$1" "$2"
}

# The manual has a page for each command, so its pages differ between versions.
manual=$prefix/share/man/man1
remove_pages() {
	for page in "$manual"/zen.1 "$manual"/zen-*.1; do
		remove_link "" "$page"
	done
}

if [ -n "$uninstall" ]; then
	[ -d "$lib" ] || fail "there is no $lib: nothing that this has installed"
	[ -f "$lib/installed-by-install.sh" ] || fail "$lib was not made by this: remove it by the way it came"
	each_completion remove_link
	remove_pages
	if ours; then rm -f "$link"; fi
	rm -rf "$lib"
	rmdir "$prefix/lib" "$prefix/bin" 2>/dev/null || true
	echo "removed. Sign-ins and settings stay: ~/.local/state/zen, ~/.config/zen"
	exit 0
fi

[ -n "$base" ] || fail "--base-url is missing: where are the archives?"
[ -n "$version" ] || fail "--version is missing, as v0.1.0"
case $version in
*[!A-Za-z0-9._+-]* | .*) fail "--version $version is no version, like v0.1.0" ;;
esac
case $base in
http://*@*) fail "--base-url $base is not https" ;; # http://localhost:80@example.com
https://* | file://* | http://127.0.0.1:* | http://localhost:*) ;;
/* | .*) fail "--base-url $base is not a URL: a directory here is file:///..." ;;
*) fail "--base-url $base is not https" ;;
esac
base=${base%/}
case $(uname -s) in
Linux) os=linux ;;
Darwin) os=darwin ;;
*) fail "no archive for $(uname -s): take the .zip for Windows, or make build" ;;
esac
case $(uname -m) in
x86_64 | amd64) arch=amd64 ;;
aarch64 | arm64) arch=arm64 ;;
*) fail "no archive for $(uname -m): make build" ;;
esac
if [ "$os" = linux ]; then
	libc=$(getconf GNU_LIBC_VERSION 2>/dev/null || true)
	case $libc in
	"glibc 2."*)
		minor=${libc#glibc 2.}
		[ "${minor%%.*}" -ge 17 ] || static=-static
		;;
	*) static=-static ;;
	esac
fi
name=zen-$version-$os-$arch$static

# fetch downloads $1 to $2. From https, only redirects to https are followed. wget has no
# option for that, but prints where it was redirected; BusyBox's also prints that it
# checks no certificate: then the sums have to come from elsewhere.
fetch() {
	if command -v curl >/dev/null 2>&1; then
		curl --fail --silent --show-error --location --proto-redir '=https' --output "$2" "$1"
		return
	fi
	if [ "${1#file://}" != "$1" ]; then
		cp "${1#file://}" "$2"
		return
	fi
	command -v wget >/dev/null 2>&1 || fail "neither curl nor wget is here"
	status=0
	wget -q -S -O "$2" "$1" 2>"$work/told" || status=$?
	if grep -i '^ *location: *[a-z][a-z0-9+.-]*:' "$work/told" | grep -iv '^ *location: *https:' >"$work/away"; then
		rm -f "$2"
		fail "$1 leads away from https: $(sed -n '1s/^ *[^ ]* *//p' "$work/away")"
	fi
	if [ -z "$trusted" ] && grep -q 'certificate validation not implemented' "$work/told"; then
		rm -f "$2"
		fail "the wget that is here checks no certificate: install curl, or give --sums"
	fi
	[ $status -eq 0 ] || sed -n 's/^ *\(HTTP\/.*\)/wget: \1/p; /^wget:/p' "$work/told" | tail -n 1 >&2
	return $status
}

sum() {
	if command -v sha256sum >/dev/null 2>&1; then
		sha256sum <"$1" | cut -d' ' -f1
	else
		shasum -a 256 <"$1" | cut -d' ' -f1
	fi
}

if [ -e "$link" ] || [ -L "$link" ]; then
	ours || fail "$link is there already, and not from this: remove it first, or choose another --prefix"
fi
if [ -e "$lib" ] && [ ! -f "$lib/installed-by-install.sh" ]; then
	fail "$lib is there already, and not from this"
fi

umask 022
work=$(mktemp -d)
fresh= trusted=$sums
trap 'rm -rf "$work" ${fresh:+"$fresh"}' EXIT
trap 'exit 130' INT TERM HUP
if [ -z "$sums" ]; then
	sums=$work/SHA256SUMS
	fetch "$base/SHA256SUMS" "$sums" || fail "$base/SHA256SUMS can't be fetched"
fi
[ -r "$sums" ] || fail "--sums $sums can't be read"
want=$(awk -v name="$name.tar.gz" '$2 == name || $2 == "*" name { print $1 }' "$sums")
[ -n "$want" ] || {
	there=$(sed -n "s/^[^ ]* [ *]zen-\\(.*\\)-$os-$arch$static\\.tar\\.gz\$/\\1/p" "$sums" | tr '\n' ' ')
	fail "SHA256SUMS has no $name.tar.gz${there:+: for this machine it has --version ${there% }}"
}
fetch "$base/$name.tar.gz" "$work/$name.tar.gz" || fail "$base/$name.tar.gz can't be fetched"
got=$(sum "$work/$name.tar.gz")
[ "$got" = "$want" ] || fail "$name.tar.gz is not what SHA256SUMS says: $got, not $want. Nothing was installed"

# It is unpacked on the destination's file system, so that the checked files are the ones
# renamed.
mkdir -p "$lib" "$prefix/bin"
: >"$lib/installed-by-install.sh"
fresh=$(mktemp -d "$lib/.new.XXXXXX")
tar -xzf "$work/$name.tar.gz" -C "$fresh" --no-same-owner
chmod 755 "$fresh" "$fresh/$name"
"$fresh/$name/zen" version --verify >"$work/verified" 2>&1 || {
	cat "$work/verified" >&2
	fail "the archive's zen refuses its own providers. Nothing was installed"
}
rm -rf "${lib:?}/$version"
mv "$fresh/$name" "$lib/$version"

before=$(readlink "$lib/current" 2>/dev/null || true)
ln -sfn "$version" "$lib/current"
ln -s "../lib/zen/$version/zen" "$link.$$"
mv -f "$link.$$" "$link"
each_completion put_link
remove_pages
for page in "$lib/current/man"/*.1; do
	[ ! -f "$page" ] || put_link "../../../lib/zen/current/man/${page##*/}" "$manual/${page##*/}"
done

# The previous version stays for processes that still run from it; older ones are removed.
for old in "$lib"/*/; do
	old=${old%/}
	case ${old##*/} in
	"$version" | "$before" | current) ;;
	*) rm -rf "$old" ;;
	esac
done
echo "$("$link" version) is $link"
case :$PATH: in
*":$prefix/bin:"*) ;;
*) echo "put it on your PATH: export PATH=\"$prefix/bin:\$PATH\"" ;;
esac
