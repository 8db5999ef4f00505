# Several mistakes are told at once.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file'
publish
