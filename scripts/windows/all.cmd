@echo off
rem What scripts/test-windows.sh runs on another drive than zen's, in a path with a blank.
set TEMP=D:\My Temp
set TMP=D:\My Temp
set PATH=C:\Program Files\zen auth;%PATH%
d:
cd "\My Temp"

echo the demo
zen dev -- cmd /c demo.cmd
if not %errorlevel%==0 goto failed
echo the credential store, and what cmd does with words
zen dev -- cmd /c store.cmd
if not %errorlevel%==0 goto failed
echo all: ok
exit 0

:failed
echo all: FAILED
exit 1
