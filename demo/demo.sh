#!/bin/sh
# The main job of zen, for real, against the local stack. Run it with: make demo
. demo/step.sh

# told reports whether standard error is a single line.
told() { [ "$(wc -l <"$1")" -eq 1 ]; }

# same fails the last step if its answer differs from the rows read before.
same() {
	if ! cmp -s "$out" "$rows"; then
		echo "FAILED: the rows differ from those read before"
		ok=$((ok - 1))
	fi
}

# The browser: it signs in as alice.
export BROWSER="zen dev browse --user alice"

select="SELECT id, body, written FROM notes ORDER BY id"
rows=$(mktemp)
trap 'rm -f "$out" "$err" "$rows"' EXIT

step 0 "A local Clerk, Turso and app are up; nothing is broken." zen dev fault jwks-stuck
step 0 "Sign in with Clerk: sign-in page, bridge page, ticket, session." zen login --provider clerk
step 0 "Who am I, and is the token good?" zen status
step 0 "Turso takes the Clerk JWT: its organization has registered the key set." \
	zen db query "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL, written TEXT)"
step 0 "Write." zen db query "INSERT INTO notes (body, written) VALUES ('first light', '2026-01-03'), ('second thoughts', '2026-01-04')"
step 0 "Read." zen db query "$select"
cp "$out" "$rows"
step 0 "Now Turso's registrations get stuck: too many, none removable, the right key not in use." zen dev fault jwks-stuck on
step 3 "The same query, with a valid JWT." zen db query "$select"
step 0 "The fallback: a token minted by Turso's Platform API." zen login --provider platformtoken
step 0 "The same query, the same rows." zen db query "$select"
same
step 0 "Turso is repaired." zen dev fault jwks-stuck off
step 0 "Back to Clerk." zen login --provider clerk
step 0 "The same rows again." zen db query "$select"
same

printf '\ndemo: %d steps, %d ok\n' "$steps" "$ok"
if [ "$steps" -eq "$ok" ]; then
	printf 'next: bin/zen dev -- bash, and there: zen login --provider clerk; zen db shell; zen doctor\n'
fi
[ "$steps" -eq "$ok" ]
