#!/bin/sh
# Runs the own tests of a library that uses mattn/go-sqlite3, unmodified, with that driver
# or with zen's in one of its modes, and counts the results.
#
#   run.sh gorm|ent|sqlx|bun CLONE mattn|remote|replica|local
# CLONE is a checkout of the library's repository. Its go.mod is unchanged: a copy has the
# replacement.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
suite=$1 clone=$2 mode=$3
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Tests that need another database's server, or a separate program, are left out.
case $suite in
gorm) cd "$clone/tests"; set -- ;;
ent) cd "$clone/entc/integration"; set -- -skip 'MySQL|Maria|Postgres|Gremlin|TestVersionedMigration' ;;
sqlx) cd "$clone"; set -- ;;
bun) cd "$clone/internal/dbtest"; set -- -tags cgosqlite -run '/^sqlite$' -skip 'Postgres|Listener|Mssql|TestConnResolver' ;;
*) echo "no suite $suite" >&2; exit 2 ;;
esac

cp go.mod "$dir/go.mod"
[ ! -f go.sum ] || cp go.sum "$dir/go.sum"
if [ "$mode" != mattn ]; then
	go mod edit -replace "github.com/mattn/go-sqlite3=$here/sqlite3" -replace "github.com/zen-auth/zen=$here/../../../.." "$dir/go.mod"
fi
# If two modules have its packages, the older one would be used.
[ "$mode" = mattn ] || go get -modfile "$dir/go.mod" google.golang.org/genproto@latest 2>/dev/null
go mod tidy -e -modfile "$dir/go.mod" 2>/dev/null

export ZEN_SUITE_MODE="$mode" TMPDIR="$dir" SQLX_POSTGRES_DSN=skip SQLX_MYSQL_DSN=skip SQLX_SQLITE_DSN="$dir/sqlx.db"
status=0
go test -v -count=1 -timeout 15m -modfile "$dir/go.mod" "$@" ./... >"$dir/log" 2>&1 || status=$?
grep -E '^(FAIL|panic:)|--- FAIL' "$dir/log" || true
for outcome in PASS FAIL SKIP; do
	echo "$outcome: $(grep -c -- "^--- $outcome" "$dir/log" || true), with subtests $(grep -c -- "--- $outcome" "$dir/log" || true)"
done
exit $status
