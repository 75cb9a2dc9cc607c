@echo off
rem A sign-in whose key is in the credential store of Windows, and words with what cmd,
rem programs and zen each could take for their own. Pipes of Wine's cmd want a TEMP without
rem blanks.
set BROWSER=zen dev browse --user alice

zen login --provider clerk --storage keyring
if not %errorlevel%==0 goto failed
zen status >out.txt
find "(sealed; the key is in the keyring)" out.txt
if not %errorlevel%==0 goto failed
zen token >out.txt
find "eyJ" out.txt
if not %errorlevel%==0 goto failed
zen exec --env MY_TOKEN=token -- cmd /c "set MY" >out.txt
find "MY_TOKEN=eyJ" out.txt
if not %errorlevel%==0 goto failed
zen exec -- cmd /c "exit 7"
if not %errorlevel%==7 goto failed
zen db query "SELECT 'a \"b\" c\\', '100%%', 'x & y | z'" >out.txt
find "a ""b"" c\\" out.txt
if not %errorlevel%==0 goto failed
zen db query "SELECT ?" --param "two words" >out.txt
find "two words" out.txt
if not %errorlevel%==0 goto failed
zen logout
if not %errorlevel%==0 goto failed
zen token
if not %errorlevel%==3 goto failed
del out.txt
echo store: ok
exit 0

:failed
echo store: FAILED with exit code %errorlevel%
exit 1
