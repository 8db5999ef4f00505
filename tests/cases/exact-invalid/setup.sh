# A version that is none.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file'
publish
