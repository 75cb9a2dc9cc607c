#!/bin/sh
# Runs a TypeScript client's own tests, unmodified, through `zen proxy`, on a stack whose
# tokens live two seconds and whose sockets end with them, and counts the results. It
# fails if a test fails that isn't known to.
#
#   run.sh hrana-client CLONE ws|http hrana2|hrana3|protobuf
#   run.sh libsql-client CLONE ws|http
#
# CLONE is a checkout of the client's repository in which `npm ci` was run. zen is on the
# PATH, with its providers.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
suite=$1 clone=$(cd "$2" && pwd) scheme=$3 encoding=${4:-}
case $suite in
hrana-client)
	dir=$clone
	set -- --setupFiles "$here/only.cjs"
	# The client refuses the entry with which libsql-server ends a cursor, and over HTTP
	# closes what the next test uses.
	known='^batches w/ cursor |^describe\(\) trivial statement$'
	;;
libsql-client)
	dir=$clone/packages/libsql-client
	(cd "$clone" && npm run --silent build -w packages/libsql-core)
	set --
	known='^embedded replica test' # it gives its replica a ws: URL
	[ "$scheme" = ws ] || known='^$'
	;;
*) echo "no suite $suite" >&2; exit 2 ;;
esac
[ ! -e /tmp/local.db ] || { echo "libsql-client-ts has its replica in /tmp/local.db: remove the one that is there" >&2; exit 2; }
report=$(mktemp)
trap 'rm -f "$report" "$report.log" /tmp/local.db /tmp/local.db-*' EXIT

cd "$dir"
# hrana-client asks for JWT and VERSION, libsql-client for AUTH_TOKEN and SERVER.
export SCHEME="$scheme" ENCODING="$encoding" SERVER=sqld VERSION=3
[ "$encoding" != hrana2 ] || VERSION=2
zen dev --token-lifetime 2s --fault socket-expires -- sh -ec '
	zen provider trust clerk >/dev/null 2>&1 || true # unless zen has been told which are its own
	BROWSER="zen dev browse --user alice" zen login --provider clerk >/dev/null 2>&1
	exec zen proxy -- sh -ec "
		export URL=\$SCHEME\${TURSO_DATABASE_URL#http} JWT=\$TURSO_AUTH_TOKEN AUTH_TOKEN=\$TURSO_AUTH_TOKEN
		exec npx jest --runInBand --forceExit --json --outputFile \"\$@\"" sh "$@"' sh "$report" "$@" >"$report.log" 2>&1 || true # the report says how
node - "$report" "$known" <<'END' || { cat "$report.log"; exit 1; }
const report = JSON.parse(require("node:fs").readFileSync(process.argv[2]));
const failed = report.testResults.flatMap((file) => file.assertionResults).filter((test) => test.status === "failed").map((test) => test.fullName);
const unknown = failed.filter((name) => !new RegExp(process.argv[3]).test(name));
console.log(`${report.numPassedTests} passed, ${report.numPendingTests} skipped, ${failed.length} failed`);
for (const name of unknown) console.log(`FAIL: ${name}`);
process.exit(unknown.length > 0 || report.numPassedTests === 0 ? 1 : 0);
END
