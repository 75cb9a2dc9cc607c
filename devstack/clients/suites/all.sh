#!/bin/sh
# Runs the TypeScript clients' own tests in each encoding. The tests are only in their
# repositories, not in the npm packages: SUITES is a directory with checkouts of them,
# libsql-client-ts and hrana-client-ts, in which `npm ci` was run.
set -eu

if [ -z "${SUITES:-}" ]; then
	echo "SKIPPED: the own tests of libsql-client-ts and hrana-client-ts. npm doesn't have them: clone both from GitHub, run npm ci in each, and name their directory: make all-suites SUITES=DIR"
	exit 0
fi
run=$(dirname "$0")/run.sh
status=0
suite() {
	echo "$*"
	"$run" "$1" "$SUITES/$1-ts" $2 ${3:-} || status=1
}
for encoding in hrana2 hrana3 protobuf; do
	suite hrana-client ws $encoding
	suite hrana-client http $encoding
done
suite libsql-client ws
suite libsql-client http
exit $status
