#!/bin/sh
# A team's secret stays in OpenBao, for real, against the local stack. Run it with:
# make demo-team
. demo/step.sh

# told reports whether standard error is one line of error and a hint.
told() { [ "$(grep -vc '^hint: ' "$1")" -eq 1 ]; }

# The users have neither a Turso API token nor a Clerk secret key: OpenBao holds both.
turso_admin=$ZEN_DEV_TURSO_ADMIN
unset TURSO_API_TOKEN CLERK_SECRET_KEY ZEN_DEV_TURSO_ADMIN
operator() { BAO_TOKEN=$ZEN_DEV_BAO_TOKEN "$ZEN_DEV_BAO" "$@"; }
alice() { BROWSER="zen dev browse --user alice" "$@"; }
bob() { ZEN_PROFILE=bob ZEN_OPENBAO__AUTH_ROLE=member ZEN_OPENBAO__ROLE=team-ro BROWSER="zen dev browse --user bob" "$@"; }
job() { ZEN_PROFILE=ci ZEN_OPENBAO__AUTH_MOUNT=github ZEN_OPENBAO__AUTH_ROLE=ci ZEN_OPENBAO__ROLE=ci "$@"; }
# audit shows who requested the last token from OpenBao.
audit() { grep '"type":"response"' "$ZEN_DEV_BAO_AUDIT" | grep "\"path\":\"turso/creds/$1\"" | tail -n 1 | grep -o '"path":"turso[^,]*\|"email":"[^,}]*\|"org_slug":"[^,}]*\|"role":"[^,}]*\|"repository":"[^,}]*' | sort -u; }
# rotated replaces the API token three times while readers request tokens.
rotated() {
	failed=$(mktemp)
	for _ in 1 2 3 4; do
		(n=0; while [ "$n" -lt 10 ]; do operator read -field=database turso/creds/ci >/dev/null 2>&1 || echo x >>"$failed"; n=$((n + 1)); done) &
	done
	for _ in 1 2 3; do printf %s "$turso_admin" | operator write -field=api_token_name turso/config/rotate-root api_token=- && echo || echo x >>"$failed"; done
	wait
	lost=$(wc -l <"$failed")
	rm -f "$failed"
	echo "40 tokens were requested meanwhile, $((lost)) requests failed"
	[ "$lost" -eq 0 ]
}

step 0 "OpenBao is up. It holds the organization's API token, which no one can read." operator read turso/config
step 0 "alice signs in with Clerk; OpenBao verifies the sign-in and issues the database token." alice zen login --provider clerk
step 0 "alice queries her organization's database." alice zen db query "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT)"
step 0 "She can write." alice zen db query "INSERT INTO notes (body) VALUES ('first light')"
step 0 "OpenBao's audit log names her." audit team-rw
step 0 "bob, a member of another organization, signs in." bob zen login --provider clerk
step 0 "He reads his organization's database." bob zen db query "SELECT count(*) AS tables FROM sqlite_schema"
step 5 "He can't write: his role is read-only." bob zen db query "CREATE TABLE mine (id INTEGER)"
step 5 "He can't use alice's role either." env ZEN_PROFILE=bob ZEN_OPENBAO__AUTH_ROLE=admin zen token
step 0 "A GitHub job signs in with nothing but its GitHub identity." job zen login --provider oidc --method workload
step 0 "It reads the database that its role allows." job zen db query "SELECT body FROM notes"
step 0 "The audit log names the repository." audit ci
step 0 "The API token is replaced under load by one with two scopes." rotated
step 0 "Queries still work." alice zen db query "SELECT body FROM notes"
step 0 "alice signs out, also of OpenBao." alice zen logout

printf '\ndemo: %d steps, %d ok\n' "$steps" "$ok"
[ "$steps" -eq "$ok" ]
