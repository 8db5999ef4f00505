# A user can ask for more than the commits do.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file'
publish
