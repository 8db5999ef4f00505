# Where everything is reverted, nothing is released.

. "$LIB"
begin
released v1.2.3
commit 'feat: a second format'
revert HEAD
publish
