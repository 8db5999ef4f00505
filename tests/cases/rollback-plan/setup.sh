# What withdrawing the last release would do.

. "$LIB"
begin
released v1.2.3
commit 'feat: a second format'
publish
"$SHIPWAY" push > ../push.txt 2>&1 || { cat ../push.txt; exit 1; }
