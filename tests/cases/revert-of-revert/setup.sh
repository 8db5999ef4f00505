# A revert of a revert restores the feature.

. "$LIB"
begin
released v1.2.3
commit 'feat: a second format'
revert HEAD
revert HEAD
publish
