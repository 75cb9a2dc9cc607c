#!/bin/sh
# Runs the own tests of a client in TypeScript, unmodified, through `zen proxy`, on a stack
# whose tokens live two seconds and whose sockets end with them.
#
#   run.sh hrana-client|libsql-client CLONE ws|http
#
# CLONE is a checkout of the client's repository in which `npm ci` was run. zen is on the
# PATH, with its providers.
set -eu

clone=$(cd "$2" && pwd) scheme=$3
case $1 in
hrana-client) dir=$clone ;;
libsql-client)
	dir=$clone/packages/libsql-client
	(cd "$clone" && npm run --silent build -w packages/libsql-core) ;;
*) echo "no suite $1" >&2; exit 2 ;;
esac

cd "$dir"
# hrana-client asks for JWT and VERSION, libsql-client for AUTH_TOKEN and SERVER.
exec zen dev --token-lifetime 2s --fault socket-expires -- sh -ec '
	zen provider trust clerk >/dev/null 2>&1 || true # unless zen has been told which are its own
	BROWSER="zen dev browse --user alice" zen login --provider clerk >/dev/null 2>&1
	exec zen proxy -- sh -ec "
		export URL=$1\${TURSO_DATABASE_URL#http} JWT=\$TURSO_AUTH_TOKEN AUTH_TOKEN=\$TURSO_AUTH_TOKEN VERSION=3 SERVER=sqld
		exec npx jest --runInBand --forceExit"' sh "$scheme"
