# A release that was only a tag is withdrawn with its tag, and its version is free again.

. "$LIB"
begin
released v1.2.3
commit 'feat: a second format'
publish
"$SHIPWAY" push > ../push.txt 2>&1 || { cat ../push.txt; exit 1; }
"$SHIPWAY" rollback --delete-tag > ../rollback.txt 2>&1 || { cat ../rollback.txt; exit 1; }
