# A revert of something released is a patch.

. "$LIB"
begin
commit 'feat: a second format'
released v1.2.3
revert HEAD~1
publish
