# After a release that was withdrawn, whose tag stays, the next free version follows.

. "$LIB"
begin
released v1.2.3
commit 'feat: a second format'
publish
"$SHIPWAY" push > ../push.txt 2>&1 || { cat ../push.txt; exit 1; }
"$SHIPWAY" rollback > ../rollback.txt 2>&1 || { cat ../rollback.txt; exit 1; }
commit 'fix: close the file'
