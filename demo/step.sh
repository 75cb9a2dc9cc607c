# The steps of a demo. The script that sources this file defines told, which reports whether
# the error in the given file is formatted as it should be.
set -u

steps=0 ok=0
out=$(mktemp) err=$(mktemp)
trap 'rm -f "$out" "$err"' EXIT

# step WANTED-EXIT-CODE TITLE COMMAND...
step() {
	wanted=$1 title=$2
	shift 2
	steps=$((steps + 1))
	printf '\n%2d. %s\n$' "$steps" "$title"
	for word; do
		case $word in *[!A-Za-z0-9_./:=-]*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac
	done
	echo
	"$@" >"$out" 2>"$err"
	code=$?
	cat "$out" "$err"
	if [ "$code" -ne "$wanted" ]; then
		echo "FAILED: exit code $code, wanted $wanted"
	elif [ "$wanted" -ne 0 ] && ! told "$err"; then
		echo "FAILED: the error message is not formatted as it should be"
	else
		[ "$code" -eq 0 ] || echo "(exit code $code)"
		ok=$((ok + 1))
	fi
}
