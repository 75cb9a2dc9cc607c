@echo off
rem The main job of zen, for real, against the local stack, on Windows:
rem   zen dev -- cmd /c demo\demo.cmd
rem The browser: it signs in as alice.
set BROWSER=zen dev browse --user alice
set SELECT=SELECT id, body, written FROM notes ORDER BY id

echo 1. Sign in with Clerk.
zen login --provider clerk
if not %errorlevel%==0 goto failed
echo 2. Who am I, and is the token good?
zen status
if not %errorlevel%==0 goto failed
echo 3. Write and read.
zen db query "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL, written TEXT)"
if not %errorlevel%==0 goto failed
zen db query "INSERT INTO notes (body, written) VALUES ('first light', '2026-01-03'), ('second \"thoughts\"', '100%%')"
if not %errorlevel%==0 goto failed
zen db query "%SELECT%"
if not %errorlevel%==0 goto failed
echo 4. Turso's registrations get stuck. A valid JWT doesn't help any more.
zen dev fault jwks-stuck on
zen db query "%SELECT%"
if not %errorlevel%==3 goto failed
echo 5. The fallback: a token minted by Turso's Platform API.
zen login --provider platformtoken
if not %errorlevel%==0 goto failed
zen db query "%SELECT%"
if not %errorlevel%==0 goto failed
echo 6. Turso is repaired. Back to Clerk.
zen dev fault jwks-stuck off
zen login --provider clerk
if not %errorlevel%==0 goto failed
zen db query "%SELECT%"
if not %errorlevel%==0 goto failed
echo demo: ok
exit 0

:failed
echo demo: FAILED with exit code %errorlevel%
exit 1
