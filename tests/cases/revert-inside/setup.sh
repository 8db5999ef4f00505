# A revert cancels its target inside the same range.

. "$LIB"
begin
released v1.2.3
commit 'feat: a second format' 'fix: close the file'
revert HEAD~1
publish
