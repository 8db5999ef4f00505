# A version that is lower than the last one.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file'
publish
