# Configured checks come first.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file'
publish
