# 1.0.0 comes only when it is asked for.

. "$LIB"
begin
released v0.4.1
commit 'fix: close the file'
publish
