# An unknown key, and which one was meant.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file'
publish
