# A value of the wrong type, with its line and column.

. "$LIB"
begin
released v1.2.3
commit 'fix: close the file'
publish
