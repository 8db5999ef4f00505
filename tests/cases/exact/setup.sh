# The version is named.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file'
publish
