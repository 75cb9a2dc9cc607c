#!/bin/sh
# Runs every fuzz target for a while: scripts/fuzz.sh [DURATION [PACKAGE...]]
set -eu
cd "$(dirname "$0")/.."
time=${1:-1m}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- $(git grep -l '^func Fuzz' -- '*_test.go' ':!devstack/clients' | xargs -n1 dirname | sort -u | sed 's|^|./|')
for package; do
	for target in $(grep -ho '^func Fuzz[A-Za-z0-9_]*' "$package"/*_test.go | cut -c6-); do
		echo "$package $target"
		(cd "$package" && go test -timeout 2h -tags urfave_cli_no_docs -run '^$' -fuzz "^$target\$" -fuzztime "$time" .)
	done
done
