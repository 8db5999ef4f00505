# A version has no `v`.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file'
publish
